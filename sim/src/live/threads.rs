//! The threads of a simulator, and the time that they go by.

use std::thread::JoinHandle;

use lorgnette_device::Timestamp;
use lorgnette_device::clock::{Clock, MonotonicClock};

use crate::{Error, Result};

/// Real time, since it was made.
pub struct Stopwatch(Timestamp);

impl Default for Stopwatch {
    fn default() -> Self {
        Self(MonotonicClock.now())
    }
}

impl Clock for Stopwatch {
    fn now(&self) -> Timestamp {
        Timestamp::from_start(MonotonicClock.now().since(self.0))
    }

    fn sleep_until(&self, moment: Timestamp) {
        MonotonicClock.sleep_until(self.0 + moment.since_start());
    }
}

/// The threads of a simulator.
pub struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    pub(super) fn new(threads: Vec<JoinHandle<()>>) -> Self {
        Self(threads)
    }

    /// Waits until all have ended, which they do after [`Simulator::stop`](super::Simulator::stop).
    pub fn join(self) {
        for thread in self.0 {
            // What it broke down with was said on its way.
            drop(thread.join());
        }
    }
}

/// A thread of that name.
pub(super) fn named(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|error| Error::io(name, "start a thread", &error))
}
