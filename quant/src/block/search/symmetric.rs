//! A scale for signed levels: `x` is about `scale * level`.

use super::sums::Sums;
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
    let first = sums(x, weights, inverse, top);
    let mut scale = first.l2.eq(L::zero()).select(L::zero(), first.scale());
    let mut best = scale * first.xl;
    for i in (-9_i8..=9).filter(|&i| i != 0) {
        let candidate = L::splat(-(top + 0.1 * f32::from(i))) / peak;
        let sums = sums(x, weights, candidate, top);
        let better = sums.l2.gt(L::zero()) & (sums.xl * sums.xl).gt(best * sums.l2);
        inverse = better.select(candidate, inverse);
        scale = better.select(sums.scale(), scale);
        best = better.select(scale * sums.xl, best);
    }
    Symmetric {
        scale: not_zeros.select(scale, L::zero()).to_array(),
        half: i32::from(half),
        inverse: not_zeros.select(inverse, L::zero()).to_array(),
    }
}

/// The sums when `x` times `inverse` is rounded to levels.
#[inline(always)]
fn sums<L: Lanes, const N: usize>(x: &[L; N], weights: &[L; N], inverse: L, top: f32) -> Sums<L> {
    let mut sums = Sums { xl: L::zero(), l2: L::zero() };
    for (&x, &w) in x.iter().zip(weights) {
        sums = sums.with(x, w, (inverse * x).nearest().clamp(-top, top - 1.0));
    }
    sums
}
