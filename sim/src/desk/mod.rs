//! Where inputs are done: what they do to the glasses, and what the runtime is told of them.

mod settings;
mod sources;

use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_runtime::live::{Button as Pressed, Event};

pub use self::settings::Settings;

use self::sources::Held;
use crate::cloud::Cloud;
use crate::glasses::{Feed, Glasses, Jack};
use crate::input::{Button, Heat, Input, Source, Touch};
use crate::record::Session;
use crate::scenario::Step;
use crate::source::{Machine, NoMachine, Scenes};
use crate::{Error, ErrorKind, Result};

/// Bytes of a question at most.
const MOST_TEXT: usize = 8 << 10;

/// Opens a recorded session by its name.
pub type Sessions = dyn Fn(&str) -> Result<Session> + Send;

/// Does what is asked for.
pub struct Desk {
    glasses: Glasses,
    scenes: Scenes,
    sessions: Box<Sessions>,
    machine: Box<dyn Machine>,
    cloud: Cloud,
    settings: Settings,
    /// Recordings on their way into the microphone.
    said: Jack,
    /// What the browser sends.
    browser: (Feed, Jack),
    /// What keeps this machine's camera and microphone at work.
    borrowed: [Option<Held>; 2],
    /// What was done, for a scenario that does it again.
    steps: Vec<Step>,
    /// The words of what was said last.
    words: Option<(String, bool)>,
}

impl Desk {
    /// A desk with `glasses` on it, which look at the first of `scenes`.
    pub fn new(glasses: Glasses, scenes: Scenes) -> Self {
        let said = Jack::of_recordings();
        glasses.hear(said.clone());
        Self {
            glasses,
            scenes,
            sessions: Box::new(|name| Err(Error::new(ErrorKind::NotFound, "session", name))),
            machine: Box::new(NoMachine),
            cloud: Cloud::default(),
            settings: Settings::default(),
            said,
            browser: (Feed::default(), Jack::live()),
            borrowed: [None, None],
            steps: Vec::new(),
            words: None,
        }
    }

    /// The same with what a machine has.
    #[must_use]
    pub fn with_machine(self, machine: Box<dyn Machine>) -> Self {
        Self { machine, ..self }
    }

    /// The same with sessions that were recorded.
    #[must_use]
    pub fn with_sessions(self, sessions: Box<Sessions>) -> Self {
        Self { sessions, ..self }
    }

    /// The same with a cloud to ask, and what the wearer allows always to leave for it.
    #[must_use]
    pub fn with_cloud(self, cloud: Cloud) -> Self {
        let settings = Settings { consent: cloud.allowed(), ..self.settings };
        Self { cloud, settings, ..self }
    }

    /// The cloud.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The glasses.
    pub fn glasses(&self) -> &Glasses {
        &self.glasses
    }

    /// The scenes.
    pub fn scenes(&self) -> &Scenes {
        &self.scenes
    }

    /// The scenes, to add some.
    pub fn scenes_mut(&mut self) -> &mut Scenes {
        &mut self.scenes
    }

    /// How things are set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether all that was to be said has been said.
    pub fn is_silent(&self) -> bool {
        self.said.is_silent()
    }

    /// Where light and sound can come from.
    pub fn sources(&self) -> Vec<&'static str> {
        if self.machine.is_there() { vec!["scene", "browser", "machine"] } else { vec!["scene", "browser"] }
    }

    /// Where the browser's pictures and sound go.
    pub fn browser(&self) -> (Feed, Jack) {
        self.browser.clone()
    }

    /// What was done so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The words of the next question, where they are known, and whether they are spoken.
    pub fn take_words(&mut self) -> Option<(String, bool)> {
        self.words.take()
    }

    /// Does `input` at `now`, and gives what the runtime is to be told.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Malformed`] or [`ErrorKind::Device`] when it cannot be done; then nothing
    /// is.
    pub fn apply(&mut self, input: &Input, now: Timestamp) -> Result<Option<Event>> {
        let event = self.done(input)?;
        self.steps.push(Step { at: round(now.since_start()), input: input.clone() });
        Ok(event)
    }

    fn done(&mut self, input: &Input) -> Result<Option<Event>> {
        match input {
            Input::Show(name) => self.show(name)?,
            Input::Say(name) => self.say(name)?,
            Input::Type(text) => return self.ask(text).map(Some),
            Input::Button(button) => {
                let down = *button == Button::Down;
                self.glasses.set_button(down);
                return Ok(Some(Event::Button(if down { Pressed::Down } else { Pressed::Up })));
            }
            Input::Touch(Touch::Tap) => return Ok(Some(Event::Cancel)),
            Input::Touch(Touch::Forward) => self.glasses.with_display(|display| display.scroll(1)),
            Input::Touch(Touch::Back) => self.glasses.with_display(|display| display.scroll(-1)),
            Input::Mute(muted) => self.glasses.mute(*muted),
            Input::Camera(there) => self.glasses.plug_camera(*there),
            Input::Microphone(there) => self.glasses.plug_microphone(*there),
            Input::Wear(worn) => self.glasses.wear(*worn),
            Input::Link(change) => self.glasses.set_link(self.glasses.link().changed(*change)?),
            Input::Network(there) => {
                self.settings.network = *there;
                self.cloud.set_network(*there);
            }
            Input::Heat(heat) => self.heat(*heat)?,
            Input::Battery(charge) => {
                let charge = within("battery", *charge, 0.0, 1.0)?;
                self.glasses.with_power(|power| power.charge = charge);
            }
            Input::Mode(thinking) => {
                self.settings.mode = settings::mode(*thinking)?;
                return Ok(Some(Event::Mode(self.settings.mode)));
            }
            Input::Panel(panel) => self.glasses.set_panel(*panel),
            Input::Source(sources) => self.take_from(sources)?,
            Input::Consent(change) => {
                self.settings.consent = self.settings.consent.changed(*change);
                self.cloud.allow(self.settings.consent);
            }
            Input::Record(recording) => self.glasses.set_recording(*recording),
        }
        Ok(None)
    }

    fn show(&mut self, name: &str) -> Result<()> {
        let shot = self.scenes.scene(name)?.shot.clone();
        self.settings.scene = Some(name.to_owned());
        if self.settings.camera == Source::Scene {
            self.glasses.see(Box::new(shot));
        }
        Ok(())
    }

    fn say(&mut self, name: &str) -> Result<()> {
        let spoken = self.scenes.spoken(name)?;
        self.said.push(spoken.samples.iter().copied());
        if !spoken.text.is_empty() {
            self.words = Some((spoken.text.clone(), true));
        }
        Ok(())
    }

    fn ask(&mut self, text: &str) -> Result<Event> {
        let text = text.trim();
        if text.is_empty() || text.len() > MOST_TEXT {
            let found = format!("{} bytes", text.len());
            return Err(Error::malformed("type", found, format!("1 to {MOST_TEXT}")));
        }
        self.words = Some((text.to_owned(), false));
        Ok(Event::Text(text.to_owned()))
    }

    fn heat(&mut self, heat: Heat) -> Result<()> {
        match heat {
            Heat::Held(celsius) => {
                let celsius = within("heat", celsius, -20.0, 100.0)?;
                self.glasses.with_power(|power| power.hold(celsius));
            }
            Heat::Holding(held) => self.glasses.with_power(|power| power.set_held(held)),
        }
        Ok(())
    }
}

fn within(name: &str, value: f64, least: f64, most: f64) -> Result<f64> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Error::malformed(name, value, format!("{least} to {most}")))
    }
}

/// To the millisecond, as people write times.
fn round(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
