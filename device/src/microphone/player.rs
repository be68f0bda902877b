//! Recordings as microphones.

use std::sync::Arc;
use std::time::Duration;

use super::listener::Listener;
use super::mute::Mute;
use super::recording::Recording;
use super::{Event, Microphone};
use crate::clock::Clock;
use crate::{Error, Result, Timestamp};

/// Plays a [`Recording`] at the pace of a clock: in real time by [`MonotonicClock`](crate::clock::MonotonicClock), as
/// fast as it can be read by [`ManualClock`](crate::clock::ManualClock). It starts when it is first asked for a
/// chunk.
///
/// What it gives depends on the recording and on the clock alone.
pub struct Player {
    recording: Recording,
    clock: Arc<dyn Clock>,
    listener: Listener,
    start: Option<Timestamp>,
    /// Frames read so far.
    read: u64,
    /// What was read and is not heard yet, and when its first frame was recorded.
    block: Option<(Vec<f32>, Timestamp)>,
    /// What is wrong behind that.
    damage: Option<Error>,
    ended: bool,
}

impl Player {
    /// Plays `recording` once, at the pace of `clock`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a rate that cannot be resampled.
    pub fn new(recording: Recording, clock: Arc<dyn Clock>) -> Result<Self> {
        let listener = Listener::new(recording.format().rate, Mute::new(clock.clone()))?;
        Ok(Self { recording, clock, listener, start: None, read: 0, block: None, damage: None, ended: false })
    }

    /// When `frames` frames of the recording have been played.
    fn time_of(&self, frames: u64) -> Timestamp {
        let nanos = u128::from(frames) * 1_000_000_000 / u128::from(self.recording.format().rate);
        self.start.unwrap_or_default() + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Reads the next 20 ms, if none are waiting; nothing at the end.
    fn read(&mut self) {
        if self.block.is_some() || self.damage.is_some() {
            return;
        }
        let captured = self.time_of(self.read);
        let mut samples = Vec::new();
        let frames = self.recording.format().rate.div_ceil(50) as usize;
        self.damage = self.recording.read(frames, &mut samples).err();
        self.read += samples.len() as u64;
        if !samples.is_empty() {
            self.block = Some((samples, captured));
        }
    }
}

impl Microphone for Player {
    fn next(&mut self, deadline: Timestamp) -> Event {
        self.start.get_or_insert_with(|| self.clock.now());
        loop {
            if let Some(change) = self.listener.change() {
                return change;
            }
            if let Some(chunk) = self.listener.chunk(0) {
                return Event::Chunk(chunk);
            }
            if self.ended {
                return self.damage.take().map_or(Event::End, Event::Damaged);
            }
            self.read();
            let heard = self.time_of(self.read);
            if self.block.is_some() && heard > deadline {
                self.clock.sleep_until(deadline);
                return Event::Timeout;
            }
            if let Some((samples, captured)) = self.block.take() {
                self.clock.sleep_until(heard);
                self.listener.hear(&samples, captured);
            } else {
                self.ended = true;
                self.listener.finish();
            }
        }
    }

    fn mute(&self) -> Mute {
        self.listener.mute().clone()
    }
}
