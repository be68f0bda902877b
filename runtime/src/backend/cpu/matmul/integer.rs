//! Products of weights in blocks with activations in 8 bits.
//!
//! Each lane holds one output. Step by step along the input, the products of levels are summed as integers, scaled and
//! added: `sum += f32(integers) * weight_scale * activation_scale`, in that order whatever the level, the number of
//! rows and the place in the matrix. So all ways to an output give the same bits.

use std::marker::PhantomData;

use super::Tile;
use super::format::Format;
use super::input::{Block, Quantized};
use crate::backend::cpu::isa::{Bytes, Isa, Level, Levels, MAX_LANES, Work, array};

/// Up to this many rows of activations, weights are read from their blocks for each. For more they are unpacked once.
const FEW: usize = 3;

/// Registers of outputs side by side where weights are unpacked.
const REGISTERS: usize = 2;

/// Bytes that a processor fetches together.
const CACHE_LINE: usize = 64;

/// What a thread keeps from tile to tile.
#[derive(Default)]
pub(super) struct Scratch {
    /// `[block][output]`.
    halves: Vec<u16>,
    /// `[step][output]`.
    scales: Vec<f32>,
    /// As `scales`, where the format has minima.
    mins: Vec<f32>,
    /// `[step][group of four elements][output]`, four levels to a word.
    levels: Vec<u32>,
}

/// A tile of a matrix in format `F`, times all rows of `input`.
pub(super) fn product<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize>(
    level: Level,
    tile: &Tile<'_>,
    input: &Quantized,
    scratch: &mut Scratch,
) {
    let blocks: &[[u8; BYTES]] = tile.rows.as_chunks().0;
    let width = blocks.len() / tile.outputs;
    let product = Product { tile, input, blocks, width, format: PhantomData::<F> };
    level.run(Run { product, scratch });
}

struct Product<'a, F, const HALVES: usize, const BYTES: usize> {
    tile: &'a Tile<'a>,
    input: &'a Quantized,
    blocks: &'a [[u8; BYTES]],
    /// Blocks of a row.
    width: usize,
    format: PhantomData<F>,
}

struct Run<'a, F, const HALVES: usize, const BYTES: usize> {
    product: Product<'a, F, HALVES, BYTES>,
    scratch: &'a mut Scratch,
}

/// Where the lanes of a register, or of some side by side, find their rows. Past the end of the tile its last row
/// fills them up.
struct Lanes {
    first: usize,
    count: usize,
    /// Of each row the number of its first block.
    rows: [usize; REGISTERS * MAX_LANES],
}

impl<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize> Product<'_, F, HALVES, BYTES> {
    #[inline(always)]
    fn lanes(&self, first: usize, count: usize) -> Lanes {
        let last = self.tile.outputs - 1;
        Lanes { first, count, rows: array(|lane| (first + lane).min(last) * self.width) }
    }

    /// The scales of all steps, or their minima, with the outputs of `lanes` side by side.
    #[inline(always)]
    fn read_scales<I: Isa, const MIN: bool>(&self, lanes: &Lanes, halves: &mut Vec<u16>, out: &mut Vec<f32>) {
        let count = lanes.count;
        halves.resize(self.width * count, 0);
        out.resize(self.width * F::STEPS * count, 1.0);
        for lane in 0..count {
            let row = &self.blocks[lanes.rows[lane]..][..self.width];
            for (block, halves) in row.iter().zip(halves.chunks_exact_mut(count)) {
                halves[lane] = if MIN { F::min_bits(block) } else { F::scale_bits(block) };
            }
            if F::STEPS > 1 {
                for (block, out) in row.iter().zip(out.chunks_exact_mut(F::STEPS * count)) {
                    for step in 0..F::STEPS {
                        let factor = if MIN { F::sub_min(block, step) } else { F::sub_scale(block, step) };
                        out[step * count + lane] = f32::from(factor);
                    }
                }
            }
        }
        // With one step in a block the other factor is the same everywhere.
        let first = &self.blocks[0];
        let factor = f32::from(if MIN { F::sub_min(first, 0) } else { F::sub_scale(first, 0) });
        for (halves, out) in halves.chunks_exact(count).zip(out.chunks_exact_mut(F::STEPS * count)) {
            for (i, out) in out.chunks_exact_mut(I::LANES).enumerate() {
                let scale = I::load_halves(&halves[i * I::LANES % count..]);
                let factors = if F::STEPS > 1 { I::load(out) } else { I::splat(factor) };
                I::store(I::mul(scale, factors), out);
            }
        }
    }

    #[inline(always)]
    fn unpack(&self, lanes: &Lanes, out: &mut Vec<u32>) {
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

    /// One row of `input` times the blocks as they lie.
    #[inline(always)]
    fn row_by_blocks<I: Isa>(&self, row: usize, lanes: &Lanes, scratch: &Scratch) {
        let input = self.input.row(row);
        let mut sums = I::splat(0.0);
        for index in 0..self.width {
            self.prefetch::<I>(index, lanes);
            for inner in 0..F::STEPS {
                let step = index * F::STEPS + inner;
                let x = Step::<HALVES>::new(input, step);
                let rows = BlockRows { product: self, lanes, index, step: inner };
                let products = match F::OFFSET {
                    128 => I::dot_rows::<true, HALVES>(&rows, &x.words()),
                    _ => I::dot_rows::<false, HALVES>(&rows, &x.words()),
                };
                let products = I::add_int(products, I::splat_int(x.offset::<F, BYTES>()));
                sums = Self::add_scaled::<I>(scratch, sums, products, step * I::LANES, x.block);
            }
        }
        self.write::<I>(row, lanes, 0, sums);
    }

    /// Fetches the blocks that come after those of `lanes` in memory, a part with each block of a row: so that memory is
    /// read while the processor computes.
    #[inline(always)]
    fn prefetch<I: Isa>(&self, index: usize, lanes: &Lanes) {
        let next = (lanes.first + I::LANES) * self.width + index * I::LANES;
        let start = self.blocks.as_ptr().wrapping_add(next).cast::<u8>();
        for line in (0..I::LANES * BYTES).step_by(CACHE_LINE) {
            I::prefetch(start.wrapping_add(line));
        }
    }

    /// `ROWS` rows of `input` from `row` on, times unpacked weights.
    #[inline(always)]
    fn rows_by_levels<I: Isa, const ROWS: usize>(&self, row: usize, lanes: &Lanes, scratch: &Scratch) {
        let input: [&[Block]; ROWS] = array(|i| self.input.row(row + i));
        let mut sums = [[I::splat(0.0); REGISTERS]; ROWS];
        let groups = 4 * HALVES * REGISTERS * I::LANES;
        for (step, levels) in scratch.levels.chunks_exact(groups).enumerate() {
            let x: [Step<'_, HALVES>; ROWS] = array(|i| Step::new(input[i], step));
            let mut products: [[I::Ints; REGISTERS]; ROWS] =
                array(|i| [I::splat_int(x[i].offset::<F, BYTES>()); REGISTERS]);
            for group in 0..4 * HALVES {
                for i in 0..ROWS {
                    for (register, products) in products[i].iter_mut().enumerate() {
                        let levels = &levels[(group * REGISTERS + register) * I::LANES..][..I::LANES];
                        let activations = x[i].word(group);
                        *products = match F::OFFSET {
                            128 => I::dot::<true>(*products, levels, activations),
                            _ => I::dot::<false>(*products, levels, activations),
                        };
                    }
                }
            }
            for i in 0..ROWS {
                for register in 0..REGISTERS {
                    let at = (step * REGISTERS + register) * I::LANES;
                    sums[i][register] = Self::add_scaled::<I>(
                        scratch,
                        sums[i][register],
                        products[i][register],
                        at,
                        x[i].block,
                    );
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (register, sums) in sums.into_iter().enumerate() {
                self.write::<I>(row + i, lanes, register * I::LANES, sums);
            }
        }
    }

    /// Adds `products`, scaled by the weights' scales from `at` on and the activations' scale.
    #[inline(always)]
    fn add_scaled<I: Isa>(
        scratch: &Scratch,
        sums: I::Floats,
        products: I::Ints,
        at: usize,
        x: &Block,
    ) -> I::Floats {
        let scaled = I::mul(I::to_float(products), I::load(&scratch.scales[at..]));
        let sums = I::add(sums, I::mul(scaled, I::splat(x.scale)));
        if !F::AFFINE {
            return sums;
        }
        I::sub(sums, I::mul(I::load(&scratch.mins[at..]), I::splat(x.sum)))
    }

    /// Stores the lanes from `lane` on as outputs, as far as the tile goes.
    #[inline(always)]
    fn write<I: Isa>(&self, row: usize, lanes: &Lanes, lane: usize, sums: I::Floats) {
        let mut values = [0.0; MAX_LANES];
        I::store(sums, &mut values);
        let first = self.tile.outputs.min(lanes.first + lane);
        let count = I::LANES.min(self.tile.outputs - first);
        self.tile.write(row, first, &values[..count]);
    }

    #[inline(always)]
    fn all_rows_by_levels<I: Isa, const ROWS: usize>(&self, lanes: &Lanes, scratch: &Scratch) {
        let count = self.input.count();
        let whole = count - count % ROWS;
        for row in (0..whole).step_by(ROWS) {
            self.rows_by_levels::<I, ROWS>(row, lanes, scratch);
        }
        for row in whole..count {
            self.rows_by_levels::<I, 1>(row, lanes, scratch);
        }
    }
}

impl<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize> Work for Run<'_, F, HALVES, BYTES> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { product, scratch } = self;
        let few = product.input.count() <= FEW;
        let count = if few { I::LANES } else { REGISTERS * I::LANES };
        for first in (0..product.tile.outputs).step_by(count) {
            let lanes = product.lanes(first, count);
            product.read_scales::<I, false>(&lanes, &mut scratch.halves, &mut scratch.scales);
            if F::AFFINE {
                product.read_scales::<I, true>(&lanes, &mut scratch.halves, &mut scratch.mins);
            }
            if few {
                for row in 0..product.input.count() {
                    product.row_by_blocks::<I>(row, &lanes, scratch);
                }
                continue;
            }
            product.unpack(&lanes, &mut scratch.levels);
            // As many rows as there are registers for.
            if I::LANES == MAX_LANES {
                product.all_rows_by_levels::<I, 4>(&lanes, scratch);
            } else {
                product.all_rows_by_levels::<I, 2>(&lanes, scratch);
            }
        }
    }
}

/// One step of the rows of a register.
struct BlockRows<'a, F, const HALVES: usize, const BYTES: usize> {
    product: &'a Product<'a, F, HALVES, BYTES>,
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
        debug_assert!(index < self.product.blocks.len());
        // SAFETY: `Product::lanes` made the row one of the tile's, and `row_by_blocks` counts up to its width.
        F::levels(unsafe { self.product.blocks.get_unchecked(index) }, self.step)
    }
}

/// The activations of one step.
#[derive(Clone, Copy)]
struct Step<'a, const HALVES: usize> {
    block: &'a Block,
    /// The first of the halves.
    half: usize,
}

impl<'a, const HALVES: usize> Step<'a, HALVES> {
    #[inline(always)]
    fn new(row: &'a [Block], step: usize) -> Self {
        Self { block: &row[step * HALVES / 2], half: step * HALVES % 2 }
    }

    #[inline(always)]
    fn words(&self) -> [[i32; 4]; HALVES] {
        array(|i| self.block.words[self.half + i])
    }

    #[inline(always)]
    fn word(&self, group: usize) -> i32 {
        self.block.words[self.half + group / 4][group % 4]
    }

    /// What the offset of the levels adds to the products.
    #[inline(always)]
    fn offset<F: Format<HALVES, BYTES>, const BYTES: usize>(&self) -> i32 {
        let sum: i32 = self.block.sums[self.half..][..HALVES].iter().sum();
        -i32::from(F::OFFSET) * sum
    }
}
