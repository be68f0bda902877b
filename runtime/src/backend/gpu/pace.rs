//! How much is submitted at once: what takes no longer than a slice of time, so that others who want the device, and
//! those who break an answer off, need not wait long.

use std::time::{Duration, Instant};

/// What an adapter is believed to do in a second until it was seen at work.
const FIRST_RATE: f64 = 1e11;
const FIRST_RATE_OF_SOFTWARE: f64 = 2e9;

/// A slice on an adapter that shows pictures as well, and on one that is a program, whose threads take turns anyway.
const SLICE: Duration = Duration::from_millis(8);
const SLICE_OF_SOFTWARE: Duration = Duration::from_millis(250);

/// How many multiplications a slice has room for.
pub(super) struct Pace {
    pub(super) slice: Duration,
    /// Multiplications a second.
    rate: f64,
    /// When the device began with what is counted next.
    since: Option<Instant>,
    /// What it has done since then.
    done: u64,
}

impl Pace {
    pub(super) fn new(software: bool) -> Self {
        let (slice, rate) =
            if software { (SLICE_OF_SOFTWARE, FIRST_RATE_OF_SOFTWARE) } else { (SLICE, FIRST_RATE) };
        Self { slice, rate, since: None, done: 0 }
    }

    /// Multiplications that fit into a slice.
    pub(super) fn room(&self) -> u64 {
        (self.slice.as_secs_f64() * self.rate).max(1.0) as u64
    }

    /// Whether there is no room for `more` in a slice that has so many.
    pub(super) fn is_over(&self, multiplications: u64, more: u64) -> bool {
        multiplications > 0 && multiplications + more > self.room()
    }

    /// A slice was submitted.
    pub(super) fn submitted(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// So many multiplications are done, and others are left or not. Short work says more of how long a submission takes
    /// than of the rate, so that it is put together while the device goes on.
    pub(super) fn waited(&mut self, done: u64, are_left: bool) {
        let Some(since) = self.since else { return };
        self.done += done;
        let took = since.elapsed();
        if self.is_long(took) || !are_left {
            self.learn(self.done, took);
            self.done = 0;
            self.since = are_left.then(Instant::now);
        }
    }

    fn is_long(&self, took: Duration) -> bool {
        took >= self.slice / 4
    }

    fn learn(&mut self, done: u64, took: Duration) {
        if self.is_long(took) && done > 0 {
            self.rate = (self.rate + done as f64 / took.as_secs_f64()) / 2.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_filled_and_no_more() {
        let pace = Pace::new(false);
        let room = pace.room();
        assert!(!pace.is_over(room / 2, room - room / 2));
        assert!(pace.is_over(room / 2, room - room / 2 + 1));
    }

    #[test]
    fn what_alone_is_too_much_is_not_held_back() {
        let pace = Pace::new(true);
        assert!(!pace.is_over(0, 10 * pace.room()));
    }

    #[test]
    fn short_work_is_put_together_while_the_device_goes_on() {
        let mut pace = Pace { slice: Duration::from_secs(3600), ..Pace::new(false) };
        pace.submitted();
        pace.waited(5, true);
        pace.waited(7, true);
        assert_eq!((pace.done, pace.since.is_some()), (12, true));
        pace.waited(1, false);
        assert_eq!((pace.done, pace.since.is_some()), (0, false));
    }

    #[test]
    fn a_slow_adapter_is_given_less() {
        let mut pace = Pace::new(false);
        let room = pace.room();
        pace.learn(room, 100 * pace.slice);
        assert!(pace.room() < room * 6 / 10 && pace.room() > room * 4 / 10);
        let room = pace.room();
        pace.learn(room * 100, pace.slice / 8);
        assert_eq!(pace.room(), room);
    }
}
