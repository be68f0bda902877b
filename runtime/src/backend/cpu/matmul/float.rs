//! Products of weights with activations as they are, in f32.
//!
//! Lanes run along the input, and each pair of rows has its own sums: they do not depend on how many rows there are.

use lorgnette_quant::TensorType;
use lorgnette_quant::block;

use super::Tile;
use crate::Result;
use crate::backend::cpu::Rows;
use crate::backend::cpu::isa::{Isa, Level, MAX_LANES, Work, array};

/// Rows of weights in a kernel.
const WEIGHTS: usize = 4;

/// A tile of weights in any format, times all rows of activations.
pub(super) fn product(
    level: Level,
    ty: TensorType,
    tile: &Tile<'_>,
    rows: &Rows,
    floats: &mut Vec<f32>,
) -> Result<()> {
    // With few activations a part of the tile is read back while it is in the nearest cache.
    let part = if rows.count() < WEIGHTS { WEIGHTS } else { tile.outputs };
    let row_bytes = tile.rows.len() / tile.outputs;
    for (index, bytes) in tile.rows.chunks(part * row_bytes).enumerate() {
        floats.resize(bytes.len() / row_bytes * rows.width, 0.0);
        block::decode(ty, bytes, floats)?;
        level.run(Product { tile, first: index * part, weights: floats, rows });
    }
    Ok(())
}

struct Product<'a> {
    tile: &'a Tile<'a>,
    /// The output of the first row of `weights`.
    first: usize,
    weights: &'a [f32],
    rows: &'a Rows,
}

impl Work for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        if I::LANES == MAX_LANES {
            self.all_rows::<I, 4>();
        } else {
            self.all_rows::<I, 2>();
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn all_rows<I: Isa, const ROWS: usize>(&self) {
        let whole = self.rows.count() - self.rows.count() % ROWS;
        for row in (0..whole).step_by(ROWS) {
            self.all_weights::<I, ROWS>(row);
        }
        for row in whole..self.rows.count() {
            self.all_weights::<I, 1>(row);
        }
    }

    #[inline(always)]
    fn all_weights<I: Isa, const ROWS: usize>(&self, row: usize) {
        let width = self.rows.width;
        let x: [&[f32]; ROWS] = array(|i| &self.rows.values[(row + i) * width..][..width]);
        let weights = self.weights.chunks_exact(width);
        let count = weights.len();
        let whole = count - count % WEIGHTS;
        for at in (0..whole).step_by(WEIGHTS) {
            self.write(row, at, dots::<I, ROWS, WEIGHTS>(x, self.weight_rows(at)));
        }
        for at in whole..count {
            self.write(row, at, dots::<I, ROWS, 1>(x, self.weight_rows(at)));
        }
    }

    #[inline(always)]
    fn weight_rows<const COUNT: usize>(&self, at: usize) -> [&[f32]; COUNT] {
        array(|i| &self.weights[(at + i) * self.rows.width..][..self.rows.width])
    }

    #[inline(always)]
    fn write<const ROWS: usize, const COUNT: usize>(
        &self,
        row: usize,
        at: usize,
        dots: [[f32; COUNT]; ROWS],
    ) {
        for (i, dots) in dots.iter().enumerate() {
            self.tile.write(row + i, self.first + at, dots);
        }
    }
}

/// The dot products of each row of `a` with each of `b`; all rows are as long.
#[inline(always)]
fn dots<I: Isa, const A: usize, const B: usize>(a: [&[f32]; A], b: [&[f32]; B]) -> [[f32; B]; A] {
    let len = a[0].len();
    let whole = len - len % I::LANES;
    let mut sums = [[I::splat(0.0); B]; A];
    for at in (0..whole).step_by(I::LANES) {
        let b: [I::Floats; B] = array(|j| I::load(&b[j][at..at + I::LANES]));
        for i in 0..A {
            let a = I::load(&a[i][at..at + I::LANES]);
            for j in 0..B {
                sums[i][j] = I::fma(a, b[j], sums[i][j]);
            }
        }
    }
    let mut dots = [[0.0; B]; A];
    for i in 0..A {
        for j in 0..B {
            dots[i][j] = I::sum(sums[i][j]);
            for at in whole..len {
                dots[i][j] += a[i][at] * b[j][at];
            }
        }
    }
    dots
}
