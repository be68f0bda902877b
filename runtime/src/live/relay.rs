//! An engine with another in reserve, for a device that is lost during a turn.

use super::engine::Engine;
use super::job::{Cancel, Done, Job};
use super::worker::Worker;
use crate::backend::Backend;
use crate::conversation::Shown;
use crate::model::chat_template::Message;
use crate::{ErrorKind, Result};

/// Makes the engine in reserve, whose conversation begins with the messages.
pub type Reserve<B> = Box<dyn FnMut(Vec<Message>) -> Result<Engine<B>> + Send>;

/// An engine that is replaced by another when its device fails: the other does the jobs of the turn again, and all later
/// ones.
pub struct Relay<A: Backend, B: Backend> {
    first: Option<Engine<A>>,
    second: Option<Engine<B>>,
    reserve: Reserve<B>,
    cancel: Cancel,
    /// Jobs since the turn began.
    turn: Vec<Job>,
    shown: Shown,
}

impl<A: Backend, B: Backend> Relay<A, B> {
    /// `reserve` is called when the device of `first` fails, and again if it fails itself.
    pub fn new(first: Engine<A>, reserve: Reserve<B>) -> Self {
        let cancel = first.cancel();
        Self { first: Some(first), second: None, reserve, cancel, turn: Vec::new(), shown: Shown::default() }
    }

    /// Does `job` with the first engine. Whether its device failed.
    fn try_first(&mut self, job: Job, on: &mut dyn FnMut(Done)) -> bool {
        let Some(first) = &mut self.first else { return false };
        let (shown, mut failed) = (&mut self.shown, false);
        shown.again();
        first.run(job, &mut |done| match done {
            Done::Failed(_, error) if error.kind() == ErrorKind::Device => failed = true,
            Done::Piece(id, text) => {
                shown.news(&text);
                on(Done::Piece(id, text));
            }
            done => on(done),
        });
        failed
    }

    /// Does the jobs of the turn again, of which only the last is news.
    fn take_over(&mut self, on: &mut dyn FnMut(Done)) -> Result<()> {
        let history = self.first.as_ref().map_or(Vec::new(), |first| first.history().to_vec());
        let mut second = (self.reserve)(history)?;
        second.share_cancel(self.cancel.clone());
        self.first = None;
        let last = self.turn.last().cloned();
        for job in self.turn.iter().take(self.turn.len().saturating_sub(1)).cloned() {
            // Earlier attempts at an answer were told, or are not wanted any more.
            if job.answer().is_none() {
                second.run(job, &mut |_| {});
            }
        }
        let shown = &mut self.shown;
        shown.again();
        let mut tell = |done| match done {
            Done::Piece(id, text) => match shown.news(&text) {
                "" => {}
                news => on(Done::Piece(id, news.to_owned())),
            },
            // The first one said so already.
            Done::Heard(_) => {}
            done => on(done),
        };
        if let Some(job) = last {
            second.run(job, &mut tell);
        }
        self.second = Some(second);
        Ok(())
    }
}

impl<A: Backend, B: Backend> Worker for Relay<A, B> {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        if let Some(second) = &mut self.second {
            return second.run(job, on);
        }
        if matches!(job, Job::Begin(_)) {
            self.turn.clear();
        }
        self.turn.push(job.clone());
        self.shown = Shown::default();
        let id = job.answer();
        if self.try_first(job, on)
            && let Err(error) = self.take_over(on)
        {
            on(Done::Failed(id, error));
        }
    }

    fn history(&self) -> &[Message] {
        match (&self.first, &self.second) {
            (_, Some(second)) => second.history(),
            (Some(first), None) => first.history(),
            (None, None) => &[],
        }
    }

    fn resume(&mut self, history: Vec<Message>, on: &mut dyn FnMut(Done)) {
        self.turn.clear();
        match (&mut self.first, &mut self.second) {
            (_, Some(second)) => second.resume(history, on),
            (Some(first), None) => first.resume(history, on),
            (None, None) => {}
        }
    }
}
