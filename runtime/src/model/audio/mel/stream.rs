//! The spectrogram of a clip, whole or as it is spoken.

use super::LogMel;
use super::frames::Frames;
use super::peak::{Leveller, Peak};
use crate::model::audio::Clip;
use crate::{Error, ErrorKind, Result};

/// The spectrogram of a whole clip in `bins` mel bins (80 or 128 in Whisper's models).
///
/// # Errors
/// [`ErrorKind::Unsupported`] when `bins` is 0 or more than 128.
pub fn log_mel(clip: &Clip, bins: usize, peak: Peak) -> Result<LogMel> {
    let mut stream = LogMelStream::new(bins, peak)?;
    let mut mel = stream.push(clip.samples());
    mel.values.extend(stream.finish().values);
    Ok(mel)
}

/// Takes 16 kHz samples in chunks of any size and gives the frames that are final.
///
/// The frames given by all calls up to [`LogMelStream::finish`] are those of [`log_mel`] with the same rule for the
/// peak, to the bit. It holds at most the samples of two frames and the frames of one block; with [`Peak::OfClip`] a
/// block is the clip, and its length is for the caller to limit.
#[derive(Clone)]
pub struct LogMelStream {
    bins: usize,
    frames: Frames,
    leveller: Leveller,
}

impl LogMelStream {
    pub(in crate::model::audio) const MAX_BINS: usize = 128;

    /// A stream at the start of a clip.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when `bins` is 0 or more than 128.
    pub fn new(bins: usize, peak: Peak) -> Result<Self> {
        if !(1..=Self::MAX_BINS).contains(&bins) {
            let detail = format!("found {bins}, expected 1 to {}", Self::MAX_BINS);
            return Err(Error::new(ErrorKind::Unsupported, "mel bins", detail));
        }
        Ok(Self { bins, frames: Frames::new(bins), leveller: Leveller::new(peak, bins) })
    }

    /// Samples there have to be before frame `frame` is final.
    pub(in crate::model::audio) fn samples_for(frame: usize) -> usize {
        Frames::samples_for(frame)
    }

    /// Takes the next samples. Gives the frames that have become final, which may be none.
    pub fn push(&mut self, samples: &[f32]) -> LogMel {
        self.frames.push(samples, self.leveller.waiting());
        self.given(Leveller::take_full)
    }

    /// Ends the clip and gives its remaining frames. The stream is then at the start of another clip.
    pub fn finish(&mut self) -> LogMel {
        self.frames.finish(self.leveller.waiting());
        let mut given = self.given(Leveller::take_full);
        given.values.extend(self.leveller.take_rest());
        given
    }

    /// Drops the clip begun. The stream is then at the start of another clip.
    pub fn reset(&mut self) {
        self.frames.reset();
        self.leveller.reset();
    }

    fn given(&mut self, take: fn(&mut Leveller) -> Vec<f32>) -> LogMel {
        LogMel { bins: self.bins, values: take(&mut self.leveller) }
    }
}
