//! A machine in simulated time: a job takes as long as it costs, and what comes meanwhile waits.

use std::collections::VecDeque;

use lorgnette_runtime::conversation::{Answer, Finish};
use lorgnette_runtime::live::{Action, Answered, Cancel, Done, Effort, Event, Job, Report, Session};
use lorgnette_runtime::mode::Mode;

use crate::script::{Script, at, session};

/// What jobs cost, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    /// A second of sound.
    pub(crate) sound: u64,
    /// A piece of sound, however short.
    pub(crate) piece: u64,
    /// A picture of a million pixels.
    pub(crate) picture: u64,
    /// All that, in percent, with the small model.
    pub(crate) small: u64,
}

/// What became of a script.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) reports: Vec<Report>,
    /// The pieces of sound in each turn.
    pub(crate) pieces: Vec<usize>,
    /// The longest side of each picture.
    pub(crate) sides: Vec<usize>,
    /// Milliseconds of sound that waited when the last of each question came, beside a large piece that was worked on, and
    /// whether that was told of.
    pub(crate) ends: Vec<(u64, bool)>,
}

struct Work {
    machine: Machine,
    session: Session,
    waiting: VecDeque<Job>,
    /// What is worked on, and until when.
    current: Option<(Job, u64)>,
    is_small: bool,
    told: bool,
    backlog: u64,
    /// Milliseconds of a large piece, where pieces are large.
    piece: u64,
    played: Played,
}

impl Machine {
    pub(crate) fn play(self, script: Script, has_small_model: bool) -> Played {
        let session = session(Cancel::default());
        let session = if has_small_model { session.with_small_model() } else { session };
        let (waiting, played) = (VecDeque::new(), Played::default());
        let mut work = Work {
            machine: self,
            session,
            waiting,
            current: None,
            is_small: false,
            told: false,
            backlog: 0,
            piece: 0,
            played,
        };
        for (time, event) in script.events {
            let now = time.since_start().as_millis() as u64;
            work.until(now);
            work.on(event, now);
        }
        work.until(u64::MAX);
        work.played
    }

    fn cost(self, job: &Job, is_small: bool) -> u64 {
        let full = match job {
            Job::Hear(samples) => self.piece + samples.len() as u64 * self.sound / 16_000,
            Job::Begin(Some(image)) => {
                self.picture * (image.picture().width() * image.picture().height()) as u64 / 1_000_000
            }
            _ => 0,
        };
        if is_small { full * self.small / 100 } else { full }
    }
}

impl Work {
    /// Works until `now`.
    fn until(&mut self, now: u64) {
        while let Some((job, end)) = self.current.take_if(|(_, end)| *end <= now) {
            match job {
                Job::Hear(samples) => self.on(Event::Engine(Done::Heard(samples.len())), end),
                Job::Answer(id, mode) => self.on(Event::Engine(Done::Answered(id, answered(mode))), end),
                _ => {}
            }
            self.start(end);
        }
    }

    fn on(&mut self, event: Event, now: u64) {
        for action in self.session.on(event, at(now)) {
            match action {
                Action::Do(job) => self.order(job),
                Action::Tell(report) => self.tell(report),
            }
        }
        self.start(now);
    }

    fn order(&mut self, job: Job) {
        match &job {
            Job::Hear(samples) => {
                *self.played.pieces.last_mut().unwrap() += 1;
                self.backlog = self.sound_that_waits() / 16;
                if let Some(Job::Hear(waiting)) = self.waiting.back_mut() {
                    return waiting.extend(samples);
                }
            }
            Job::Begin(image) => {
                self.told = false;
                self.played.pieces.push(0);
                let side = image.as_ref().map(|image| image.picture().width().max(image.picture().height()));
                self.played.sides.extend(side);
            }
            Job::Effort(effort) => self.piece = if *effort >= Effort::LargeBlocks { 640 } else { 0 },
            Job::Answer(..) => {
                self.played.ends.push((self.backlog.saturating_sub(self.piece), self.told));
            }
            _ => {}
        }
        self.waiting.push_back(job);
    }

    fn sound_that_waits(&self) -> u64 {
        let jobs = self.waiting.iter().chain(self.current.as_ref().map(|(job, _)| job));
        jobs.map(|job| if let Job::Hear(samples) = job { samples.len() as u64 } else { 0 }).sum()
    }

    fn tell(&mut self, report: Report) {
        self.told |= matches!(report, Report::Behind { .. });
        self.played.reports.push(report);
    }

    fn start(&mut self, now: u64) {
        if self.current.is_some() {
            return;
        }
        if let Some(job) = self.waiting.pop_front() {
            if let Job::Effort(effort) = &job {
                self.is_small = *effort == Effort::SmallModel;
            }
            let end = now + self.machine.cost(&job, self.is_small);
            self.current = Some((job, end));
        }
    }
}

pub(crate) fn answered(mode: Option<Mode>) -> Answered {
    let answer = Answer {
        text: "yes".to_owned(),
        finish: Finish::End,
        prompt_tokens: 1,
        prefilled_tokens: 1,
        prefilled_image_tokens: 0,
        prefilled_audio_tokens: 0,
        vision_passes: 0,
        audio_passes: 0,
        tokens: vec![0],
        forgotten_messages: 0,
        forgotten_tokens: 0,
    };
    Answered { mode: mode.unwrap(), answer, reasoning: String::new() }
}
