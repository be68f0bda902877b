//! From what a microphone or a file gives to what a language model reads.
//!
//! [`decode_wav`] turns a WAV file into a [`Clip`], 16 kHz and mono; [`log_mel`] turns a clip into the [`LogMel`]
//! spectrogram of Whisper's feature extractor, in proportion to its length; [`LogMelStream`] does the same to samples
//! as they come; an [`AudioTower`] turns either into tokens of a language model. Files are not trusted: what is damaged,
//! empty or too long is an error before much is allocated.

mod clip;
mod mel;
mod resample;
mod tower;
mod wav;

pub use clip::{Clip, SAMPLE_RATE};
pub use mel::{HOP, LogMel, LogMelStream, Peak, log_mel};
pub(crate) use tower::Block;
pub use tower::{AudioStream, AudioTower};
pub use wav::decode_wav;
