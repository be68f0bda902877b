//! Who does what the loop orders.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::engine::Engine;
use super::job::{Done, Job};
use crate::backend::Backend;
use crate::model::chat_template::Message;
use crate::{Error, ErrorKind};

/// Works off jobs.
pub trait Worker: Send {
    /// Does `job`; what fails is told.
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done));

    /// Turns that are over, for another worker to go on from.
    fn history(&self) -> &[Message] {
        &[]
    }

    /// Goes on from turns of another worker; what fails is told.
    fn resume(&mut self, history: Vec<Message>, on: &mut dyn FnMut(Done)) {
        let _ = (history, on);
    }
}

impl<B: Backend> Worker for Engine<B> {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        Self::run(self, job, on);
    }

    fn history(&self) -> &[Message] {
        Self::history(self)
    }

    fn resume(&mut self, history: Vec<Message>, on: &mut dyn FnMut(Done)) {
        Self::resume(self, history, on);
    }
}

/// Does `job`. A panic is a failure like others.
pub(super) fn attempt(worker: &mut (impl Worker + ?Sized), job: Job, on: &mut dyn FnMut(Done)) {
    let (id, samples) = (job.answer(), job.samples());
    // Before each job an engine brings what it remembers to what it is asked about.
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| worker.run(job, on))) else { return };
    let said = payload.downcast_ref::<&str>().map(|said| (*said).to_owned());
    let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
    on(Done::Failed(id, broken(said.unwrap_or_else(|| "a panic".to_owned()))));
    if samples > 0 {
        on(Done::Heard(samples));
    }
}

pub(super) fn broken(said: String) -> Error {
    Error::new(ErrorKind::Broken, "engine", said)
}
