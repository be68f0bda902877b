//! A scale for levels that are spaced unevenly, densest near zero: `x` is about `scale * VALUES[level]`.

use super::{TINY, peak};
use crate::block::lanes::{LANES, Lanes, Mask};

/// What the sixteen levels stand for (ggml's `kvalues_iq4nl`).
pub(in crate::block) const VALUES: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// Between levels `i` and `i + 1`: where the nearest one changes, and by how much the value does.
const STEPS: [(f32, f32); 15] = {
    let mut steps = [(0.0, 0.0); 15];
    let mut i = 0;
    while i < 15 {
        let (low, high) = (VALUES[i] as f32, VALUES[i + 1] as f32);
        steps[i] = ((low + high) / 2.0, high - low);
        i += 1;
    }
    steps
};

/// The level whose value is nearest to `x`, the upper one of two.
#[inline(always)]
pub(in crate::block) fn level(x: f32) -> u8 {
    STEPS.iter().fold(15, |level, &(border, _)| level - u8::from(x < border))
}

/// The value nearest to `x`.
#[inline(always)]
fn nearest_value<L: Lanes>(x: L) -> L {
    let mut value = L::splat(f32::from(VALUES[0]));
    for (border, gap) in STEPS {
        value = value + x.lt(L::splat(border)).select(L::zero(), L::splat(gap));
    }
    value
}

/// Tries the scale that puts the largest magnitude on -127, then fifteen around it (as ggml's `quantize_iq4_nl` does).
#[inline(always)]
pub(in crate::block) fn search<L: Lanes, const N: usize>(x: &[L; N], weights: &[L; N]) -> [f32; LANES] {
    let lowest = f32::from(VALUES[0]);
    let peak = peak(x);
    let (sum_xq, sum_q2) = sums(x, weights, L::splat(1.0) / (-peak / L::splat(lowest)));
    let mut scale = sum_q2.gt(L::zero()).select(sum_xq / sum_q2, L::zero());
    let mut best = scale * sum_xq;
    for i in -7_i8..=7 {
        let (sum_xq, sum_q2) = sums(x, weights, L::splat(f32::from(i) + lowest) / peak);
        let better = sum_q2.gt(L::zero()) & (sum_xq * sum_xq).gt(best * sum_q2);
        scale = better.select(sum_xq / sum_q2, scale);
        best = better.select(scale * sum_xq, best);
    }
    peak.abs().lt(L::splat(TINY)).select(L::zero(), scale).to_array()
}

#[inline(always)]
fn sums<L: Lanes, const N: usize>(x: &[L; N], weights: &[L; N], inverse: L) -> (L, L) {
    let (mut sum_xq, mut sum_q2) = (L::zero(), L::zero());
    for (&x, &w) in x.iter().zip(weights) {
        let value = nearest_value(inverse * x);
        sum_xq = sum_xq + w * value * x;
        sum_q2 = sum_q2 + w * value * value;
    }
    (sum_xq, sum_q2)
}
