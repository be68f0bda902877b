//! Rows times matrices that stay in their blocks.
//!
//! Where the format has integer levels, rows of weights are put side by side ([`panels`]), and activations are quantized
//! to 8 bits, once for all matrices that read them ([`integer`]). Other weights are decoded, a few rows at a time, and
//! activations stay floats ([`float`]).

mod float;
mod format;
mod input;
mod integer;
mod k_quant;
mod legacy;
mod panels;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::ops::Range;
use std::sync::OnceLock;

use lorgnette_quant::TensorType;

use self::format::with_format;
use self::input::Quantized;
pub(super) use self::panels::Panels;
use super::activation::activate;
use super::isa::{Isa, Level, Work};
use super::team::{self, Shared};
use super::{Rows, Weights};
use crate::Result;
use crate::backend::{Activation, Linear};

/// Outputs that are computed together: with many activations their weights should fit into the second cache.
const TILE: usize = 32;

/// `rows` times the transpose of each weight, and the bias.
pub(super) fn linears<const N: usize>(linears: [&Linear<Weights>; N], rows: &Rows) -> Result<[Rows; N]> {
    matmuls(Level::best(), linears.map(Product::new), rows)
}

/// `rows` times the transpose of the weight, and the bias, bent by `activation`.
pub(super) fn dense(linear: &Linear<Weights>, activation: Option<Activation>, rows: &Rows) -> Result<Rows> {
    let [out] = matmuls(Level::best(), [Product { activation, ..Product::new(linear) }], rows)?;
    Ok(out)
}

/// Adds `rows` times the transpose of the weight, and the bias, to `residual`.
pub(super) fn project_onto(linear: &Linear<Weights>, rows: &Rows, residual: &mut Rows) -> Result<()> {
    let residual = Shared::new(&mut residual.values);
    matmuls(Level::best(), [Product { residual: Some(&residual), ..Product::new(linear) }], rows)?;
    Ok(())
}

/// `[count][input]` times the transpose of `[output][input]`: `[count][output]`.
pub(super) fn matmul(weights: &Weights, rows: &Rows) -> Result<Rows> {
    let [out] = matmuls(Level::best(), [Product::plain(View::new(weights))], rows)?;
    Ok(out)
}

/// A matrix, and what becomes of its product.
#[derive(Clone, Copy)]
struct Product<'a> {
    matrix: View<'a>,
    bias: Option<&'a [f32]>,
    activation: Option<Activation>,
    /// As large as the product, which is added to it.
    residual: Option<&'a Shared<'a, f32>>,
}

impl<'a> Product<'a> {
    fn new(linear: &'a Linear<Weights>) -> Self {
        let bias = linear.bias.as_ref().map(Weights::vector);
        Self { bias, ..Self::plain(View::new(&linear.weight)) }
    }

    fn plain(matrix: View<'a>) -> Self {
        Self { matrix, bias: None, activation: None, residual: None }
    }

    /// The outputs from `first` on, at most [`TILE`].
    fn tile<'b>(&'b self, first: usize, out: &'b Shared<'b, f32>) -> Tile<'b> {
        Tile { outputs: TILE.min(self.matrix.outputs - first), first, product: self, out }
    }
}

/// The weights of `[outputs][inputs]`.
#[derive(Clone, Copy)]
struct View<'a> {
    ty: TensorType,
    outputs: usize,
    data: Data<'a>,
}

#[derive(Clone, Copy)]
enum Data<'a> {
    /// As they are mapped.
    Blocks(&'a [u8]),
    /// Where there are integer levels.
    Panels(&'a Panels),
}

impl<'a> View<'a> {
    fn new(weights: &'a Weights) -> Self {
        let matrix = weights.matrix();
        let data = weights.panels().map_or(Data::Blocks(matrix.data()), Data::Panels);
        Self { ty: matrix.ty(), outputs: matrix.rows(), data }
    }

    fn has_levels(&self) -> bool {
        matches!(self.data, Data::Panels(_))
    }
}

/// Some rows of a matrix, and where their products go.
struct Tile<'a> {
    outputs: usize,
    /// The number of the first one in the matrix.
    first: usize,
    product: &'a Product<'a>,
    out: &'a Shared<'a, f32>,
}

impl Tile<'_> {
    /// Stores outputs of the tile from `at` on.
    #[inline(always)]
    fn write(&self, row: usize, at: usize, values: &[f32]) {
        // SAFETY: they are held for no longer than this line.
        unsafe { self.part(self.out, row, at..at + values.len()) }.copy_from_slice(values);
    }

    /// Some of the tile's outputs in one row of `matrix`, which is as large as the product.
    ///
    /// # Safety
    /// While they are held, the thread that has the tile asks for no other of them.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "that none overlap is the caller's promise")]
    unsafe fn part<'a>(&self, matrix: &'a Shared<'_, f32>, row: usize, at: Range<usize>) -> &'a mut [f32] {
        assert!(at.end <= self.outputs);
        let start = row * self.product.matrix.outputs + self.first + at.start;
        // SAFETY: within a matrix a tile has its outputs for itself, and one thread has the tile.
        unsafe { matrix.slice(start, at.len()) }
    }
}

/// What comes after the sums of a tile, while they are in the cache: bias, activation, residual.
struct Finish<'a> {
    tile: &'a Tile<'a>,
    /// Rows of activations.
    rows: usize,
}

impl Work for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let tile = self.tile;
        let Product { bias, activation, residual, .. } = *tile.product;
        let bias = bias.map(|bias| &bias[tile.first..][..tile.outputs]);
        for row in 0..self.rows {
            // SAFETY: `values` are the only ones of the product that are held.
            let values = unsafe { tile.part(tile.out, row, 0..tile.outputs) };
            if let Some(bias) = bias {
                add(values, bias);
            }
            if let Some(activation) = activation {
                activate::<I>(activation, values);
            }
            if let Some(residual) = residual {
                // SAFETY: as above, in another matrix.
                add(unsafe { tile.part(residual, row, 0..tile.outputs) }, values);
            }
        }
    }
}

#[inline(always)]
fn add(to: &mut [f32], values: &[f32]) {
    for (to, x) in to.iter_mut().zip(values) {
        *to += x;
    }
}

/// What a thread keeps between tiles.
#[derive(Default)]
struct Buffers {
    integer: integer::Scratch,
    float: float::Scratch,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

fn matmuls<const N: usize>(level: Level, products: [Product<'_>; N], rows: &Rows) -> Result<[Rows; N]> {
    let levels = products.iter().any(|product| product.matrix.has_levels());
    let quantized = if levels { Quantized::new(level, rows) } else { Quantized::default() };
    let mut outs = products.map(|product| Rows::zeros(rows.count(), product.matrix.outputs));
    let sinks = outs.each_mut().map(|out| Shared::new(&mut out.values));
    let tiles = products.map(|product| product.matrix.outputs.div_ceil(TILE));
    let failed = OnceLock::new();
    team::for_each(tiles.iter().sum(), |mut index| {
        let mut number = 0;
        while index >= tiles[number] {
            index -= tiles[number];
            number += 1;
        }
        let tile = products[number].tile(index * TILE, &sinks[number]);
        if let Err(error) = sums(level, &tile, rows, &quantized) {
            let _ = failed.set(error);
        }
        level.run(Finish { tile: &tile, rows: rows.count() });
    });
    failed.into_inner().map_or(Ok(outs), Err)
}

/// All rows times the weights of a tile; `quantized` if they have levels.
fn sums(level: Level, tile: &Tile<'_>, rows: &Rows, quantized: &Quantized) -> Result<()> {
    let View { ty, outputs, data } = tile.product.matrix;
    BUFFERS.with_borrow_mut(|Buffers { integer, float }| match data {
        Data::Panels(panels) => {
            with_format!(ty, integer::product(level, tile, panels, quantized, integer));
            Ok(())
        }
        Data::Blocks(blocks) => {
            let row_bytes = blocks.len() / outputs;
            let blocks = &blocks[tile.first * row_bytes..][..tile.outputs * row_bytes];
            float::product(level, tile, blocks, rows, float)
        }
    })
}
