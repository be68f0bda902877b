//! The switch that keeps sound inside this crate.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Event;
use crate::Timestamp;
use crate::clock::Clock;

/// The moment that never comes: from when a muted microphone may be heard.
const NEVER: u64 = u64::MAX;

/// Mutes one microphone; clones are the same switch.
#[derive(Clone)]
pub struct Mute(Arc<Switch>);

struct Switch {
    /// In nanoseconds. What was recorded before is not heard by anyone.
    audible_from: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl Mute {
    /// A switch that lets everything through, for a microphone that goes by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Switch { audible_from: AtomicU64::new(0), clock }))
    }

    /// Mutes: no chunk is given by a call of [`Microphone::next`](super::Microphone::next) that begins after this has
    /// returned.
    pub fn mute(&self) {
        self.0.audible_from.store(NEVER, Ordering::SeqCst);
    }

    /// Lets through what is recorded from this moment on.
    pub fn unmute(&self) {
        let now = nanos(self.0.clock.now());
        // An unmuted microphone stays as it is.
        let _ = self.0.audible_from.compare_exchange(NEVER, now, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Whether it is muted.
    pub fn is_muted(&self) -> bool {
        self.0.audible_from.load(Ordering::SeqCst) == NEVER
    }

    /// From when on what is recorded may be heard; `None` while it is muted.
    pub(super) fn audible_from(&self) -> Option<Timestamp> {
        let nanos = self.0.audible_from.load(Ordering::SeqCst);
        (nanos != NEVER).then(|| Timestamp::from_start(Duration::from_nanos(nanos)))
    }
}

impl fmt::Debug for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mute").field(&self.is_muted()).finish()
    }
}

fn nanos(moment: Timestamp) -> u64 {
    u64::try_from(moment.since_start().as_nanos()).map_or(NEVER - 1, |nanos| nanos.min(NEVER - 1))
}

/// Tells what the switch did, each change once.
pub(super) struct Watch {
    switch: Mute,
    /// What was last told.
    told: Option<Timestamp>,
}

impl Watch {
    pub(super) fn new(switch: Mute) -> Self {
        Self { told: switch.audible_from(), switch }
    }

    pub(super) fn switch(&self) -> &Mute {
        &self.switch
    }

    /// The next change to tell. Muting and unmuting between two calls are two changes.
    pub(super) fn change(&mut self) -> Option<Event> {
        let now = self.switch.audible_from();
        if now == self.told {
            return None;
        }
        if self.told.is_some() {
            self.told = None;
            return Some(Event::Muted);
        }
        self.told = now;
        Some(Event::Unmuted)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Mute, Watch};
    use crate::Timestamp;
    use crate::clock::{Clock, ManualClock};
    use crate::microphone::Event;

    #[test]
    fn after_unmuting_only_what_is_recorded_from_then_on_may_be_heard() {
        let clock = Arc::new(ManualClock::default());
        let mute = Mute::new(clock.clone());
        assert_eq!(mute.audible_from(), Some(Timestamp::default()));
        mute.mute();
        assert!(mute.is_muted());
        assert_eq!(mute.audible_from(), None);
        clock.advance(Duration::from_secs(3));
        mute.unmute();
        assert_eq!(mute.audible_from(), Some(clock.now()));
    }

    #[test]
    fn unmuting_what_is_not_muted_changes_nothing() {
        let clock = Arc::new(ManualClock::default());
        let mute = Mute::new(clock.clone());
        clock.advance(Duration::from_secs(1));
        mute.unmute();
        assert_eq!(mute.audible_from(), Some(Timestamp::default()));
    }

    #[test]
    fn each_change_is_told_once_and_a_short_one_too() {
        let clock = Arc::new(ManualClock::default());
        let mute = Mute::new(clock.clone());
        let mut watch = Watch::new(mute.clone());
        clock.advance(Duration::from_secs(1));
        assert!(watch.change().is_none());
        mute.mute();
        mute.unmute();
        assert!(matches!(watch.change(), Some(Event::Muted)));
        assert!(matches!(watch.change(), Some(Event::Unmuted)));
        assert!(watch.change().is_none());
    }
}
