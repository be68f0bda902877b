//! Recordings as cameras.

use std::sync::Arc;

use super::Recording;
use crate::Timestamp;
use crate::camera::{Camera, Event, Frame};
use crate::clock::Clock;

/// How fast a recording is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// By the clock: who comes late gets the newest picture and has dropped the others.
    #[default]
    Real,
    /// A picture each time somebody asks, none of them dropped; the times of capture are those of [`Pace::Real`].
    OnDemand,
}

/// Pictures that are skipped in one call even past its deadline, so that who only polls catches up, too.
const SKIPS: u64 = 1000;

/// Plays a [`Recording`]. It starts when it is first asked for a picture.
///
/// What it gives depends on the recording and on the clock alone.
pub struct Player<R> {
    recording: R,
    clock: Arc<dyn Clock>,
    pace: Pace,
    repeats: bool,
    start: Option<Timestamp>,
    /// The number of the picture that the recording gives next.
    at: u64,
    /// The number of the picture behind the last one given out.
    unseen: u64,
    ended: bool,
    spare: Frame,
}

impl<R: Recording> Player<R> {
    /// Plays `recording` once, at the pace of `clock`.
    pub fn new(recording: R, clock: Arc<dyn Clock>) -> Self {
        Self {
            recording,
            clock,
            pace: Pace::default(),
            repeats: false,
            start: None,
            at: 0,
            unseen: 0,
            ended: false,
            spare: Frame::default(),
        }
    }

    /// The same at another pace.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// The same, starting again after its end, for ever. Numbers and times go on.
    #[must_use]
    pub fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// The number of the newest picture that there is, once there is one that nobody had; `None` when `deadline`
    /// comes first.
    fn await_newest(&mut self, deadline: Timestamp) -> Option<u64> {
        let start = *self.start.get_or_insert_with(|| self.clock.now());
        if self.pace == Pace::OnDemand {
            return Some(self.at);
        }
        let rate = self.recording.rate();
        loop {
            let now = self.clock.now();
            let newest = rate.index_at(now.since(start));
            if newest >= self.at {
                return Some(newest);
            }
            if now >= deadline {
                return None;
            }
            self.clock.sleep_until(deadline.min(start + rate.time_of(self.at)));
        }
    }

    /// Reads the picture with this number into the spare frame. When the deadline comes first, the next call goes on
    /// from there.
    fn read(&mut self, index: u64, deadline: Timestamp) -> Event {
        let first = self.at;
        while self.at < index {
            if self.at - first >= SKIPS && self.clock.now() >= deadline {
                return Event::Timeout;
            }
            match self.step(|recording| recording.skip()) {
                // Nobody asked for the ones in between.
                Ok(true) | Err(_) => {}
                Ok(false) => return self.end(),
            }
        }
        let start = self.start.unwrap_or_default();
        let captured = start + self.recording.rate().time_of(index);
        let mut spare = std::mem::take(&mut self.spare);
        let read = self.step(|recording| recording.read(captured, index, &mut spare));
        self.spare = spare;
        match read {
            Ok(true) => Event::Frame,
            Ok(false) => self.end(),
            Err(error) => Event::Damaged(error),
        }
    }

    /// One picture further, from the first again where there is no other and the recording repeats.
    fn step(&mut self, mut further: impl FnMut(&mut R) -> crate::Result<bool>) -> crate::Result<bool> {
        let mut went = further(&mut self.recording);
        if self.repeats && self.at > 0 && matches!(went, Ok(false)) {
            went = self.recording.rewind().and_then(|()| further(&mut self.recording));
        }
        if !matches!(went, Ok(false)) {
            self.at += 1;
        }
        went
    }

    fn end(&mut self) -> Event {
        self.ended = true;
        Event::End
    }
}

impl<R: Recording> Camera for Player<R> {
    fn next(&mut self, frame: &mut Frame, deadline: Timestamp) -> Event {
        if self.ended {
            return Event::End;
        }
        let Some(index) = self.await_newest(deadline) else { return Event::Timeout };
        let event = self.read(index, deadline);
        if matches!(event, Event::Frame) {
            std::mem::swap(frame, &mut self.spare);
            frame.dropped = index - self.unseen;
            self.unseen = index + 1;
        }
        event
    }
}
