//! Activations in 8 bits: each 32 elements share a scale.

use crate::backend::cpu::isa::{Isa, Level, Work};
use crate::backend::cpu::{Rows, team};

/// Elements that share a scale.
pub(super) const BLOCK: usize = 32;

/// Blocks that a thread quantizes at a time.
const GRAIN: usize = 144;

/// Rows of blocks.
#[derive(Default)]
pub(super) struct Quantized {
    /// Blocks in a row.
    width: usize,
    blocks: Vec<Block>,
}

/// Element `i` is about `scale` times byte `i % 4`, signed, of word `i / 4`. No byte is -128.
#[derive(Clone, Copy, Default)]
pub(super) struct Block {
    pub(super) words: [i32; 8],
    pub(super) scale: f32,
    /// Of the levels, by halves.
    pub(super) sums: [i32; 2],
    /// `scale` times all levels.
    pub(super) sum: f32,
}

impl Quantized {
    /// Quantizes `rows`, whose width is a multiple of [`BLOCK`].
    pub(super) fn new(level: Level, rows: &Rows) -> Self {
        let width = rows.width / BLOCK;
        let mut blocks = vec![Block::default(); rows.count() * width];
        let values = rows.values.as_chunks().0;
        team::for_each_chunk(&mut blocks, GRAIN, |index, blocks| {
            level.run(Quantize { values: &values[index * GRAIN..][..blocks.len()], blocks });
        });
        Self { width, blocks }
    }

    /// The blocks of row `index`.
    #[inline(always)]
    pub(super) fn row(&self, index: usize) -> &[Block] {
        &self.blocks[index * self.width..][..self.width]
    }

    pub(super) fn count(&self) -> usize {
        self.blocks.len() / self.width
    }
}

struct Quantize<'a> {
    values: &'a [[f32; BLOCK]],
    blocks: &'a mut [Block],
}

impl Work for Quantize<'_> {
    type Output = ();

    /// Spreads the largest magnitude of each block over 127 levels. An infinity or NaN makes the scale one.
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (x, block) in self.values.iter().zip(self.blocks) {
            *block = quantize::<I>(x);
        }
    }
}

#[inline(always)]
fn quantize<I: Isa>(x: &[f32; BLOCK]) -> Block {
    let mut largest = 0;
    for x in x {
        largest = x.abs().to_bits().max(largest);
    }
    let scale = f32::from_bits(largest) / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    // Of a block so small that the inverse overflows nothing is left.
    let (scale, inverse) = if inverse.is_finite() { (scale, inverse) } else { (0.0, 0.0) };
    let mut levels = [0; BLOCK];
    let mut sums = [0; 2];
    for at in (0..BLOCK).step_by(I::LANES) {
        let rounded = I::round(I::mul(I::load(&x[at..]), I::splat(inverse)));
        I::store_low(rounded, &mut levels[at..]);
        sums[at / 16] += I::sum_int(rounded);
    }
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(levels.as_chunks().0) {
        *word = i32::from_le_bytes(*bytes);
    }
    Block { words, scale, sums, sum: scale * (sums[0] + sums[1]) as f32 }
}
