//! A scale for signed levels: `x` is about `scale * level`.

use super::{TINY, peak};
use crate::block::lanes::{LANES, Lanes, Mask, nearest};

/// What [`search`] found for each lane.
pub(in crate::block) struct Symmetric {
    pub(in crate::block) scale: [f32; LANES],
    half: i32,
    inverse: [f32; LANES],
}

impl Symmetric {
    /// The fit of zeros.
    pub(in crate::block) const ZERO: Self = Self { scale: [0.0; LANES], half: 0, inverse: [0.0; LANES] };

    /// The level that the best candidate gives to `x` in `lane`, plus `half`. All are 0 where the lane is zeros.
    #[inline(always)]
    pub(in crate::block) fn level(&self, lane: usize, x: f32) -> u8 {
        let inverse = self.inverse[lane];
        let level = nearest(inverse * x).clamp(-self.half, self.half - 1) + self.half;
        if inverse == 0.0 { 0 } else { level as u8 }
    }
}

/// Tries 19 scales around the one that puts the largest magnitude on level `-half`; rounds to the levels from `-half`
/// to `half - 1`, fits the scale by weighted least squares, keeps the closest (ggml's `make_qx_quants`).
#[inline(always)]
pub(in crate::block) fn search<L: Lanes, const N: usize>(
    x: &[L; N],
    weights: &[L; N],
    half: u8,
) -> Symmetric {
    let top = f32::from(half);
    let peak = peak(x);
    let not_zeros = !peak.abs().lt(L::splat(TINY));
    let mut inverse = L::splat(-top) / peak;
    let (sum_xl, sum_l2) = sums(x, weights, inverse, top);
    let mut scale = sum_l2.eq(L::zero()).select(L::zero(), sum_xl / sum_l2);
    let mut best = scale * sum_xl;
    for i in (-9_i8..=9).filter(|&i| i != 0) {
        let candidate = L::splat(-(top + 0.1 * f32::from(i))) / peak;
        let (sum_xl, sum_l2) = sums(x, weights, candidate, top);
        let better = sum_l2.gt(L::zero()) & (sum_xl * sum_xl).gt(best * sum_l2);
        inverse = better.select(candidate, inverse);
        scale = better.select(sum_xl / sum_l2, scale);
        best = better.select(scale * sum_xl, best);
    }
    Symmetric {
        scale: not_zeros.select(scale, L::zero()).to_array(),
        half: i32::from(half),
        inverse: not_zeros.select(inverse, L::zero()).to_array(),
    }
}

/// The weighted sums of value by level and of level squared.
#[inline(always)]
fn sums<L: Lanes, const N: usize>(x: &[L; N], weights: &[L; N], inverse: L, top: f32) -> (L, L) {
    let (mut sum_xl, mut sum_l2) = (L::zero(), L::zero());
    for (&x, &w) in x.iter().zip(weights) {
        let level = (inverse * x).nearest().clamp(-top, top - 1.0);
        sum_xl = sum_xl + w * x * level;
        sum_l2 = sum_l2 + w * level * level;
    }
    (sum_xl, sum_l2)
}
