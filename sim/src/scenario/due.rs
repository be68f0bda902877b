//! What is done at a time.

use std::collections::VecDeque;
use std::time::Duration;

use lorgnette_device::Timestamp;

use super::{Moment, Step};

/// Something with a time.
pub(super) trait Timed {
    fn at(&self) -> f64;
}

impl Timed for Step {
    fn at(&self) -> f64 {
        self.at
    }
}

impl Timed for Moment {
    fn at(&self) -> f64 {
        self.at
    }
}

pub(super) trait PopDue<T> {
    /// The first, if its time has come by `now`.
    fn pop_front_if_due(&mut self, now: Timestamp) -> Option<T>;
}

impl<T: Timed> PopDue<T> for VecDeque<T> {
    fn pop_front_if_due(&mut self, now: Timestamp) -> Option<T> {
        self.front().filter(|timed| at(timed.at()) <= now)?;
        self.pop_front()
    }
}

/// So many seconds after the beginning.
pub(super) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_start(Duration::from_secs_f64(seconds))
}
