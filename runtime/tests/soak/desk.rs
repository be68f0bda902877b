//! A talk whose engine takes simulated time: what it says comes late, and what it is asked meanwhile waits.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lorgnette_device::Timestamp;
use lorgnette_runtime::live::{Action, Done, Event, Job, Session, Worker};
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::{Error, ErrorKind};

use crate::faulty::Faulty;
use crate::scenes::{Dice, Scene};
use crate::script::session;
use crate::story::Story;

/// Jobs that may wait. Sound that waits is put together, so that a turn has six at most, and turns that nobody wants
/// take no time.
const WAITING: usize = 64;

pub(crate) struct Desk {
    session: Session,
    engine: Faulty,
    waiting: VecDeque<Job>,
    /// What the job that is worked on says, and when.
    said: VecDeque<(u64, Done)>,
    /// When the engine is through with it.
    free: u64,
    slowness: u64,
    /// What the clock shows.
    stamp: Timestamp,
    pub(crate) story: Story,
}

impl Desk {
    pub(crate) fn new(dice: Dice) -> Self {
        let engine = Faulty::new(dice);
        Self {
            session: session(engine.cancel()),
            engine,
            waiting: VecDeque::new(),
            said: VecDeque::new(),
            free: 0,
            slowness: 1,
            stamp: Timestamp::default(),
            story: Story::default(),
        }
    }

    pub(crate) fn mode(&mut self, mode: Option<Mode>) {
        self.session.set_mode(mode);
    }

    /// From now on nothing breaks.
    pub(crate) fn recover(&mut self) {
        self.engine.recover();
    }

    pub(crate) fn play(&mut self, scene: Scene) {
        self.slowness = scene.slowness;
        for (now, stamp, event) in scene.events {
            self.work_until(now);
            self.stamp = stamp;
            self.hear(event, now);
        }
        self.work_until(scene.end);
    }

    /// Works until `now`.
    fn work_until(&mut self, now: u64) {
        loop {
            let is_said = self.said.front().is_some_and(|(time, _)| *time <= now);
            if is_said && let Some((time, done)) = self.said.pop_front() {
                self.hear(Event::Engine(done), time);
            } else if self.said.is_empty() && self.free <= now && !self.waiting.is_empty() {
                self.begin();
            } else {
                return;
            }
        }
    }

    /// Does the next job, and says what comes of it bit by bit.
    fn begin(&mut self) {
        let Some(job) = self.waiting.pop_front() else { return };
        let took = self.slowness * cost(&job);
        let said = attempt(&mut self.engine, job);
        let parts = said.len().max(1) as u64;
        let start = self.free;
        self.free += took;
        self.said =
            said.into_iter().zip(1..).map(|(done, part)| (start + took * part / parts, done)).collect();
    }

    fn hear(&mut self, event: Event, now: u64) {
        for action in self.session.on(event, self.stamp) {
            match action {
                Action::Tell(report) => self.story.hear(&report),
                Action::Do(job) => self.order(job, now),
            }
        }
    }

    fn order(&mut self, job: Job, now: u64) {
        if self.waiting.is_empty() && self.said.is_empty() {
            self.free = self.free.max(now);
        }
        match (self.waiting.back_mut(), job) {
            (Some(Job::Hear(waiting)), Job::Hear(samples)) => waiting.extend(samples),
            (_, job) => self.waiting.push_back(job),
        }
        assert!(self.waiting.len() < WAITING, "{} jobs wait", self.waiting.len());
    }
}

/// Milliseconds: sound takes a third of its length.
fn cost(job: &Job) -> u64 {
    match job {
        Job::Hear(samples) => samples.len() as u64 / 48,
        Job::Begin(Some(_)) => 80,
        Job::Answer(..) => 120,
        _ => 0,
    }
}

/// What comes of `job`, as the thread of a talk tells it.
fn attempt(engine: &mut Faulty, job: Job) -> Vec<Done> {
    let id = if let Job::Answer(id, _) = &job { Some(*id) } else { None };
    let samples = if let Job::Hear(samples) = &job { samples.len() } else { 0 };
    let mut said = Vec::new();
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| engine.run(job, &mut |done| said.push(done)))) {
        let detail = payload.downcast_ref::<&str>().copied().unwrap_or("a panic that nobody made");
        said.push(Done::Failed(id, Error::new(ErrorKind::Broken, "engine", detail.to_owned())));
        said.extend((samples > 0).then_some(Done::Heard(samples)));
    }
    said
}
