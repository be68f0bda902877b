//! Sound encoded while it is spoken.

use std::sync::Arc;

use super::{AudioTower, Context};
use crate::Result;
use crate::backend::Backend;
use crate::model::audio::clip::{check_duration, check_finite};
use crate::model::audio::{LogMelStream, Peak, SAMPLE_RATE};

/// Takes samples at [`SAMPLE_RATE`] in chunks of any size and gives the tokens of each block once it is full.
///
/// The tokens given by all calls up to [`finish`](Self::finish) are those of [`AudioTower::encode`], to the bit. A
/// tower without blocks gives them all at the end, and takes no more than
/// [`Clip::MAX_SECONDS`](crate::model::audio::Clip::MAX_SECONDS). With blocks a clip may go on for ever: held are the
/// frames of one block and the keys and values of one piece, `layers * positions * width` of each in f32.
pub struct AudioStream<B: Backend> {
    tower: Arc<AudioTower<B>>,
    mel: LogMelStream,
    context: Context<B>,
    heard: usize,
    blocks: usize,
}

impl<B: Backend> AudioStream<B> {
    pub(super) fn new(tower: Arc<AudioTower<B>>) -> Result<Self> {
        Ok(Self {
            mel: LogMelStream::new(tower.bins, tower.cut.peak)?,
            context: tower.context(tower.cut.positions())?,
            heard: 0,
            blocks: 0,
            tower,
        })
    }

    /// Takes the next samples. Gives the tokens of the blocks that have become full, `[tokens][width]`, if any have.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) for a sample that is not a finite number,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a clip too long to be encoded at its end: the
    /// samples are not taken. If the backend fails, the clip begun is dropped.
    pub fn push(&mut self, samples: &[f32]) -> Result<Option<B::Rows>> {
        let blocks = self.push_blocks(samples)?;
        self.joined(&blocks)
    }

    /// As [`push`](Self::push), the rows of each block by themselves.
    pub(crate) fn push_blocks(&mut self, samples: &[f32]) -> Result<Vec<B::Rows>> {
        check_finite(samples)?;
        let heard = self.heard.saturating_add(samples.len());
        if self.tower.cut.peak == Peak::OfClip {
            check_duration(heard, SAMPLE_RATE)?;
        }
        self.heard = heard;
        let frames = self.mel.push(samples).values;
        self.encode(&frames)
    }

    /// Ends the clip and gives its remaining tokens, if there are any. The stream is then at the start of another clip.
    ///
    /// # Errors
    /// What the backend says.
    pub fn finish(&mut self) -> Result<Option<B::Rows>> {
        let frames = self.mel.finish().values;
        let blocks = self.encode(&frames);
        self.reset();
        self.joined(&blocks?)
    }

    /// The tokens that [`finish`](Self::finish) would give now. The clip goes on.
    ///
    /// # Errors
    /// What the backend says.
    pub fn rest(&mut self) -> Result<Option<B::Rows>> {
        let frames = self.mel.clone().finish().values;
        let before = self.context.mark();
        let blocks = self.encode(&frames)?;
        self.context.go_back(before);
        self.joined(&blocks)
    }

    /// Drops the clip begun. The stream is then at the start of another clip.
    pub fn reset(&mut self) {
        self.mel.reset();
        self.context.reset();
        self.heard = 0;
    }

    /// Blocks encoded so far, in all clips: passes through the encoder.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    fn encode(&mut self, frames: &[f32]) -> Result<Vec<B::Rows>> {
        let encoded = self.tower.encode_frames(&mut self.context, frames);
        let blocks = encoded.inspect_err(|_| self.reset())?;
        self.blocks += blocks.len();
        Ok(blocks)
    }

    fn joined(&self, blocks: &[B::Rows]) -> Result<Option<B::Rows>> {
        (!blocks.is_empty()).then(|| self.tower.joined(blocks)).transpose()
    }
}
