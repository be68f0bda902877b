//! Rows times matrices that stay in their blocks.
//!
//! Where the format has integer levels, activations are quantized to 8 bits, once for all matrices that read them
//! ([`integer`]). Other weights are decoded, a few rows at a time, and activations stay floats ([`float`]).

mod float;
mod format;
mod input;
mod integer;
mod k_quant;
mod legacy;
#[cfg(test)]
mod tests;
mod weights;

use std::cell::RefCell;
use std::sync::OnceLock;

use lorgnette_quant::TensorType;

use self::format::{Format, with_format};
use self::input::Quantized;
use self::weights::Scratch;
use super::isa::Level;
use super::team::{self, Shared};
use super::{Rows, Weights};
use crate::Result;
use crate::backend::Linear;

/// Outputs that are computed together: with many activations their weights should fit into the second cache.
const TILE: usize = 32;

/// `rows` times the transpose of each weight, and the bias.
pub(super) fn linears<const N: usize>(linears: [&Linear<Weights>; N], rows: &Rows) -> Result<[Rows; N]> {
    let mut outs = matmuls(linears.map(|linear| &linear.weight), rows)?;
    for (linear, out) in linears.iter().zip(&mut outs) {
        if let Some(bias) = &linear.bias {
            out.iter_mut().for_each(|row| row.iter_mut().zip(bias.vector()).for_each(|(x, b)| *x += b));
        }
    }
    Ok(outs)
}

/// `[count][input]` times the transpose of each `[output][input]`: `[count][output]`.
pub(super) fn matmuls<const N: usize>(weights: [&Weights; N], rows: &Rows) -> Result<[Rows; N]> {
    matmuls_at(Level::best(), weights.map(View::new), rows)
}

/// The bytes of `[outputs][inputs]`.
#[derive(Clone, Copy)]
struct View<'a> {
    ty: TensorType,
    data: &'a [u8],
    outputs: usize,
}

impl<'a> View<'a> {
    fn new(weights: &'a Weights) -> Self {
        let matrix = weights.matrix();
        Self { ty: matrix.ty(), data: matrix.data(), outputs: matrix.rows() }
    }

    fn has_levels(&self) -> bool {
        fn yes<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize>() {}
        with_format!(self.ty, yes()).is_some()
    }

    /// The outputs from `first` on, at most [`TILE`].
    fn tile<'b>(&self, first: usize, out: &'b Shared<'b, f32>) -> Tile<'b>
    where
        'a: 'b,
    {
        let row_bytes = self.data.len() / self.outputs;
        let outputs = TILE.min(self.outputs - first);
        Tile {
            rows: &self.data[first * row_bytes..][..outputs * row_bytes],
            outputs,
            first,
            width: self.outputs,
            out,
        }
    }
}

/// Some rows of a matrix, and where their products go.
struct Tile<'a> {
    rows: &'a [u8],
    outputs: usize,
    /// The number of the first one in the matrix.
    first: usize,
    /// Outputs of the matrix.
    width: usize,
    out: &'a Shared<'a, f32>,
}

impl Tile<'_> {
    /// Stores outputs of the tile from `at` on.
    #[inline(always)]
    fn write(&self, row: usize, at: usize, values: &[f32]) {
        assert!(at + values.len() <= self.outputs);
        // SAFETY: within the matrix a tile has its outputs for itself, and one thread has the tile.
        let out = unsafe { self.out.slice(row * self.width + self.first + at, values.len()) };
        out.copy_from_slice(values);
    }
}

/// What a thread keeps between tiles.
#[derive(Default)]
struct Buffers {
    integer: Scratch,
    floats: Vec<f32>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

fn matmuls_at<const N: usize>(level: Level, matrices: [View<'_>; N], rows: &Rows) -> Result<[Rows; N]> {
    let quantized = matrices.iter().any(View::has_levels).then(|| Quantized::new(level, rows));
    let mut outs = matrices.map(|matrix| Rows::zeros(rows.count(), matrix.outputs));
    let sinks = outs.each_mut().map(|out| Shared::new(&mut out.values));
    let tiles = matrices.map(|matrix| matrix.outputs.div_ceil(TILE));
    let failed = OnceLock::new();
    team::for_each(tiles.iter().sum(), |mut index| {
        let mut matrix = 0;
        while index >= tiles[matrix] {
            index -= tiles[matrix];
            matrix += 1;
        }
        let tile = matrices[matrix].tile(index * TILE, &sinks[matrix]);
        if let Err(error) = product(level, matrices[matrix].ty, &tile, rows, quantized.as_ref()) {
            let _ = failed.set(error);
        }
    });
    failed.into_inner().map_or(Ok(outs), Err)
}

fn product(
    level: Level,
    ty: TensorType,
    tile: &Tile<'_>,
    rows: &Rows,
    quantized: Option<&Quantized>,
) -> Result<()> {
    BUFFERS.with_borrow_mut(|buffers| {
        let Buffers { integer, floats } = buffers;
        let by_levels =
            quantized.and_then(|input| with_format!(ty, integer::product(level, tile, input, integer)));
        by_levels.map_or_else(|| float::product(level, ty, tile, rows, floats), Ok)
    })
}
