//! An engine in simulated time: what it computes takes as long as a stated machine would take, and happens in one order.
//!
//! The engine works on a thread of its own, and waits after each piece of news until the simulation has come to the
//! moment at which that machine would have had it. Only one of the two runs at a time, so that what was broken off, and
//! where, follows from the scenario alone.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_runtime::live::{Done, Job, Span, Stage, Worker};
use serde::Deserialize;

use crate::{Error, ErrorKind, Result};

/// How long a machine takes for what an engine counts.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Machine {
    /// Positions of a prompt a second.
    pub prefill_per_second: f64,
    /// Tokens of an answer a second.
    pub decode_per_second: f64,
    /// For a pass of the vision tower, in milliseconds.
    pub vision_pass_ms: f64,
    /// For a block of the audio tower, in milliseconds.
    pub audio_block_ms: f64,
}

impl Default for Machine {
    /// A phone.
    fn default() -> Self {
        Self {
            prefill_per_second: 1000.0,
            decode_per_second: 40.0,
            vision_pass_ms: 60.0,
            audio_block_ms: 20.0,
        }
    }
}

impl Machine {
    /// Whether all speeds are positive and no time is negative.
    pub(super) fn check(&self) -> Result<()> {
        let Self { prefill_per_second, decode_per_second, vision_pass_ms, audio_block_ms } = *self;
        for (name, value, least) in [
            ("prefill_per_second", prefill_per_second, 0.001),
            ("decode_per_second", decode_per_second, 0.001),
            ("vision_pass_ms", vision_pass_ms, 0.0),
            ("audio_block_ms", audio_block_ms, 0.0),
        ] {
            if !(least..=1e9).contains(&value) {
                return Err(Error::malformed(format!("machine.{name}"), value, format!("{least} to 1e9")));
            }
        }
        Ok(())
    }

    /// How long the engine was at it before it could tell `done`. What it tells of its prompt when the answer is over
    /// already was done in between.
    fn time_for(&self, done: &Done, answering: bool) -> Duration {
        let seconds = match done {
            Done::Worked(Span { stage, count, .. }) => match stage {
                Stage::See => *count as f64 * self.vision_pass_ms / 1000.0,
                Stage::Hear => *count as f64 * self.audio_block_ms / 1000.0,
                Stage::Prefill if !answering => *count as f64 / self.prefill_per_second,
                _ => 0.0,
            },
            Done::Piece(..) => 1.0 / self.decode_per_second,
            _ => 0.0,
        };
        Duration::from_secs_f64(seconds)
    }
}

enum News {
    Done(Done),
    /// The job is over.
    Free,
}

/// An engine and the jobs that wait for it.
pub(super) struct Stepper {
    machine: Machine,
    queue: VecDeque<Job>,
    jobs: Sender<Job>,
    news: Receiver<News>,
    /// Lets the engine go on after its news.
    go: Sender<()>,
    /// What comes next, and when.
    pending: Option<(Timestamp, News)>,
    /// Whether the engine waits for leave to go on.
    halted: bool,
    /// Whether a piece of the answer was told.
    answering: bool,
    computed: Duration,
}

impl Stepper {
    pub(super) fn new(machine: Machine, mut worker: impl Worker + 'static) -> Result<Self> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (tell, news) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let work = move || {
            for job in todo {
                let mut on = |done| {
                    // A simulation that is gone wants no news, and holds up nobody.
                    if tell.send(News::Done(done)).is_ok() {
                        let _ = may_go.recv();
                    }
                };
                worker.run(job, &mut on);
                if tell.send(News::Free).is_err() {
                    return;
                }
            }
        };
        let spawned = thread::Builder::new().name("engine".to_owned()).spawn(work);
        spawned.map_err(|error| Error::io("engine", "start", &error))?;
        let (queue, computed) = (VecDeque::new(), Duration::ZERO);
        Ok(Self { machine, queue, jobs, news, go, pending: None, halted: false, answering: false, computed })
    }

    /// A job more, which begins at once if there is none other.
    pub(super) fn push(&mut self, job: Job, now: Timestamp) -> Result<()> {
        self.queue.push_back(job);
        self.begin(now)
    }

    /// When there is news.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.pending.as_ref().map(|(due, _)| *due)
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_none() && self.queue.is_empty() && !self.halted
    }

    /// The time that was computed since somebody asked last.
    pub(super) fn take_computed(&mut self) -> Duration {
        std::mem::take(&mut self.computed)
    }

    /// The next news that is due by `now`. It is to be heeded before [`Stepper::go_on`] is called.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<Option<Done>> {
        while let Some((due, news)) = self.pending.take_if(|(due, _)| *due <= now) {
            match news {
                News::Done(done) => {
                    self.halted = true;
                    return Ok(Some(done));
                }
                News::Free => self.begin(due)?,
            }
        }
        Ok(None)
    }

    /// Lets the engine go on after what [`Stepper::take`] gave at `now`.
    pub(super) fn go_on(&mut self, now: Timestamp) -> Result<()> {
        self.halted = false;
        self.go.send(()).map_err(|_| broken())?;
        self.wait(now)
    }

    fn begin(&mut self, now: Timestamp) -> Result<()> {
        if self.pending.is_some() || self.halted {
            return Ok(());
        }
        let Some(job) = self.queue.pop_front() else { return Ok(()) };
        self.answering = false;
        self.jobs.send(job).map_err(|_| broken())?;
        self.wait(now)
    }

    /// Waits, while simulated time stands still, for what the engine has to say.
    fn wait(&mut self, now: Timestamp) -> Result<()> {
        let mut news = self.news.recv().map_err(|_| broken())?;
        let mut due = now;
        if let News::Done(done) = &mut news {
            let takes = self.machine.time_for(done, self.answering);
            self.computed += takes;
            due = now + takes;
            self.answering |= matches!(done, Done::Piece(..));
            if let Done::Worked(span) = done {
                span.end = span.end.max(span.start + takes);
            }
        }
        self.pending = Some((due, news));
        Ok(())
    }
}

fn broken() -> Error {
    Error::new(ErrorKind::Runtime, "engine", "its thread ended")
}
