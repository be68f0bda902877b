//! How much is submitted at once: what takes no longer than a slice of time, so that others who want the device, and
//! those who break an answer off, need not wait long.

use std::time::{Duration, Instant};

/// What an adapter is believed to do in a second until it was seen at work.
const FIRST_RATE: f64 = 1e11;
const FIRST_RATE_OF_SOFTWARE: f64 = 2e9;

/// A slice on an adapter that shows pictures as well, and on one that is a program, whose threads take turns anyway.
const SLICE: Duration = Duration::from_millis(8);
const SLICE_OF_SOFTWARE: Duration = Duration::from_millis(250);

/// Counts multiplications that were recorded and submitted.
pub(super) struct Pace {
    pub(super) slice: Duration,
    /// Multiplications a second.
    rate: f64,
    recorded: u64,
    submitted: u64,
    /// When the first of those was submitted that nobody waited for yet.
    since: Option<Instant>,
}

impl Pace {
    pub(super) fn new(software: bool) -> Self {
        let (slice, rate) =
            if software { (SLICE_OF_SOFTWARE, FIRST_RATE_OF_SOFTWARE) } else { (SLICE, FIRST_RATE) };
        Self { slice, rate, recorded: 0, submitted: 0, since: None }
    }

    /// Multiplications that fit into a slice.
    pub(super) fn room(&self) -> u64 {
        (self.slice.as_secs_f64() * self.rate).max(1.0) as u64
    }

    /// Counts `more`, and says whether what was recorded before is to be submitted first.
    pub(super) fn record(&mut self, more: u64) -> bool {
        let full = self.recorded > 0 && self.recorded + more > self.room();
        self.recorded += more;
        full
    }

    /// All but the `kept` last ones were submitted.
    pub(super) fn submitted(&mut self, kept: u64) {
        self.submitted += self.recorded - kept;
        self.recorded = kept;
        self.since.get_or_insert_with(Instant::now);
    }

    /// All that was submitted is done. Short work says more of how long a submission takes than of the rate.
    pub(super) fn waited(&mut self) {
        if let Some(since) = self.since.take() {
            self.learn(self.submitted, since.elapsed());
        }
        self.submitted = 0;
    }

    fn learn(&mut self, done: u64, took: Duration) {
        if took >= self.slice / 4 && done > 0 {
            self.rate = (self.rate + done as f64 / took.as_secs_f64()) / 2.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_filled_and_no_more() {
        let mut pace = Pace::new(false);
        let room = pace.room();
        assert!(!pace.record(room / 2) && !pace.record(room / 2 - 1));
        assert!(pace.record(2));
        pace.submitted(2);
        assert!(!pace.record(room - 2) && pace.record(1));
    }

    #[test]
    fn what_alone_is_too_much_is_not_held_back() {
        let mut pace = Pace::new(true);
        assert!(!pace.record(10 * pace.room()));
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
