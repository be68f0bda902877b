//! The loudest value that frames are held against.

use std::num::NonZeroUsize;

/// The logarithms below the loudest value that are kept apart.
const RANGE: f32 = 8.0;

/// Over which frames the loudest value is taken that the quiet ones are raised towards.
///
/// Either rule gives each frame one value, however the samples are cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peak {
    /// All frames of the clip, as Whisper does. A frame is final when the clip ends.
    OfClip,
    /// All frames from the start of the clip to the end of the block that a frame is in, blocks having this many
    /// frames (the last one has what is left). A frame is final when its block is full, which a tower
    /// that attends to whole blocks waits for anyway. It equals Whisper's from the block with the clip's loudest
    /// value on; before it, quiet values lie lower than Whisper's.
    OfBlocksSoFar(NonZeroUsize),
}

/// Holds log-mel frames against their peak.
#[derive(Clone)]
pub(super) struct Leveller {
    /// Values in a block; `None` when the whole clip is one.
    block: Option<usize>,
    loudest: f32,
    waiting: Vec<f32>,
}

impl Leveller {
    pub(super) fn new(peak: Peak, bins: usize) -> Self {
        let block = match peak {
            Peak::OfClip => None,
            Peak::OfBlocksSoFar(frames) => Some(frames.get().saturating_mul(bins)),
        };
        Self { block, loudest: f32::NEG_INFINITY, waiting: Vec::new() }
    }

    /// Where the next values go.
    pub(super) fn waiting(&mut self) -> &mut Vec<f32> {
        &mut self.waiting
    }

    /// The values of the blocks that are full.
    pub(super) fn take_full(&mut self) -> Vec<f32> {
        let Some(block) = self.block else { return Vec::new() };
        let rest = self.waiting.split_off(self.waiting.len() / block * block);
        let mut full = std::mem::replace(&mut self.waiting, rest);
        full.chunks_exact_mut(block).for_each(|values| self.level(values));
        full
    }

    /// The values of the last block, full or not. Then it is new again.
    pub(super) fn take_rest(&mut self) -> Vec<f32> {
        let mut rest = std::mem::take(&mut self.waiting);
        self.level(&mut rest);
        self.reset();
        rest
    }

    pub(super) fn reset(&mut self) {
        self.waiting.clear();
        self.loudest = f32::NEG_INFINITY;
    }

    fn level(&mut self, block: &mut [f32]) {
        self.loudest = block.iter().copied().fold(self.loudest, f32::max);
        let floor = self.loudest - RANGE;
        block.iter_mut().for_each(|value| *value = (value.max(floor) + 4.0) / 4.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_held_against_the_loudest_value_up_to_its_end() {
        let mut leveller = Leveller::new(Peak::OfBlocksSoFar(NonZeroUsize::MIN.saturating_add(1)), 1);
        leveller.waiting().extend([0.0, -9.0, -9.0, 2.0, -20.0]);
        assert_eq!(leveller.take_full(), [1.0, -1.0, -0.5, 1.5]);
        assert!(leveller.take_full().is_empty());
        assert_eq!(leveller.take_rest(), [-0.5]);
        leveller.waiting().push(-4.0);
        assert_eq!(leveller.take_rest(), [0.0]);
    }
}
