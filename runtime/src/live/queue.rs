//! Jobs that wait for the engine.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use lorgnette_device::Timestamp;

use super::job::Job;

/// A queue between the loop, which never waits, and the engine. Sound that waits is put together, so that there are no
/// more jobs than turns have events.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(Timestamp, Job)>,
    closed: bool,
}

impl Queue {
    /// Adds a job at `now`.
    pub(super) fn push(&self, job: Job, now: Timestamp) {
        let mut state = self.lock();
        match (state.jobs.back_mut(), job) {
            (Some((_, Job::Hear(waiting))), Job::Hear(samples)) => waiting.extend(samples),
            (_, job) => state.jobs.push_back((now, job)),
        }
        self.changed.notify_one();
    }

    /// Waits for the next job and since when it waited; `None` once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<(Timestamp, Job)> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// There are no more jobs.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
