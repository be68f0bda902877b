//! The search for scales: which rounding of a block, once a scale is fitted to it, is closest to the values.
//!
//! The methods are those of llama.cpp's k-quants (ggml-quants.c), down to the order of every sum.

pub(super) mod affine;
pub(super) mod nonlinear;
pub(super) mod refine;
pub(super) mod symmetric;

use super::lanes::{LANES, Lanes};

/// A block whose largest magnitude is below this counts as zeros.
pub(super) const TINY: f32 = 1e-15;

/// The value of largest magnitude, the first one where several are as large; 0 if all are zeros.
#[inline(always)]
fn peak<const N: usize>(x: &[Lanes; N]) -> Lanes {
    let mut peak = Lanes::ZERO;
    for &x in x {
        peak = x.abs().gt(peak.abs()).select(x, peak);
    }
    peak
}

/// The mean of the squares, summed from the first to the last.
#[inline(always)]
pub(super) fn mean_square(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |sum, x| sum + x * x) / values.len() as f32
}

/// Columns' importance as weights of values around the scale `spread`, which is a mean square.
#[inline(always)]
pub(super) fn weigh<const N: usize>(importance: &[Lanes; N], x: &[Lanes; N], spread: Lanes) -> [Lanes; N] {
    let mut weights = *importance;
    for (weight, &x) in weights.iter_mut().zip(x) {
        *weight = *weight * (spread + x * x).sqrt();
    }
    weights
}

/// The sum over a block, from the first to the last.
#[inline(always)]
pub(super) fn sum<const N: usize>(x: &[Lanes; N]) -> Lanes {
    x.iter().fold(Lanes::ZERO, |sum, &x| sum + x)
}

/// [`LANES`] blocks of `N`, one in each lane. Missing blocks are zeros.
#[inline(always)]
pub(super) fn load<const N: usize>(blocks: &[[f32; N]]) -> [Lanes; N] {
    let mut lanes = [[0.0; LANES]; N];
    for (lane, block) in blocks.iter().take(LANES).enumerate() {
        for (lanes, &x) in lanes.iter_mut().zip(block) {
            lanes[lane] = x;
        }
    }
    lanes.map(Lanes::from)
}
