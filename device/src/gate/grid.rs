//! Frames reduced to block means, and what differs between two of them.

use super::shift;
use crate::camera::{Luma, Region};

/// Blocks along the side of a tile.
const TILE: usize = 8;
/// Blocks between tiles, which overlap by half: what lies across the corners of some lies within another.
const STEP: usize = TILE / 2;
/// The part of the contrast around a block that a shake of less than a pixel may move into it.
const SHAKE: f32 = 0.15;
/// What exposure may do between two frames. Beyond, it is news.
const GAINS: (f32, f32) = (0.5, 2.0);
/// Standard deviations of noise that a block may differ by.
const DEVIATIONS: f32 = 5.0;
/// The most noise of block means that is believed, in levels; more is change everywhere.
const MOST_NOISE: f32 = 2.5;

/// Medians are taken of one block in so many.
const SAMPLE: usize = 7;

/// The mean brightness of each block.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// Pixels left and above of the first block, before any shift.
    margin: usize,
    /// Pixels along the side of a block.
    block: usize,
    columns: usize,
    rows: usize,
    means: Vec<f32>,
}

/// Memory that is reused from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    sums: Vec<u16>,
    ratios: Vec<f32>,
    residuals: Vec<f32>,
    /// Blocks that differ, of each square of [`STEP`] x [`STEP`].
    counts: Vec<usize>,
}

/// What differs between two grids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Difference {
    /// The part of the tiles that changed.
    pub(super) share: f32,
    /// A box around the tiles that changed.
    pub(super) region: Option<Region>,
    /// How many times brighter the second is.
    pub(super) gain: f32,
}

impl Grid {
    /// Takes the means of at most `columns` blocks along the width of a frame that has moved by `shift` pixels, right and
    /// down, within its [`shift::margin`]. What is left at its right and lower edge after whole blocks is left out.
    pub(super) fn reduce(
        &mut self,
        columns: usize,
        luma: Luma<'_>,
        shift: (isize, isize),
        scratch: &mut Scratch,
    ) {
        self.margin = shift::margin(luma.width, luma.height);
        let (left, top) =
            (self.margin.saturating_add_signed(shift.0), self.margin.saturating_add_signed(shift.1));
        let (width, height) = (luma.width - 2 * self.margin, luma.height - 2 * self.margin);
        // A column of 257 bright pixels still fits into its sum.
        self.block = luma.width.div_ceil(columns).min(257).min(width).min(height);
        (self.columns, self.rows) = (width / self.block, height / self.block);
        self.means.clear();
        let scale = 1.0 / (self.block * self.block) as f32;
        for row in 0..self.rows {
            column_sums(luma, top + row * self.block, self.block, &mut scratch.sums);
            let blocks = scratch.sums[left..].chunks_exact(self.block).take(self.columns);
            let sum = |block: &[u16]| block.iter().map(|&sum| u32::from(sum)).sum::<u32>();
            self.means.extend(blocks.map(|block| sum(block) as f32 * scale));
        }
    }

    /// What is in `current` and not in this grid, which has its shape.
    pub(super) fn compare(
        &self,
        current: &Self,
        threshold: f32,
        blocks: usize,
        scratch: &mut Scratch,
    ) -> Difference {
        let gain = self.gain_to(current, scratch);
        self.residuals(current, gain, &mut scratch.residuals);
        let noise = deviation(&scratch.residuals, &mut scratch.ratios);
        let limit = threshold.max(DEVIATIONS * noise.min(MOST_NOISE));
        let (mut tiles, mut changed) = (0, 0);
        let mut span: Option<[usize; 4]> = None;
        self.count(limit, &scratch.residuals, &mut scratch.counts);
        let squares = self.columns.div_ceil(STEP);
        for top in starts(self.rows) {
            for left in starts(self.columns) {
                tiles += 1;
                if count_in_tile(&scratch.counts, squares, left / STEP, top / STEP) < blocks {
                    continue;
                }
                changed += 1;
                let [x0, y0, x1, y1] = span.unwrap_or([left, top, left, top]);
                span = Some([x0.min(left), y0.min(top), x1.max(left), y1.max(top)]);
            }
        }
        let share = changed as f32 / tiles as f32;
        Difference { share, region: span.map(|span| self.pixels_of(span)), gain }
    }

    /// The median of the ratios of brightness: exposure multiplies, and multiplies what stays as it was, too.
    pub(super) fn gain_to(&self, current: &Self, Scratch { ratios, .. }: &mut Scratch) -> f32 {
        const DARK: f32 = 24.0;
        const BRIGHT: f32 = 235.0;
        let usable = |mean: f32| mean > DARK && mean < BRIGHT;
        let pairs = self.means.iter().zip(&current.means).step_by(SAMPLE);
        ratios.clear();
        ratios.extend(pairs.filter(|(before, now)| usable(**before) && usable(**now)).map(|(b, n)| n / b));
        median(ratios).unwrap_or(1.0).clamp(GAINS.0, GAINS.1)
    }

    /// Blocks along the width and the height.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// The means of a row of blocks.
    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.means[y * self.columns..][..self.columns]
    }

    /// How far each block is from what it was, beyond what exposure and a small shake explain. A block at the edge
    /// has itself for a neighbour.
    fn residuals(&self, current: &Self, gain: f32, residuals: &mut Vec<f32>) {
        residuals.clear();
        residuals.resize(self.means.len(), 0.0);
        let columns = self.columns;
        let rows = residuals.chunks_exact_mut(columns).zip(current.means.chunks_exact(columns));
        for (row, (out, now)) in rows.enumerate() {
            let line = |row: usize| &self.means[row * columns..][..columns];
            let (above, here) = (line(row.saturating_sub(1)), line(row));
            let below = line((row + 1).min(self.rows - 1));
            let mut at = |x: usize, left: usize, right: usize| {
                let beside = [above[x], below[x], here[left], here[right]];
                out[x] = residual(here[x], now[x], gain, beside);
            };
            at(0, 0, 1.min(columns - 1));
            at(columns - 1, columns.saturating_sub(2), columns - 1);
            let Some(inner) = columns.checked_sub(2) else { continue };
            let (left, right) = (&here[..inner], &here[2..]);
            let [above, here, below, now] = [above, here, below, now].map(|line| &line[1..=inner]);
            for (x, out) in out[1..=inner].iter_mut().enumerate() {
                *out = residual(here[x], now[x], gain, [above[x], below[x], left[x], right[x]]);
            }
        }
    }

    /// How many blocks of each square differ by more than `limit`.
    fn count(&self, limit: f32, residuals: &[f32], counts: &mut Vec<usize>) {
        let squares = self.columns.div_ceil(STEP);
        counts.clear();
        counts.resize(squares * self.rows.div_ceil(STEP), 0);
        for (y, row) in residuals.chunks_exact(self.columns).enumerate() {
            let line = &mut counts[y / STEP * squares..][..squares];
            for (count, square) in line.iter_mut().zip(row.chunks(STEP)) {
                *count += square.iter().filter(|&&residual| residual > limit).count();
            }
        }
    }

    /// The pixels of the tiles from the one at the first block to the one at the last.
    fn pixels_of(&self, [x0, y0, x1, y1]: [usize; 4]) -> Region {
        let right = (x1 + TILE).min(self.columns);
        let bottom = (y1 + TILE).min(self.rows);
        Region {
            x: self.margin + x0 * self.block,
            y: self.margin + y0 * self.block,
            width: (right - x0) * self.block,
            height: (bottom - y0) * self.block,
        }
    }
}

/// Where tiles begin along a side of `blocks` blocks: the last one reaches its end.
fn starts(blocks: usize) -> impl Iterator<Item = usize> {
    (0..blocks.saturating_sub(STEP).max(1)).step_by(STEP)
}

/// The sum of the four squares of a tile, or of those that there are; `squares` lie in a row.
fn count_in_tile(counts: &[usize], squares: usize, left: usize, top: usize) -> usize {
    let rows = counts.chunks_exact(squares).skip(top).take(TILE / STEP);
    rows.map(|row| row.iter().skip(left).take(TILE / STEP).sum::<usize>()).sum()
}

/// How far a block is from what it was, less what a shake may move into it from the blocks above, below, left and right.
#[inline(always)]
fn residual(before: f32, now: f32, gain: f32, [above, below, left, right]: [f32; 4]) -> f32 {
    let contrast = (right - left).abs().max((below - above).abs());
    let contrast = contrast.max((before - left).abs()).max((before - right).abs());
    // A block that is saturated, or lit by itself, does not follow the exposure.
    let apart = (now - gain * before).abs().min((now - before).abs());
    (apart - SHAKE * contrast).max(0.0)
}

/// Adds `count` rows from `first` on, pixel by pixel.
fn column_sums(luma: Luma<'_>, first: usize, count: usize, sums: &mut Vec<u16>) {
    sums.clear();
    sums.resize(luma.width, 0);
    for y in first..first + count {
        match luma.step {
            1 => add_row::<1>(luma.row(y), sums),
            2 => add_row::<2>(luma.row(y), sums),
            _ => add_row::<3>(luma.row(y), sums),
        }
    }
}

/// Adds pixels that lie `STEP` bytes apart; behind the last one, the row ends.
fn add_row<const STEP: usize>(row: &[u8], sums: &mut [u16]) {
    let (Some((last, row)), Some((last_sum, sums))) = (row.split_last(), sums.split_last_mut()) else {
        return;
    };
    sums.iter_mut().zip(row.chunks_exact(STEP)).for_each(|(sum, pixel)| *sum += u16::from(pixel[0]));
    *last_sum += u16::from(*last);
}

/// The standard deviation of what is mostly noise, by the median, which a change of less than half does not move.
fn deviation(residuals: &[f32], sorted: &mut Vec<f32>) -> f32 {
    const DEVIATION_OF_MEDIAN: f32 = 1.4826;
    sorted.clear();
    sorted.extend(residuals.iter().step_by(SAMPLE));
    DEVIATION_OF_MEDIAN * median(sorted).unwrap_or(0.0)
}

fn median(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    Some(*values.select_nth_unstable_by(middle, f32::total_cmp).1)
}
