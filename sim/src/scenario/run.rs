//! A scenario, played in simulated time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Camera, Event as Seen, Frame};
use lorgnette_device::clock::{Clock, ManualClock};
use lorgnette_device::microphone::{Event as HeardEvent, LiveMicrophone, Microphone};
use lorgnette_device::power::PowerSource;
use lorgnette_runtime::live::{
    Action, Done, Event, Listening, ListeningOptions, Presence, Report as Told, Session, VoiceDetector,
};
use lorgnette_runtime::mode::Mode;

use super::due::{PopDue, at};
use super::report::Report;
use super::stepper::Stepper;
use super::taken::Taken;
use super::{Moment, Scenario, Step};
use crate::Result;
use crate::brain::Brain;
use crate::cloud::Cloud;
use crate::desk::Desk;
use crate::event::Watcher;
use crate::glasses::{Glasses, GlassesCamera, Options, Phase, Port};
use crate::link::Quality;
use crate::source::Scenes;

/// What a scenario is played with.
pub struct Setting {
    /// What can be shown and said.
    pub scenes: Scenes,
    /// Tells speech from everything else.
    pub detector: Box<dyn VoiceDetector>,
    /// Who is asked in the mode `contemplating`.
    pub cloud: Cloud,
}

/// What came of a scenario.
pub struct Outcome {
    /// What was expected, and what came.
    pub report: Report,
    /// What stood on the display in the end, as PNG.
    pub hud: Vec<u8>,
}

/// Between two looks at camera and microphone.
const TICK: Duration = Duration::from_millis(5);

/// Between two looks at battery and thermometer.
const POWER: Duration = Duration::from_secs(1);

/// A scenario is over when all was done and nothing happened for so long.
const QUIET: Duration = Duration::from_millis(1_500);

/// Plays `scenario`. `think` makes what answers, which is to go by the clock that it gets.
///
/// # Errors
/// Those of `think`, and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) or others where a step cannot be done. What
/// was expected and did not come is no error, but in the report.
pub fn run(
    scenario: &Scenario,
    setting: Setting,
    think: impl FnOnce(Arc<dyn Clock>) -> Result<Brain>,
) -> Result<Outcome> {
    let options = Options {
        panel: scenario.panel,
        frames: scenario.frames,
        link: Quality::default().changed(scenario.link)?,
        seed: scenario.seed,
    };
    let glasses = Glasses::new(options, Arc::new(ManualClock::default()));
    let brain = setting.cloud.around(think(glasses.clock())?, glasses.clock())?;
    let listening = Listening::new(ListeningOptions::default(), setting.detector);
    let session = Session::new(listening, Mode::Instant, brain.cancel.clone());
    let play = Play {
        camera: glasses.camera(),
        microphone: glasses.microphone()?,
        clock: glasses.clock(),
        watcher: Watcher::new(glasses.clone()),
        power: Box::new(glasses.power_source()),
        desk: Desk::new(glasses, setting.scenes).with_cloud(setting.cloud),
        session,
        stepper: Stepper::new(scenario.machine, brain)?,
        steps: scenario.steps.clone().into(),
        moments: sorted(&scenario.expect.moments),
        frame: Frame::default(),
        taken: Taken::default(),
        next_power: Timestamp::default(),
        busy_until: Timestamp::default(),
    };
    play.play(scenario)
}

fn sorted(moments: &[Moment]) -> VecDeque<Moment> {
    let mut moments = moments.to_vec();
    moments.sort_by(|a, b| a.at.total_cmp(&b.at));
    moments.into()
}

struct Play {
    camera: GlassesCamera,
    microphone: LiveMicrophone<Port>,
    clock: Arc<dyn Clock>,
    power: Box<dyn PowerSource>,
    watcher: Watcher,
    desk: Desk,
    session: Session,
    stepper: Stepper,
    steps: VecDeque<Step>,
    moments: VecDeque<Moment>,
    frame: Frame,
    taken: Taken,
    next_power: Timestamp,
    /// When something happened last.
    busy_until: Timestamp,
}

impl Play {
    fn play(mut self, scenario: &Scenario) -> Result<Outcome> {
        let end = at(scenario.seconds);
        loop {
            let now = self.clock.now();
            self.think(now)?;
            self.act(now)?;
            self.sense(now)?;
            self.check(now);
            if now >= end || self.is_over(now) {
                break;
            }
            self.clock.sleep_until(self.next(now).min(end));
        }
        let now = self.clock.now();
        // What was expected later than that is expected of the end.
        while let Some(moment) = self.moments.pop_front() {
            self.taken.checks.moment(&moment, &self.desk.glasses().snapshot());
        }
        let snapshot = self.desk.glasses().snapshot();
        let hud = self.desk.glasses().with_display(|display| display.png())?;
        self.desk.cloud().look()?;
        let left = self.desk.cloud().left();
        Ok(Outcome { report: self.taken.report(scenario, now, &snapshot, &left, &hud), hud })
    }

    /// When something is to be done next.
    fn next(&self, now: Timestamp) -> Timestamp {
        let step = self.steps.front().map(|step| at(step.at));
        let moment = self.moments.front().map(|moment| at(moment.at));
        let due = [Some(now + TICK), self.stepper.due(), step, moment].into_iter().flatten().min();
        due.unwrap_or(now).max(now)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let idle = self.desk.glasses().with_display(|display| display.phase()) == Phase::Idle;
        let through = self.steps.is_empty() && self.moments.is_empty() && self.desk.is_silent();
        through && idle && self.stepper.is_idle() && now.since(self.busy_until) >= QUIET
    }

    /// What the engine has to say by now.
    fn think(&mut self, now: Timestamp) -> Result<()> {
        while let Some(done) = self.stepper.take(now)? {
            self.happen(Event::Engine(done), now)?;
            self.stepper.go_on(now)?;
        }
        self.desk.glasses().computed(self.stepper.take_computed());
        Ok(())
    }

    fn act(&mut self, now: Timestamp) -> Result<()> {
        while let Some(step) = self.steps.pop_front_if_due(now) {
            let event = self.desk.apply(&step.input, now)?;
            if let Some((text, spoken)) = self.desk.take_words() {
                self.watcher.asks(&text, spoken);
            }
            self.busy_until = now;
            if let Some(event) = event {
                self.happen(event, now)?;
            }
        }
        Ok(())
    }

    fn sense(&mut self, now: Timestamp) -> Result<()> {
        if now >= self.next_power {
            self.next_power = now + POWER;
            let reading = self.power.read();
            self.happen(Event::Power(reading), now)?;
        }
        self.see(now)?;
        self.hear(now)
    }

    fn see(&mut self, now: Timestamp) -> Result<()> {
        loop {
            let event = match self.camera.next(&mut self.frame, Timestamp::default()) {
                Seen::Frame => {
                    let light = self.desk.glasses().snapshot().light;
                    self.taken.frame(light);
                    Event::Frame(std::mem::take(&mut self.frame))
                }
                Seen::Lost(_) => Event::Camera(Presence::Lost),
                Seen::Reopened(_) => Event::Camera(Presence::Back),
                Seen::Timeout | Seen::End => return Ok(()),
                _ => continue,
            };
            self.happen(event, now)?;
        }
    }

    fn hear(&mut self, now: Timestamp) -> Result<()> {
        loop {
            let event = match self.microphone.next(Timestamp::default()) {
                HeardEvent::Chunk(chunk) => Event::Sound(chunk),
                HeardEvent::Muted => Event::Mute(true),
                HeardEvent::Unmuted => Event::Mute(false),
                HeardEvent::Lost(_) => Event::Microphone(Presence::Lost),
                HeardEvent::Reopened(_) => Event::Microphone(Presence::Back),
                HeardEvent::Timeout | HeardEvent::End => return Ok(()),
                _ => continue,
            };
            self.happen(event, now)?;
        }
    }

    fn check(&mut self, now: Timestamp) {
        while let Some(moment) = self.moments.pop_front_if_due(now) {
            self.taken.checks.moment(&moment, &self.desk.glasses().snapshot());
        }
    }

    fn happen(&mut self, event: Event, now: Timestamp) -> Result<()> {
        if matches!(event, Event::Engine(Done::Piece(..))) {
            self.busy_until = now;
        }
        for action in self.session.on(event, now) {
            match action {
                Action::Do(job) => self.stepper.push(job, now)?,
                Action::Tell(report) => self.tell(report, now),
            }
        }
        Ok(())
    }

    fn tell(&mut self, report: Told, now: Timestamp) {
        self.busy_until = now;
        let taken = &mut self.taken;
        self.watcher.take(report, &mut |happened| taken.happened(happened, now));
    }
}
