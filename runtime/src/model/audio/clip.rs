//! A sound of bounded length.

use super::mel::HOP;
use crate::{Error, ErrorKind, Result};

/// Samples a second in everything behind this front end.
pub const SAMPLE_RATE: u32 = 16_000;

/// Mono sound at [`SAMPLE_RATE`], from 10 ms to 10 minutes, every sample a finite number, full scale at 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    samples: Vec<f32>,
}

impl Clip {
    /// The fewest samples: those of one spectrogram frame, 10 ms.
    pub const MIN_SAMPLES: usize = HOP;
    /// The longest clip, in seconds.
    pub const MAX_SECONDS: u32 = 600;

    /// A clip of `samples`.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when there are too few samples or one is not a finite number,
    /// [`ErrorKind::Unsupported`] when the clip is longer than [`Clip::MAX_SECONDS`].
    pub fn new(samples: Vec<f32>) -> Result<Self> {
        if samples.len() < Self::MIN_SAMPLES {
            let expected = format!("at least {} (10 ms)", Self::MIN_SAMPLES);
            return Err(Error::malformed("clip", format!("{} samples at 16 kHz", samples.len()), expected));
        }
        check_duration(samples.len(), SAMPLE_RATE)?;
        check_finite(&samples)?;
        Ok(Self { samples })
    }

    /// The samples.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }
}

/// Whether a sound of `samples` at `rate` is short enough, asked before its samples are given room.
pub(super) fn check_duration(samples: usize, rate: u32) -> Result<()> {
    if samples as u64 <= u64::from(Clip::MAX_SECONDS) * u64::from(rate) {
        return Ok(());
    }
    let seconds = samples as f64 / f64::from(rate);
    let detail = format!("found {seconds:.1} seconds, expected at most {}", Clip::MAX_SECONDS);
    Err(Error::new(ErrorKind::Unsupported, "clip", detail))
}

/// Whether every sample is a number that means something.
pub(super) fn check_finite(samples: &[f32]) -> Result<()> {
    match samples.iter().position(|s| !s.is_finite()) {
        Some(at) => {
            Err(Error::malformed("clip", format!("{} as sample {at}", samples[at]), "a finite number"))
        }
        None => Ok(()),
    }
}
