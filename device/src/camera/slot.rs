//! The newest frame, between the thread that captures and the one that looks.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Event, Frame};
use crate::Timestamp;
use crate::clock::Clock;

/// Events that are kept for somebody who does not ask.
const EVENTS: usize = 16;

/// Holds one frame: a newer one takes its place. Frames are swapped, never copied, so that neither side waits for
/// longer than that takes.
#[derive(Debug)]
pub(super) struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    latest: Frame,
    is_new: bool,
    events: VecDeque<Event>,
    /// The number behind that of the last frame taken.
    unseen: u64,
    closed: bool,
}

impl Slot {
    pub(super) fn new() -> Self {
        let (latest, events) = (Frame::default(), VecDeque::with_capacity(EVENTS));
        let state = State { latest, is_new: false, events, unseen: 0, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Makes `frame` the newest; what comes back in it is for reuse.
    pub(super) fn put(&self, frame: &mut Frame) {
        let mut state = self.lock();
        std::mem::swap(&mut state.latest, frame);
        state.is_new = true;
        drop(state);
        self.changed.notify_all();
    }

    /// Leaves word. Of too many words the oldest are forgotten, those of damaged pictures first; what a lost camera saw
    /// last is stale.
    pub(super) fn say(&self, event: Event) {
        let mut state = self.lock();
        state.is_new &= !matches!(event, Event::Lost(_));
        if state.events.len() == EVENTS {
            let damaged = state.events.iter().position(|it| matches!(it, Event::Damaged(_)));
            state.events.remove(damaged.unwrap_or(0));
        }
        state.events.push_back(event);
        drop(state);
        self.changed.notify_all();
    }

    /// Takes the oldest word, or the newest frame, or waits for either.
    pub(super) fn take(&self, frame: &mut Frame, deadline: Timestamp, clock: &dyn Clock) -> Event {
        let mut state = self.lock();
        loop {
            if let Some(event) = state.events.pop_front() {
                return event;
            }
            if state.is_new {
                state.is_new = false;
                std::mem::swap(&mut state.latest, frame);
                frame.dropped = frame.sequence().saturating_sub(state.unseen);
                state.unseen = frame.sequence() + 1;
                return Event::Frame;
            }
            let left = deadline.since(clock.now());
            if left.is_zero() {
                return Event::Timeout;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the other side.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits, but not once it is closed.
    pub(super) fn pause(&self, duration: Duration) {
        let open = |state: &mut State| !state.closed;
        drop(self.changed.wait_timeout_while(self.lock(), duration, open));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{EVENTS, Slot};
    use crate::camera::{Event, Frame};
    use crate::clock::ManualClock;
    use crate::{Error, ErrorKind, Timestamp};

    #[test]
    fn damaged_pictures_do_not_push_out_that_a_camera_is_lost() {
        let slot = Slot::new();
        let error = |detail: usize| Error::new(ErrorKind::Malformed, detail.to_string());
        slot.say(Event::Damaged(error(0)));
        slot.say(Event::Lost(error(1)));
        (2..100).for_each(|i| slot.say(Event::Damaged(error(i))));
        let next = || slot.take(&mut Frame::default(), Timestamp::default(), &ManualClock::default());
        assert!(matches!(next(), Event::Lost(_)));
        let rest: Vec<String> = (1..EVENTS)
            .filter_map(|_| if let Event::Damaged(error) = next() { Some(error.to_string()) } else { None })
            .collect();
        assert_eq!((rest.len(), rest.last().map(String::as_str)), (EVENTS - 1, Some("99")));
        assert!(matches!(next(), Event::Timeout));
    }
}
