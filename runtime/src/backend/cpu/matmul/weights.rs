//! Weights of a tile, taken from their blocks: scales as floats, and levels as they lie or side by side.

use std::marker::PhantomData;

use super::format::{Format, signed_byte};
use crate::backend::cpu::isa::{Bytes, Isa, Levels, MAX_LANES, array};

/// Registers of outputs side by side where weights are unpacked.
pub(super) const REGISTERS: usize = 2;

/// What a thread keeps from tile to tile.
#[derive(Default)]
pub(super) struct Scratch {
    /// `[block][output]`.
    pub(super) halves: Vec<u16>,
    /// `[step][output]`.
    pub(super) scales: Vec<f32>,
    /// As `scales`, where the format has minima.
    pub(super) mins: Vec<f32>,
    /// `[step][group of four elements][output]`, four levels to a word.
    pub(super) levels: Vec<u32>,
}

/// Rows of blocks in format `F`.
pub(super) struct Weights<'a, F, const HALVES: usize, const BYTES: usize> {
    pub(super) blocks: &'a [[u8; BYTES]],
    /// Blocks of a row.
    pub(super) width: usize,
    outputs: usize,
    format: PhantomData<F>,
}

/// Where the lanes of a register, or of some side by side, find their rows. Past the end of the tile its last row
/// fills them up.
pub(super) struct Lanes {
    pub(super) first: usize,
    pub(super) count: usize,
    /// Of each row the number of its first block.
    rows: [usize; REGISTERS * MAX_LANES],
}

impl<'a, F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize> Weights<'a, F, HALVES, BYTES> {
    /// The blocks of `outputs` rows.
    pub(super) fn new(rows: &'a [u8], outputs: usize) -> Self {
        let blocks: &[[u8; BYTES]] = rows.as_chunks().0;
        Self { blocks, width: blocks.len() / outputs, outputs, format: PhantomData }
    }

    #[inline(always)]
    pub(super) fn lanes(&self, first: usize, count: usize) -> Lanes {
        let last = self.outputs - 1;
        Lanes { first, count, rows: array(|lane| (first + lane).min(last) * self.width) }
    }

    /// The scales of all steps, or their minima, with the outputs of `lanes` side by side.
    #[inline(always)]
    pub(super) fn read_scales<I: Isa, const MIN: bool>(
        &self,
        lanes: &Lanes,
        halves: &mut Vec<u16>,
        out: &mut Vec<f32>,
    ) {
        let count = lanes.count;
        halves.resize(self.width * count, 0);
        out.resize(self.width * F::STEPS * count, 1.0);
        for lane in 0..count {
            let row = &self.blocks[lanes.rows[lane]..][..self.width];
            for (block, halves) in row.iter().zip(halves.chunks_exact_mut(count)) {
                halves[lane] = if MIN { F::min_bits(block) } else { F::scale_bits(block) };
            }
        }
        let blocks = halves.chunks_exact(count).zip(out.chunks_exact_mut(F::STEPS * count));
        for (index, (halves, out)) in blocks.enumerate() {
            if F::STEPS > 1 {
                self.read_factors::<MIN>(lanes, index, out);
            }
            for (i, out) in out.chunks_exact_mut(I::LANES).enumerate() {
                let scale = I::load_halves(&halves[i * I::LANES % count..]);
                let factors = if F::STEPS > 1 { I::load(out) } else { I::splat(1.0) };
                I::store(I::mul(scale, factors), out);
            }
        }
    }

    /// The other factors of all steps of the blocks numbered `index`: `[step][output]`.
    #[inline(always)]
    fn read_factors<const MIN: bool>(&self, lanes: &Lanes, index: usize, out: &mut [f32]) {
        let mut words = [[0; REGISTERS * MAX_LANES]; 4];
        for lane in 0..lanes.count {
            let block = &self.blocks[lanes.rows[lane] + index];
            let factors = if MIN { F::sub_mins(block) } else { F::sub_scales(block) };
            for (words, factors) in words.iter_mut().zip(factors) {
                words[lane] = factors;
            }
        }
        for (step, out) in out.chunks_exact_mut(lanes.count).enumerate() {
            for (out, word) in out.iter_mut().zip(&words[step / 4]) {
                *out = signed_byte(*word, step % 4);
            }
        }
    }

    #[inline(always)]
    pub(super) fn unpack(&self, lanes: &Lanes, out: &mut Vec<u32>) {
        let groups = 4 * HALVES;
        out.resize(self.width * F::STEPS * groups * lanes.count, 0);
        for lane in 0..lanes.count {
            let row = &self.blocks[lanes.rows[lane]..][..self.width];
            for (index, block) in row.iter().enumerate() {
                for step in 0..F::STEPS {
                    let levels = F::levels(block, step);
                    let at = (index * F::STEPS + step) * groups * lanes.count + lane;
                    let out = &mut out[at..][..(groups - 1) * lanes.count + 1];
                    for half in 0..HALVES {
                        let levels = levels[half].to_array();
                        for (group, levels) in levels.as_chunks().0.iter().enumerate() {
                            out[(4 * half + group) * lanes.count] = u32::from_le_bytes(*levels);
                        }
                    }
                }
            }
        }
    }

    /// Step `step` of the blocks numbered `index` in the rows of `lanes`.
    #[inline(always)]
    pub(super) fn step<'b>(
        &'b self,
        lanes: &'b Lanes,
        index: usize,
        step: usize,
    ) -> impl Levels<HALVES> + 'b {
        assert!(index < self.width);
        BlockRows { weights: self, lanes, index, step }
    }
}

/// One step of the rows of a register.
struct BlockRows<'a, F, const HALVES: usize, const BYTES: usize> {
    weights: &'a Weights<'a, F, HALVES, BYTES>,
    lanes: &'a Lanes,
    /// The number of the block in its row, and of the step in the block.
    index: usize,
    step: usize,
}

impl<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize> Levels<HALVES>
    for BlockRows<'_, F, HALVES, BYTES>
{
    #[inline(always)]
    fn row(&self, lane: usize) -> [Bytes; HALVES] {
        let index = self.lanes.rows[lane] + self.index;
        debug_assert!(index < self.weights.blocks.len());
        // SAFETY: `Weights::lanes` made the row one of the tile's, and `Weights::step` saw that the block is in it.
        F::levels(unsafe { self.weights.blocks.get_unchecked(index) }, self.step)
    }
}
