//! The one clock that all times come from.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A moment: the time since an arbitrary start, the same for all moments of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// The moment `duration` after the start of the clock.
    pub const fn from_start(duration: Duration) -> Self {
        Self(duration)
    }

    /// The time from the start of the clock to this moment.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// The moment `later` than this one, or the last that there is.
    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    /// The moment `earlier` than this one, or the start of the clock.
    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(earlier))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} s", self.0.as_secs_f64())
    }
}

/// Tells the time, which never runs backwards.
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Timestamp;

    /// Returns when `moment` has come, at once if it has passed.
    fn sleep_until(&self, moment: Timestamp);
}

/// `CLOCK_MONOTONIC`, which V4L2 and ALSA stamp frames and sound with.
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock;

impl Clock for MonotonicClock {
    fn now(&self) -> Timestamp {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Timestamp(Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32))
    }

    fn sleep_until(&self, moment: Timestamp) {
        std::thread::sleep(moment.since(self.now()));
    }
}

/// A clock for simulations: it stands still until it is advanced, and who sleeps advances it.
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = *now + duration;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the time until `moment` pass.
    fn sleep_until(&self, moment: Timestamp) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = moment.max(*now);
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, ManualClock, MonotonicClock, Timestamp};
    use std::time::Duration;

    #[test]
    fn a_manual_clock_moves_when_it_is_advanced_and_when_somebody_sleeps() {
        let start = Timestamp::from_start(Duration::from_secs(5));
        let clock = ManualClock::new(start);
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_secs(1));
        clock.sleep_until(clock.now() + Duration::from_secs(2));
        assert_eq!(clock.now().since(start), Duration::from_secs(3));
        clock.sleep_until(start);
        assert_eq!(clock.now().since(start), Duration::from_secs(3), "it never runs backwards");
    }

    #[test]
    fn the_monotonic_clock_has_passed_the_moment_that_was_slept_until() {
        let clock = MonotonicClock;
        let moment = clock.now() + Duration::from_millis(5);
        clock.sleep_until(moment);
        assert!(clock.now() >= moment);
        clock.sleep_until(Timestamp::default());
    }

    #[test]
    fn moments_do_not_overflow() {
        let last = Timestamp::from_start(Duration::MAX);
        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(Timestamp::default() - Duration::from_secs(1), Timestamp::default());
        assert_eq!(Timestamp::default().since(last), Duration::ZERO);
    }
}
