//! Blocks of a device's sound become chunks, each with the time of its first sample.

use std::time::Duration;

use super::resample::Resampler;
use super::{CHUNK_LEN, CHUNK_TIME, SAMPLE_RATE};
use crate::Timestamp;
use crate::error::Result;

/// Makes chunks of one stretch of sound after the other.
pub(super) struct Chunker {
    rate: u32,
    resampler: Resampler,
    /// When the stretch began, as far as its blocks tell; `None` before its first block.
    began: Option<i128>,
    /// Frames of the stretch taken, at the device's rate.
    taken: u64,
    /// Samples of the stretch given, at [`SAMPLE_RATE`].
    given: u64,
    /// The earliest time for the next chunk: the middle of the last one, or the start of the stretch.
    earliest: i128,
}

/// How much of the difference between a block's time and the one foretold is believed, as a part of one. A device's
/// clock is followed, the jitter of its callbacks is not.
const BELIEVED: i128 = 16;
/// The largest difference that is followed at once.
const STEP: i128 = Duration::from_millis(40).as_nanos() as i128;

impl Chunker {
    /// Chunks of mono sound at `rate` Hz.
    ///
    /// # Errors
    /// Those of [`Resampler::new`].
    pub(super) fn new(rate: u32) -> Result<Self> {
        let resampler = Resampler::new(rate)?;
        Ok(Self { rate, resampler, began: None, taken: 0, given: 0, earliest: 0 })
    }

    /// Takes a block, whose first sample was recorded at `captured`.
    pub(super) fn push(&mut self, samples: &[f32], captured: Timestamp) {
        let told = nanos(captured) - time_of(self.taken, self.rate);
        if let Some(began) = &mut self.began {
            *began += (told - *began).clamp(-STEP, STEP) / BELIEVED;
        } else {
            self.earliest = told.max(self.earliest);
            self.began = Some(self.earliest);
        }
        self.taken += samples.len() as u64;
        self.resampler.push(samples);
    }

    /// The next chunk and when its first sample was recorded.
    pub(super) fn pull(&mut self) -> Option<(Box<[f32; CHUNK_LEN]>, Timestamp)> {
        let began = self.began?;
        let samples = self.resampler.pull()?;
        let captured = (began + time_of(self.given, SAMPLE_RATE)).max(self.earliest);
        self.given += CHUNK_LEN as u64;
        self.earliest = captured + CHUNK_TIME.as_nanos() as i128 / 2;
        Some((samples, timestamp(captured)))
    }

    /// Ends the sound; the rest can be pulled.
    pub(super) fn finish(&mut self) {
        self.resampler.finish();
    }

    /// Goes on with a new stretch from a device with another rate.
    ///
    /// # Errors
    /// Those of [`Resampler::new`].
    pub(super) fn restart(&mut self, rate: u32) -> Result<()> {
        *self = Self { earliest: self.earliest, ..Self::new(rate)? };
        Ok(())
    }

    /// Begins a new stretch: what comes next does not follow what came, of which the part of a chunk is dropped.
    pub(super) fn reset(&mut self) {
        self.resampler.reset();
        self.began = None;
        (self.taken, self.given) = (0, 0);
    }
}

/// How long `samples` last, in nanoseconds.
fn time_of(samples: u64, rate: u32) -> i128 {
    i128::from(samples) * 1_000_000_000 / i128::from(rate)
}

fn nanos(moment: Timestamp) -> i128 {
    moment.since_start().as_nanos() as i128
}

fn timestamp(nanos: i128) -> Timestamp {
    Timestamp::from_start(Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX)))
}
