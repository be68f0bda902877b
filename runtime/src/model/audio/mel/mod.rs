//! Whisper's log-mel spectrogram.
//!
//! The numbers are those of Hugging Face's `WhisperFeatureExtractor`: frames of 400 samples every 160 (25 ms every
//! 10 ms at 16 kHz) under a periodic Hann window, their power spectrum through Slaney's mel filters, the decimal
//! logarithm of no less than 1e-10, no less than 8 below the loudest value, plus 4, by 4. Computed in double
//! precision; the extractor's single precision is within 1e-4 of it.
//!
//! # Where a clip ends
//! Frame `t` is centred on sample `160 t`, and a clip of `n` samples has `n / 160` frames, rounded down: the frame
//! behind them that a centred transform would also give is dropped, as Whisper does. What a frame lacks at either
//! end of the clip is the clip itself, mirrored about its first or last sample. That is the extractor with
//! `padding="do_not_pad"`, and nothing here is ever padded to 30 s. Against an extractor that does pad with zeros,
//! the last one or two frames differ, where zeros stand for the mirrored samples; the others differ only if the
//! loudest value lies in those.
//!
//! # The loudest value
//! Whisper takes it over the whole clip, which nobody knows while the clip is still being spoken. [`Peak`] names
//! what is taken instead.

mod filters;
mod frames;
mod peak;
mod spectrum;
mod stream;

pub use peak::Peak;
pub use stream::{LogMelStream, log_mel};

/// Samples from one frame to the next.
pub const HOP: usize = 160;

/// Frames of a spectrogram, one after the other: `[frames][bins]`.
///
/// Hugging Face has it the other way round. This way a later frame is appended without moving the earlier ones, and
/// the window of a convolution over time is one slice.
#[derive(Clone, Debug, PartialEq)]
pub struct LogMel {
    /// Mel filters: values a frame.
    pub bins: usize,
    /// The values.
    pub values: Vec<f32>,
}

impl LogMel {
    /// Number of frames, each for 10 ms.
    pub fn frames(&self) -> usize {
        self.values.len() / self.bins
    }
}
