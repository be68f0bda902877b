//! What every microphone does with what its device gives.

use std::time::Duration;

use super::chunker::Chunker;
use super::mute::{Mute, Watch};
use super::{AudioChunk, Event};
use crate::Timestamp;
use crate::error::Result;

/// Makes chunks of the blocks that may be heard.
pub(super) struct Listener {
    rate: u32,
    mute: Watch,
    chunker: Chunker,
    /// From when on the switch let sound through when the chunker got what it has. Anything else, and it is forgotten.
    heard_from: Option<Timestamp>,
    sequence: u64,
}

impl Listener {
    /// A listener to a device with that rate.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a rate that cannot be resampled.
    pub(super) fn new(rate: u32, mute: Mute) -> Result<Self> {
        let (chunker, mute) = (Chunker::new(rate)?, Watch::new(mute));
        Ok(Self { rate, mute, chunker, heard_from: None, sequence: 0 })
    }

    pub(super) fn mute(&self) -> &Mute {
        self.mute.switch()
    }

    /// Goes on with a device of another rate.
    ///
    /// # Errors
    /// Those of [`Listener::new`].
    pub(super) fn restart(&mut self, rate: u32) -> Result<()> {
        self.rate = rate;
        self.chunker.restart(rate)
    }

    /// What comes next does not follow what came.
    pub(super) fn interrupt(&mut self) {
        self.chunker.reset();
    }

    /// Ends the sound, so that the rest of it can be had.
    pub(super) fn finish(&mut self) {
        self.chunker.finish();
    }

    /// What was done to the switch, if it was not told yet.
    pub(super) fn change(&mut self) -> Option<Event> {
        self.mute.change()
    }

    /// Takes the part of a block that may be heard. Its first sample was recorded at `captured`.
    pub(super) fn hear(&mut self, samples: &[f32], captured: Timestamp) {
        let Some(audible_from) = self.audible_from() else { return };
        let early = frames_in(audible_from.since(captured), self.rate);
        if let Some(heard) = samples.get(early..).filter(|heard| !heard.is_empty()) {
            self.chunker.push(heard, captured.max(audible_from));
        }
    }

    /// The next chunk, if there is one and it may be heard.
    pub(super) fn chunk(&mut self, overruns: u64) -> Option<AudioChunk> {
        let rule = self.audible_from();
        rule?;
        let (samples, captured) = self.chunker.pull()?;
        // The switch may have been turned meanwhile.
        if self.audible_from() != rule {
            return None;
        }
        let sequence = self.sequence;
        self.sequence += 1;
        Some(AudioChunk { samples, captured, sequence, overruns })
    }

    /// From when on sound may be heard now. What was heard under another rule is forgotten, down to the memory of the
    /// resampler's filter.
    fn audible_from(&mut self) -> Option<Timestamp> {
        let audible_from = self.mute().audible_from();
        if self.heard_from != audible_from {
            self.heard_from = audible_from;
            self.chunker.reset();
        }
        audible_from
    }
}

/// How many frames begin within `time`.
fn frames_in(time: Duration, rate: u32) -> usize {
    let frames = (time.as_nanos() * u128::from(rate)).div_ceil(1_000_000_000);
    usize::try_from(frames).unwrap_or(usize::MAX)
}
