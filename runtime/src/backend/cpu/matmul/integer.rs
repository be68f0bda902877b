//! Products of weights in panels with activations in 8 bits.
//!
//! Each lane holds one output. Step by step along the input, the products of levels are summed as integers, scaled and
//! added: `sum += f32(integers) * weight_scale * activation_scale`, in that order whatever the level, the number of
//! rows and the place in the matrix. So all ways to an output give the same bits.

use std::marker::PhantomData;

use super::Tile;
use super::format::Format;
use super::input::{self, Quantized};
use super::panels::Panels;
use crate::backend::cpu::isa::{Isa, Level, MAX_LANES, Work, array};

/// Up to this many rows of activations, levels are taken from their words for each. For more that is done once.
const FEW: usize = 3;

/// Registers of outputs side by side where levels were taken from their words.
const REGISTERS: usize = 2;

/// What a thread keeps between tiles: the numbers of some outputs as they are computed with.
#[derive(Default)]
pub(super) struct Scratch {
    /// `[step][output]`.
    scales: Vec<f32>,
    /// As `scales`, where the format has minima.
    mins: Vec<f32>,
    /// `[step][group of four elements][output]`, four levels to a word.
    levels: Vec<u32>,
}

/// A tile of `panels`, which are in format `F`, times all rows of `input`.
pub(super) fn product<F: Format>(
    level: Level,
    tile: &Tile<'_>,
    panels: &Panels,
    input: &Quantized,
    scratch: &mut Scratch,
) {
    level.run(Product::<F> { tile, panels, input, scratch, format: PhantomData });
}

struct Product<'a, F> {
    tile: &'a Tile<'a>,
    panels: &'a Panels,
    input: &'a Quantized,
    scratch: &'a mut Scratch,
    format: PhantomData<F>,
}

impl<F: Format> Work for Product<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        if self.input.count() <= FEW {
            for first in (0..self.tile.outputs).step_by(I::LANES) {
                for row in 0..self.input.count() {
                    self.row_by_words::<I>(row, first);
                }
            }
            return;
        }
        for first in (0..self.tile.outputs).step_by(REGISTERS * I::LANES) {
            self.unpack::<I>(first);
            // As many rows as there are registers for.
            if I::LANES == MAX_LANES {
                self.all_rows_by_levels::<I, 4>(first);
            } else {
                self.all_rows_by_levels::<I, 2>(first);
            }
        }
    }
}

impl<F: Format> Product<'_, F> {
    /// One row of `input` times the outputs of a register.
    #[inline(always)]
    fn row_by_words<I: Isa>(&self, row: usize, first: usize) {
        let input = self.input.row(row);
        let mut sums = I::splat(0.0);
        let blocks = self.panels.blocks::<F>(self.tile.first + first);
        for (block, input) in blocks.zip(input.chunks_exact(F::STEPS * F::GROUPS / 8)) {
            block.prefetch::<I, F>();
            let scale = block.unit::<I, false>();
            let min = if F::AFFINE { block.unit::<I, true>() } else { scale };
            for first in (0..F::STEPS).step_by(F::UNROLLED) {
                for step in 0..F::UNROLLED {
                    let step = first + step;
                    let x = Step::new::<F>(input, step);
                    let mut products = I::splat_int(x.offset::<F>());
                    for group in 0..F::GROUPS {
                        products = dot::<I, F>(products, block.levels::<I, F>(step, group), x.words[group]);
                    }
                    let scale = block.scale::<I, F, false>(scale, step);
                    let min = || block.scale::<I, F, true>(min, step);
                    sums = add_scaled::<I, F>(sums, products, x.block, scale, min);
                }
            }
        }
        self.write::<I>(row, first, sums);
    }

    /// Takes the numbers of the outputs from `first` on from their words, as many as are computed side by side. Those
    /// beyond the end of the matrix are zeros.
    #[inline(always)]
    fn unpack<I: Isa>(&mut self, first: usize) {
        let columns = REGISTERS * I::LANES;
        let steps = self.panels.width() * F::STEPS;
        let Scratch { scales, mins, levels } = &mut *self.scratch;
        scales.resize(steps * columns, 0.0);
        mins.resize(if F::AFFINE { steps * columns } else { 0 }, 0.0);
        levels.resize(steps * F::GROUPS * columns, 0);
        for register in 0..REGISTERS {
            let first = first + register * I::LANES;
            if first >= self.tile.outputs {
                break;
            }
            for (index, block) in self.panels.blocks::<F>(self.tile.first + first).enumerate() {
                for step in 0..F::STEPS {
                    let at = (index * F::STEPS + step) * columns + register * I::LANES;
                    I::store(block.scale::<I, F, false>(block.unit::<I, false>(), step), &mut scales[at..]);
                    if F::AFFINE {
                        I::store(block.scale::<I, F, true>(block.unit::<I, true>(), step), &mut mins[at..]);
                    }
                    for group in 0..F::GROUPS {
                        let at = (index * F::STEPS + step) * F::GROUPS + group;
                        let at = at * columns + register * I::LANES;
                        I::store_int(block.levels::<I, F>(step, group), &mut levels[at..]);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn all_rows_by_levels<I: Isa, const ROWS: usize>(&self, first: usize) {
        let count = self.input.count();
        let whole = count - count % ROWS;
        for row in (0..whole).step_by(ROWS) {
            self.rows_by_levels::<I, ROWS>(row, first);
        }
        for row in whole..count {
            self.rows_by_levels::<I, 1>(row, first);
        }
    }

    /// `ROWS` rows of `input` from `row` on, times what was unpacked.
    #[inline(always)]
    fn rows_by_levels<I: Isa, const ROWS: usize>(&self, row: usize, first: usize) {
        let Scratch { scales, mins, levels } = &*self.scratch;
        let input: [&[input::Block]; ROWS] = array(|i| self.input.row(row + i));
        let mut sums = [[I::splat(0.0); REGISTERS]; ROWS];
        for (step, levels) in levels.chunks_exact(F::GROUPS * REGISTERS * I::LANES).enumerate() {
            let x: [Step<'_>; ROWS] = array(|i| Step::new::<F>(input[i], step));
            let mut products = [[I::splat_int(0); REGISTERS]; ROWS];
            for i in 0..ROWS {
                products[i] = [I::splat_int(x[i].offset::<F>()); REGISTERS];
            }
            for group in 0..F::GROUPS {
                let levels: [I::Ints; REGISTERS] =
                    array(|register| I::load_int(&levels[(group * REGISTERS + register) * I::LANES..]));
                for i in 0..ROWS {
                    for register in 0..REGISTERS {
                        products[i][register] =
                            dot::<I, F>(products[i][register], levels[register], x[i].words[group]);
                    }
                }
            }
            for i in 0..ROWS {
                for register in 0..REGISTERS {
                    let at = (step * REGISTERS + register) * I::LANES;
                    let (sum, products) = (sums[i][register], products[i][register]);
                    let min = || I::load(&mins[at..]);
                    sums[i][register] =
                        add_scaled::<I, F>(sum, products, x[i].block, I::load(&scales[at..]), min);
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (register, sums) in sums.into_iter().enumerate() {
                self.write::<I>(row + i, first + register * I::LANES, sums);
            }
        }
    }

    /// Stores the lanes as outputs from `first` on, as far as the tile goes.
    #[inline(always)]
    fn write<I: Isa>(&self, row: usize, first: usize, sums: I::Floats) {
        let mut values = [0.0; MAX_LANES];
        I::store(sums, &mut values);
        let first = self.tile.outputs.min(first);
        let count = I::LANES.min(self.tile.outputs - first);
        self.tile.write(row, first, &values[..count]);
    }
}

#[inline(always)]
fn dot<I: Isa, F: Format>(sums: I::Ints, levels: I::Ints, activations: i32) -> I::Ints {
    match F::OFFSET {
        128 => I::dot::<true>(sums, levels, activations),
        _ => I::dot::<false>(sums, levels, activations),
    }
}

/// Adds `products`, scaled by the weights' scales and the activations' scale.
#[inline(always)]
fn add_scaled<I: Isa, F: Format>(
    sums: I::Floats,
    products: I::Ints,
    x: &input::Block,
    scale: I::Floats,
    min: impl FnOnce() -> I::Floats,
) -> I::Floats {
    let scaled = I::mul(I::to_float(products), scale);
    let sums = I::add(sums, I::mul(scaled, I::splat(x.scale)));
    if !F::AFFINE {
        return sums;
    }
    I::sub(sums, I::mul(min(), I::splat(x.sum)))
}

/// The activations of one step.
#[derive(Clone, Copy)]
struct Step<'a> {
    block: &'a input::Block,
    words: &'a [i32],
    /// Of the levels.
    sum: i32,
}

impl<'a> Step<'a> {
    #[inline(always)]
    fn new<F: Format>(row: &'a [input::Block], step: usize) -> Self {
        if F::GROUPS == 8 {
            let block = &row[step];
            return Self { block, words: &block.words, sum: block.sums[0] + block.sums[1] };
        }
        let (block, half) = (&row[step / 2], step % 2);
        Self { block, words: &block.words[4 * half..][..4], sum: block.sums[half] }
    }

    /// What the offset of the levels adds to the products.
    #[inline(always)]
    fn offset<F: Format>(&self) -> i32 {
        -i32::from(F::OFFSET) * self.sum
    }
}
