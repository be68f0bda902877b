//! Where inputs are done: what they do to the glasses, and what the runtime is told of them.

use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_runtime::live::{Button as Pressed, Event};
use lorgnette_runtime::mode::Mode;

use crate::glasses::{Feed, Glasses, Jack, Light};
use crate::input::{Button, Consent, Heat, Input, ModeName, Source, Sources, Thinking, Touch};
use crate::record::Session;
use crate::scenario::Step;
use crate::source::{Machine, NoMachine, Scenes};
use crate::{Error, ErrorKind, Result};

/// What people say about cloud and mode; the rest of the state is in the glasses.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How hard to think.
    pub mode: Mode,
    /// The scene that is shown.
    pub scene: Option<String>,
    /// Where light comes from.
    pub camera: Source,
    /// Where sound comes from.
    pub microphone: Source,
    /// Whether there is a network.
    pub network: bool,
    /// What may leave: words, pictures.
    pub consent: [bool; 2],
}

/// Tokens of reasoning, unless somebody says how many.
const USUAL_BUDGET: usize = 256;

/// The most that somebody may say.
const MOST_BUDGET: usize = 100_000;

/// Bytes of a question at most.
const MOST_TEXT: usize = 8 << 10;

/// Opens a recorded session by its name.
pub type Sessions = dyn Fn(&str) -> Result<Session> + Send;

/// Lets a device go when it is dropped.
type Held = Box<dyn Send>;

/// Does what is asked for.
pub struct Desk {
    glasses: Glasses,
    scenes: Scenes,
    sessions: Box<Sessions>,
    machine: Box<dyn Machine>,
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
        let settings = Settings {
            mode: Mode::Instant,
            scene: None,
            camera: Source::Scene,
            microphone: Source::Scene,
            network: true,
            consent: [false; 2],
        };
        Self {
            glasses,
            scenes,
            sessions: Box::new(|name| Err(Error::new(ErrorKind::NotFound, "session", name))),
            machine: Box::new(NoMachine),
            settings,
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
            Input::Network(there) => self.settings.network = *there,
            Input::Heat(heat) => self.heat(*heat)?,
            Input::Battery(charge) => {
                let charge = within("battery", *charge, 0.0, 1.0)?;
                self.glasses.with_power(|power| power.charge = charge);
            }
            Input::Mode(thinking) => return self.think(*thinking).map(Some),
            Input::Panel(panel) => self.glasses.set_panel(*panel),
            Input::Source(sources) => self.take_from(sources)?,
            Input::Consent(Consent { text, picture }) => {
                let [words, pictures] = self.settings.consent;
                self.settings.consent = [text.unwrap_or(words), picture.unwrap_or(pictures)];
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

    fn think(&mut self, thinking: Thinking) -> Result<Event> {
        let mode = match thinking {
            Thinking::Named(ModeName::Instant) => Mode::Instant,
            Thinking::Named(ModeName::Thinking) => Mode::Thinking { budget: USUAL_BUDGET },
            Thinking::Named(ModeName::Contemplating) => {
                let detail =
                    "found contemplating, expected instant or thinking: the simulator asks no cloud yet";
                return Err(Error::new(ErrorKind::Argument, "mode", detail));
            }
            Thinking::Budget { thinking } if (1..=MOST_BUDGET).contains(&thinking) => {
                Mode::Thinking { budget: thinking }
            }
            Thinking::Budget { thinking } => {
                return Err(Error::malformed("mode.thinking", thinking, format!("1 to {MOST_BUDGET}")));
            }
        };
        self.settings.mode = mode;
        Ok(Event::Mode(mode))
    }

    fn take_from(&mut self, Sources { camera, microphone }: &Sources) -> Result<()> {
        let (light, eyes) = match camera {
            Some(source) => self.light(source).map(|(light, eyes)| (Some(light), eyes))?,
            None => (None, None),
        };
        let (jack, ears) = match microphone {
            Some(source) => self.sound(source).map(|(jack, ears)| (Some(jack), ears))?,
            None => (None, None),
        };
        if let (Some(light), Some(source)) = (light, camera) {
            self.settings.camera = source.clone();
            self.borrowed[0] = eyes;
            self.glasses.see(light);
        }
        if let (Some(jack), Some(source)) = (jack, microphone) {
            self.settings.microphone = source.clone();
            self.borrowed[1] = ears;
            self.glasses.hear(jack);
        }
        Ok(())
    }

    fn light(&self, source: &Source) -> Result<(Box<dyn Light>, Option<Held>)> {
        Ok(match source {
            Source::Scene => match &self.settings.scene {
                Some(name) => (Box::new(self.scenes.scene(name)?.shot.clone()), None),
                None => (Box::new(Feed::default()), None),
            },
            Source::Browser => (Box::new(self.browser.0.clone()), None),
            Source::Machine => {
                let feed = Feed::default();
                let eyes = self.machine.see(feed.clone())?;
                (Box::new(feed), Some(eyes))
            }
            Source::Session(name) => (Box::new((self.sessions)(name)?.into_light()), None),
        })
    }

    fn sound(&self, source: &Source) -> Result<(Jack, Option<Held>)> {
        Ok(match source {
            Source::Scene => (self.said.clone(), None),
            Source::Browser => (self.browser.1.clone(), None),
            Source::Machine => {
                let jack = Jack::live();
                let ears = self.machine.hear(jack.clone())?;
                (jack, Some(ears))
            }
            Source::Session(name) => {
                let jack = Jack::of_recordings();
                jack.push((self.sessions)(name)?.into_sound());
                (jack, None)
            }
        })
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
