//! Takes one tensor from file to file, a slab of rows at a time on every thread.

use rayon::prelude::*;

use super::plan::Step;
use crate::error::{Error, ErrorKind, Result};
use crate::{OutputFile, Progress, block};

/// Elements a thread works on at once. As floats, twice, they stay in the second-level cache.
const SLAB: usize = 1 << 16;
/// What counts as a block of a type that has none, for the report.
const PLAIN_BLOCK: usize = 32;

/// Where a tensor goes.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a OutputFile,
    pub(super) offset: u64,
}

/// How far the output is from the input.
#[derive(Clone, Copy, Default)]
pub(super) struct Loss {
    /// Sum of squared differences.
    pub(super) squared: f64,
    /// The block with the largest mean squared difference, and that mean.
    pub(super) worst: Option<(usize, f64)>,
}

/// Writes the tensor of `step` to `place`, in the type the step says.
pub(super) fn write(step: &Step, place: Place, progress: &dyn Progress) -> Result<Loss> {
    let (row_len, rows) =
        (step.target.shape().row_len(), step.target.shape().elements() / step.target.shape().row_len());
    let mut slab_rows = (SLAB / row_len).max(1);
    if !row_len.is_multiple_of(report_block(step)) {
        slab_rows = slab_rows.next_multiple_of(report_block(step));
    }
    let losses: Vec<Loss> = (0..rows.div_ceil(slab_rows))
        .into_par_iter()
        .map_init(Buffers::default, |buffers, i| {
            progress.check()?;
            let first = i * slab_rows;
            buffers.convert(step, first, slab_rows.min(rows - first), place)
        })
        .collect::<Result<_>>()?;
    let blocks_per_slab = slab_rows * row_len / report_block(step);
    Ok(losses.iter().enumerate().fold(Loss::default(), |sum, (i, loss)| sum.plus(*loss, i * blocks_per_slab)))
}

fn report_block(step: &Step) -> usize {
    step.target.ty().block_len().max(PLAIN_BLOCK)
}

#[derive(Default)]
struct Buffers {
    values: Vec<f32>,
    blocks: Vec<u8>,
    decoded: Vec<f32>,
}

impl Buffers {
    /// Writes `rows` rows from `first` on: as they are, or decoded and encoded.
    fn convert(&mut self, step: &Step, first: usize, rows: usize, place: Place) -> Result<Loss> {
        let (from, to) = (step.source.info, &step.target);
        let row_len = to.shape().row_len();
        let source_row = from.bytes() / (to.shape().elements() / row_len);
        let target_row = to.bytes() / (to.shape().elements() / row_len);
        let source = &step.source.data[first * source_row..][..rows * source_row];
        let offset = place.offset + (first * target_row) as u64;
        let unfit = |why: String| {
            let field = format!("tensor {:?} rows {first} to {}", to.name(), first + rows);
            Error::new(ErrorKind::Malformed, field, why)
        };
        if from.ty() == to.ty() {
            block::validate(to.ty(), source).map_err(|e| unfit(e.to_string()))?;
            place.file.write_all_at(source, offset)?;
            return Ok(Loss::default());
        }

        self.values.resize(rows * row_len, 0.0);
        self.decoded.resize(rows * row_len, 0.0);
        self.blocks.resize(rows * target_row, 0);
        block::decode(from.ty(), source, &mut self.values)?;
        self.encode(step, first, row_len, target_row).map_err(|e| unfit(e.to_string()))?;
        block::decode(to.ty(), &self.blocks, &mut self.decoded)?;
        let loss = loss(&self.values, &self.decoded, report_block(step));
        if !loss.squared.is_finite() {
            return Err(unfit(format!("found a value too large for {}", to.ty())));
        }
        place.file.write_all_at(&self.blocks, offset)?;
        Ok(loss)
    }

    /// Encodes the values, which start at row `first`; each expert has weights of its own.
    fn encode(&mut self, step: &Step, first: usize, row_len: usize, target_row: usize) -> Result<()> {
        let ty = step.target.ty();
        let Some(importance) = step.importance else {
            return block::encode(ty, &self.values, row_len, None, &mut self.blocks);
        };
        let rows_per_expert = step.target.shape().dim(1);
        let rows = self.values.chunks(row_len).zip(self.blocks.chunks_mut(target_row));
        for (row, (values, blocks)) in rows.enumerate() {
            let expert = (first + row) / rows_per_expert;
            block::encode(ty, values, row_len, Some(&importance[expert * row_len..][..row_len]), blocks)?;
        }
        Ok(())
    }
}

/// Compares in blocks of `block` elements. The sums within a block are of f32, over lanes that vectorise.
fn loss(values: &[f32], decoded: &[f32], block: usize) -> Loss {
    let mut total = Loss::default();
    for (i, (a, b)) in values.chunks(block).zip(decoded.chunks(block)).enumerate() {
        let squared = squared_distance(a, b);
        total =
            total.plus(Loss { squared, worst: (squared > 0.0).then(|| (0, squared / a.len() as f64)) }, i);
    }
    total
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0f32; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    let sum = sums.iter().map(|&s| f64::from(s)).sum::<f64>();
    let exact = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
    };
    let rest = exact(a_rest, b_rest);
    if sum.is_finite() { sum + rest } else { exact(a.as_flattened(), b.as_flattened()) + rest }
}

impl Loss {
    /// Adds `other`, whose blocks are counted from `first_block` on.
    fn plus(self, other: Self, first_block: usize) -> Self {
        let moved = other.worst.map(|(index, mean)| (index + first_block, mean));
        let worst = match (self.worst, moved) {
            (Some(a), Some(b)) => Some(if b.1 > a.1 { b } else { a }),
            (a, b) => a.or(b),
        };
        Self { squared: self.squared + other.squared, worst }
    }
}
