//! Products of weights in blocks with activations in 8 bits.
//!
//! Each lane holds one output. Step by step along the input, the products of levels are summed as integers, scaled and
//! added: `sum += f32(integers) * weight_scale * activation_scale`, in that order whatever the level, the number of
//! rows and the place in the matrix. So all ways to an output give the same bits.

use super::Tile;
use super::format::Format;
use super::input::{Block, Quantized};
use super::weights::{Lanes, REGISTERS, Scratch, Weights};
use crate::backend::cpu::isa::{Isa, Level, MAX_LANES, Work, array};

/// Up to this many rows of activations, weights are read from their blocks for each. For more they are unpacked once.
const FEW: usize = 3;

/// Bytes that a processor fetches together.
const CACHE_LINE: usize = 64;

/// A tile of a matrix in format `F`, times all rows of `input`.
pub(super) fn product<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize>(
    level: Level,
    tile: &Tile<'_>,
    input: &Quantized,
    scratch: &mut Scratch,
) {
    let product = Product { tile, input, weights: Weights::<F, HALVES, BYTES>::new(tile.rows, tile.outputs) };
    level.run(Run { product, scratch });
}

struct Product<'a, F, const HALVES: usize, const BYTES: usize> {
    tile: &'a Tile<'a>,
    input: &'a Quantized,
    weights: Weights<'a, F, HALVES, BYTES>,
}

struct Run<'a, F, const HALVES: usize, const BYTES: usize> {
    product: Product<'a, F, HALVES, BYTES>,
    scratch: &'a mut Scratch,
}

impl<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize> Product<'_, F, HALVES, BYTES> {
    /// One row of `input` times the blocks as they lie.
    #[inline(always)]
    fn row_by_blocks<I: Isa>(&self, row: usize, lanes: &Lanes, scratch: &Scratch) {
        let input = self.input.row(row);
        let mut sums = I::splat(0.0);
        for index in 0..self.weights.width {
            self.prefetch::<I>(index, lanes);
            for inner in 0..F::STEPS {
                let step = index * F::STEPS + inner;
                let x = Step::<HALVES>::new(input, step);
                let rows = self.weights.step(lanes, index, inner);
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
        let next = (lanes.first + I::LANES) * self.weights.width + index * I::LANES;
        let start = self.weights.blocks.as_ptr().wrapping_add(next).cast::<u8>();
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
            let mut products = [[I::splat_int(0); REGISTERS]; ROWS];
            for i in 0..ROWS {
                products[i] = [I::splat_int(x[i].offset::<F, BYTES>()); REGISTERS];
            }
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
            let lanes = product.weights.lanes(first, count);
            product.weights.read_scales::<I, false>(&lanes, &mut scratch.halves, &mut scratch.scales);
            if F::AFFINE {
                product.weights.read_scales::<I, true>(&lanes, &mut scratch.halves, &mut scratch.mins);
            }
            if few {
                for row in 0..product.input.count() {
                    product.row_by_blocks::<I>(row, &lanes, scratch);
                }
                continue;
            }
            product.weights.unpack(&lanes, &mut scratch.levels);
            // As many rows as there are registers for.
            if I::LANES == MAX_LANES {
                product.all_rows_by_levels::<I, 4>(&lanes, scratch);
            } else {
                product.all_rows_by_levels::<I, 2>(&lanes, scratch);
            }
        }
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
