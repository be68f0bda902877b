//! The search for scales: which rounding of a block, once a scale is fitted to it, is closest to the values.
//!
//! The methods are those of llama.cpp's k-quants (ggml-quants.c), down to the order of every sum.

pub(super) mod affine;
pub(super) mod nonlinear;
pub(super) mod refine;
mod sums;
pub(super) mod symmetric;

use super::lanes::{LANES, Lanes, Mask, lanes};

/// A block whose largest magnitude is below this counts as zeros.
pub(super) const TINY: f32 = 1e-15;

/// The value of largest magnitude, the first one where several are as large; 0 if all are zeros.
#[inline(always)]
fn peak<L: Lanes, const N: usize>(x: &[L; N]) -> L {
    let mut peak = L::zero();
    for &x in x {
        peak = x.abs().gt(peak.abs()).select(x, peak);
    }
    peak
}

/// [`peak`] of plain floats.
#[inline(always)]
pub(super) fn peak_of(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |peak: f32, &x| if x.abs() > peak.abs() { x } else { peak })
}

/// The mean of the squares, summed from the first to the last.
#[inline(always)]
pub(super) fn mean_square(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |sum, x| sum + x * x) / values.len() as f32
}

/// Columns' importance as weights of values around the scale `spread`, which is a mean square.
#[inline(always)]
pub(super) fn weigh<L: Lanes, const N: usize>(importance: &[L; N], x: &[L; N], spread: L) -> [L; N] {
    lanes(|i| importance[i] * (spread + x[i] * x[i]).sqrt())
}

#[inline(always)]
pub(super) fn squares<L: Lanes, const N: usize>(x: &[L; N]) -> [L; N] {
    lanes(|i| x[i] * x[i])
}

/// The sum over a block, from the first to the last.
#[inline(always)]
pub(super) fn sum<L: Lanes, const N: usize>(x: &[L; N]) -> L {
    let mut sum = L::zero();
    for &x in x {
        sum = sum + x;
    }
    sum
}

/// [`LANES`] blocks of `N`, one in each lane. Missing blocks are zeros.
#[inline(always)]
pub(super) fn load<L: Lanes, const N: usize>(blocks: &[[f32; N]]) -> [L; N] {
    let mut columns = [[0.0; LANES]; N];
    for (lane, block) in blocks.iter().take(LANES).enumerate() {
        for (column, &x) in columns.iter_mut().zip(block) {
            column[lane] = x;
        }
    }
    lanes(|i| L::from(columns[i]))
}
