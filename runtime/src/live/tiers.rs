//! A model and a smaller one, for when the machine does not keep up.

use super::effort::Effort;
use super::engine::Engine;
use super::job::{Cancel, Done, Job};
use super::worker::Worker;
use crate::backend::Backend;
use crate::model::chat_template::Message;

/// Two workers, of which one answers: the second where [`Effort::SmallModel`] was asked for. Each turn is one worker's;
/// who takes over goes on from the turns of the other.
pub struct Tiers<W: Worker, B: Backend> {
    full: W,
    small: Engine<B>,
    is_small: bool,
    effort: Effort,
}

impl<W: Worker, B: Backend> Tiers<W, B> {
    /// `small` answers where there is no time for `full`. It has to see and hear what that does. `cancel` is the switch of
    /// `full`, and breaks off the answers of both.
    pub fn new(full: W, mut small: Engine<B>, cancel: Cancel) -> Self {
        small.share_cancel(cancel);
        Self { full, small, is_small: false, effort: Effort::Full }
    }

    fn change(&mut self, on: &mut dyn FnMut(Done)) {
        let history = self.history().to_vec();
        self.is_small = !self.is_small;
        self.now().resume(history, on);
    }

    fn now(&mut self) -> &mut dyn Worker {
        if self.is_small { &mut self.small } else { &mut self.full }
    }
}

impl<W: Worker, B: Backend> Worker for Tiers<W, B> {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        if let Job::Effort(effort) = &job {
            self.effort = *effort;
        }
        if matches!(job, Job::Begin(_)) && self.is_small != (self.effort == Effort::SmallModel) {
            self.change(on);
        }
        self.now().run(job, on);
    }

    fn history(&self) -> &[Message] {
        if self.is_small { Worker::history(&self.small) } else { self.full.history() }
    }

    fn resume(&mut self, history: Vec<Message>, on: &mut dyn FnMut(Done)) {
        self.now().resume(history, on);
    }
}
