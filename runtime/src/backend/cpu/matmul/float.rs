//! Products of weights with activations as they are, in f32.
//!
//! Weights are decoded and turned, some at a time, into panels whose lanes run along the outputs. Each product is summed
//! from the first input to the last, whatever the number of rows.

use lorgnette_quant::TensorType;
use lorgnette_quant::block;

use super::Tile;
use crate::Result;
use crate::backend::cpu::Rows;
use crate::backend::cpu::isa::{Isa, Level, MAX_LANES, Work, array};
use crate::backend::cpu::outer::{MAX_COLUMNS, REGISTERS, accumulate, most_rows};

/// Inputs of a panel: a multiple of the length of every block, so few that a panel fits into the nearest cache.
const DEPTH: usize = 256;

/// The same for fewer than [`FEW`] rows, which read a panel once: longer stretches of memory are read faster.
const DEPTH_FOR_FEW: usize = 1024;

const FEW: usize = 4;

/// What a thread keeps between tiles.
#[derive(Default)]
pub(super) struct Scratch {
    /// `[lane][depth]`.
    decoded: Vec<f32>,
    /// `[panel][depth][column]`.
    panels: Vec<f32>,
}

/// A tile of weights in any format, whose rows are `blocks`, times all rows of activations.
pub(super) fn product(
    level: Level,
    tile: &Tile<'_>,
    blocks: &[u8],
    rows: &Rows,
    scratch: &mut Scratch,
) -> Result<()> {
    let most = if rows.count() < FEW { DEPTH_FOR_FEW } else { DEPTH };
    level.run(Product { ty: tile.product.matrix.ty, tile, blocks, rows, most, scratch })
}

struct Product<'a> {
    ty: TensorType,
    tile: &'a Tile<'a>,
    blocks: &'a [u8],
    rows: &'a Rows,
    /// Inputs of a panel.
    most: usize,
    scratch: &'a mut Scratch,
}

impl Work for Product<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<I: Isa>(mut self) -> Result<()> {
        for start in (0..self.rows.width).step_by(self.most) {
            let depth = self.most.min(self.rows.width - start);
            self.pack::<I>(start, depth)?;
            if I::LANES == MAX_LANES {
                self.all_rows::<I, { most_rows(MAX_LANES) }>(start, depth);
            } else {
                self.all_rows::<I, { most_rows(0) }>(start, depth);
            }
        }
        Ok(())
    }
}

impl Product<'_> {
    /// Makes panels of `depth` inputs from `start` on.
    #[inline(always)]
    fn pack<I: Isa>(&mut self, start: usize, depth: usize) -> Result<()> {
        let (columns, most) = (REGISTERS * I::LANES, self.most);
        let row_bytes = self.blocks.len() / self.tile.outputs;
        let blocks = |elements: usize| elements / self.ty.block_len() * self.ty.block_bytes();
        let Scratch { decoded, panels } = &mut *self.scratch;
        decoded.resize(I::LANES * most, 0.0);
        panels.resize(self.tile.outputs.next_multiple_of(columns) * most, 0.0);
        for first in (0..self.tile.outputs).step_by(I::LANES) {
            let rows = self.blocks.chunks_exact(row_bytes).skip(first).take(I::LANES);
            for (row, decoded) in rows.zip(decoded.chunks_exact_mut(most)) {
                let (row, decoded) = (&row[blocks(start)..][..blocks(depth)], &mut decoded[..depth]);
                match self.ty {
                    TensorType::F16 => decode_halves::<I>(row, decoded),
                    ty => block::decode(ty, row, decoded)?,
                }
            }
            let panel = &mut panels[first / columns * columns * most..][..columns * most];
            for input in (0..depth).step_by(I::LANES) {
                let out = &mut panel[input * columns + first % columns..];
                I::transpose(&decoded[input..], most, out, columns);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn all_rows<I: Isa, const ROWS: usize>(&self, start: usize, depth: usize) {
        let (mut row, count) = (0, self.rows.count());
        while row + ROWS <= count {
            self.some_rows::<I, ROWS>(row, start, depth);
            row += ROWS;
        }
        while row + 2 <= count {
            self.some_rows::<I, 2>(row, start, depth);
            row += 2;
        }
        if row < count {
            self.some_rows::<I, 1>(row, start, depth);
        }
    }

    /// Adds to the outputs of `ROWS` rows from `row` on what the panels give.
    #[inline(always)]
    fn some_rows<I: Isa, const ROWS: usize>(&self, row: usize, start: usize, depth: usize) {
        let columns = REGISTERS * I::LANES;
        let x: [&[f32]; ROWS] = array(|i| &self.rows.values[(row + i) * self.rows.width + start..][..depth]);
        for (index, panel) in self.scratch.panels.chunks_exact(columns * self.most).enumerate() {
            let at = index * columns;
            let Some(outputs) = self.tile.outputs.checked_sub(at).filter(|&n| n > 0) else { break };
            let outputs = outputs.min(columns);
            // Loops over sums are small, so that they are unrolled and sums stay in registers.
            let mut values = [[0.0; MAX_COLUMNS]; ROWS];
            if start > 0 {
                for (i, values) in values.iter_mut().enumerate() {
                    // SAFETY: no others are held.
                    copy::<I>(unsafe { self.tile.part(self.tile.out, row + i, at..at + outputs) }, values);
                }
            }
            let sums = array(|i| array(|register| I::load(&values[i][register * I::LANES..])));
            let sums = accumulate::<I, f32, ROWS, REGISTERS>(sums, x, panel, columns);
            for (sums, values) in sums.into_iter().zip(&mut values) {
                for (register, sum) in sums.into_iter().enumerate() {
                    I::store(sum, &mut values[register * I::LANES..]);
                }
            }
            for (i, values) in values.iter().enumerate() {
                // SAFETY: no others are held.
                copy::<I>(values, unsafe { self.tile.part(self.tile.out, row + i, at..at + outputs) });
            }
        }
    }
}

/// As [`block::decode`], in registers of this level: with a single row of activations this is most of the work.
#[inline(always)]
fn decode_halves<I: Isa>(bytes: &[u8], out: &mut [f32]) {
    let halves: &[[u8; 2]] = bytes.as_chunks().0;
    let whole = halves.len() - halves.len() % I::LANES;
    let mut bits = [0; MAX_LANES];
    for at in (0..whole).step_by(I::LANES) {
        let halves = &halves[at..][..I::LANES];
        for (bits, half) in bits[..I::LANES].iter_mut().zip(halves) {
            *bits = u16::from_le_bytes(*half);
        }
        I::store(I::load_halves(&bits), &mut out[at..]);
    }
    for (bits, half) in bits.iter_mut().zip(&halves[whole..]) {
        *bits = u16::from_le_bytes(*half);
    }
    let mut rest = [0.0; MAX_LANES];
    I::store(I::load_halves(&bits), &mut rest);
    out[whole..].copy_from_slice(&rest[..halves.len() - whole]);
}

/// As many floats as there are in the shorter one.
#[inline(always)]
fn copy<I: Isa>(from: &[f32], to: &mut [f32]) {
    let count = from.len().min(to.len());
    if count == REGISTERS * I::LANES {
        for at in [0, I::LANES] {
            I::store(I::load(&from[at..]), &mut to[at..]);
        }
    } else {
        to[..count].copy_from_slice(&from[..count]);
    }
}
