//! How a clip is cut before it is encoded.

use std::num::NonZeroUsize;

use crate::model::audio::Peak;

/// Frames for each position of the encoder: the stride of the second convolution.
pub(super) const STRIDE: usize = 2;

/// Blocks and the pieces they make. Pieces know nothing of each other, since positions begin anew in each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Frames that are encoded together.
    pub(super) block: usize,
    /// Frames of a piece: whole blocks, as many as there are positions for.
    pub(super) piece: usize,
    /// What a block's frames are held against.
    pub(super) peak: Peak,
}

impl Cut {
    /// Each frame of a piece sees all others.
    pub(super) fn full(positions: usize) -> Self {
        let piece = STRIDE * positions;
        Self { block: piece, piece, peak: Peak::OfClip }
    }

    /// Each frame of a block sees its block and those before it. Blocks are whole tokens of `token` frames.
    ///
    /// # Errors
    /// What was expected of `block`.
    pub(super) fn blocks(block: usize, token: usize, positions: usize) -> Result<Self, String> {
        let most = STRIDE * positions;
        let fits = |frames: &NonZeroUsize| frames.get() <= most && frames.get().is_multiple_of(token);
        match NonZeroUsize::new(block).filter(fits) {
            Some(frames) => {
                Ok(Self { block, piece: most / block * block, peak: Peak::OfBlocksSoFar(frames) })
            }
            None => Err(format!("a multiple of the {token} frames of a token, at most {most}")),
        }
    }

    /// Positions in a piece.
    pub(super) fn positions(&self) -> usize {
        self.piece / STRIDE
    }

    /// Whether a block needs what the encoder made of those before it.
    pub(super) fn has_memory(&self) -> bool {
        self.block < self.piece
    }
}
