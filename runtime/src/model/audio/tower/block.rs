//! The blocks of a clip, as a language model has them before it.

use super::AudioTower;
use crate::backend::Backend;
use crate::model::audio::mel::HOP;
use crate::model::audio::{LogMelStream, Peak};

/// Some tokens of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The first samples of the clip, that its tokens come from; `None` if those depend on where the clip ends.
    pub(crate) samples: Option<usize>,
    /// Tokens: at least one.
    pub(crate) tokens: usize,
}

impl<B: Backend> AudioTower<B> {
    /// Whether what was said first is encoded before the end is known.
    pub(crate) fn has_blocks(&self) -> bool {
        self.cut.peak != Peak::OfClip
    }

    /// The blocks of a clip of so many samples. A tower without blocks has one.
    pub(crate) fn blocks(&self, samples: usize) -> impl Iterator<Item = Block> + '_ {
        let frames = samples / HOP;
        let block = if self.has_blocks() { self.cut.block } else { frames.max(1) };
        (0..frames).step_by(block).map(move |first| {
            let end = first + block;
            let needed = LogMelStream::samples_for(end - 1);
            let is_final = self.has_blocks() && end <= frames && needed <= samples;
            let tokens = self.tokens(end.min(frames) * HOP) - self.tokens(first * HOP);
            Block { samples: is_final.then_some(needed), tokens }
        })
    }
}
