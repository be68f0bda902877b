//! Searches that move one level at a time, each move judged with the scale that would fit it best.

use super::sums::Sums;
use super::{TINY, peak};
use crate::block::lanes::{LANES, Lanes, Mask, array, nearest};

/// Rounds of [`signed_levels`] and [`scale_levels`] over the block.
const ROUNDS: usize = 5;

/// Levels from `-half` to `half - 1` for `x` weighted by its squares (ggml's `make_q3_quants`): the scales, and the
/// levels plus `half`.
#[inline(always)]
pub(in crate::block) fn signed_levels<L: Lanes, const N: usize>(
    x: &[L; N],
    half: u8,
) -> ([f32; LANES], [[f32; LANES]; N]) {
    let top = f32::from(half);
    let peak = peak(x);
    let zeros = peak.abs().lt(L::splat(TINY));
    let inverse = L::splat(-top) / peak;
    let mut levels = [L::zero(); N];
    let mut sums = Sums { xl: L::zero(), l2: L::zero() };
    for (level, &x) in levels.iter_mut().zip(x) {
        *level = (inverse * x).nearest().clamp(-top, top - 1.0);
        sums = sums.with(x, x * x, *level);
    }
    for _ in 0..ROUNDS {
        let mut moved = false;
        for (level, &x) in levels.iter_mut().zip(x) {
            let rest = sums.without(x, x * x, *level);
            let new_level = (x * rest.l2 / rest.xl).nearest().clamp(-top, top - 1.0);
            let new = rest.with(x, x * x, new_level);
            let closer = (new.xl * new.xl * sums.l2).gt(sums.xl * sums.xl * new.l2);
            let better = rest.xl.gt(L::zero()) & !new_level.eq(*level) & new.l2.gt(L::zero()) & closer;
            *level = better.select(new_level, *level);
            sums = Sums { xl: better.select(new.xl, sums.xl), l2: better.select(new.l2, sums.l2) };
            moved |= better.any();
        }
        if !moved {
            break;
        }
    }
    let scale = (!zeros & sums.l2.gt(L::zero())).select(sums.scale(), L::zero());
    let shifted = array(|i| zeros.select(L::zero(), levels[i] + L::splat(top)).to_array());
    (scale.to_array(), shifted)
}

/// The scale that puts the largest of `x` on level `top`, and the levels.
#[inline(always)]
pub(in crate::block) fn spread_levels<const N: usize>(x: &[f32; N], top: u8) -> (f32, [u8; N]) {
    let max = largest(x);
    let inverse = if max > 0.0 { f32::from(top) / max } else { 0.0 };
    (max / f32::from(top), array(|i| (nearest(inverse * x[i]) as u8).min(top)))
}

/// The largest of `x`, or 0.
#[inline(always)]
fn largest(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |largest, &x| if x > largest { x } else { largest })
}

/// Levels from 0 to `top` for the scales or minima of sub-blocks, weighted by the sub-blocks' weights (ggml's
/// `make_qp_quants`): the scale of the scales, and the levels.
#[inline(always)]
pub(in crate::block) fn scale_levels<const N: usize>(
    x: &[f32; N],
    weights: &[f32; N],
    top: u8,
) -> (f32, [u8; N]) {
    let max = largest(x);
    if max < TINY {
        return (0.0, [0; N]);
    }
    let inverse = closest_inverse(x, weights, f32::from(top), max);
    let mut levels = [0; N];
    let mut sums = Sums { xl: 0.0, l2: 0.0 };
    for i in 0..N {
        let level = nearest(inverse * x[i]).min(i32::from(top));
        levels[i] = level as u8;
        sums = sums.with(x[i], weights[i], level as f32);
    }
    for _ in 0..ROUNDS {
        if !move_scale_levels(x, weights, top, &mut levels, &mut sums) {
            break;
        }
    }
    (if sums.l2 > 0.0 { sums.scale() } else { 0.0 }, levels)
}

/// Moves each level to the best one for the others' scale. Whether any moved.
#[inline(always)]
fn move_scale_levels<const N: usize>(
    x: &[f32; N],
    weights: &[f32; N],
    top: u8,
    levels: &mut [u8; N],
    sums: &mut Sums<f32>,
) -> bool {
    let mut moved = false;
    for (level, (&x, &w)) in levels.iter_mut().zip(x.iter().zip(weights)) {
        let rest = sums.without(x, w, f32::from(*level));
        if !(rest.xl > 0.0 && rest.l2 > 0.0) {
            continue;
        }
        let new_level = nearest(x * rest.l2 / rest.xl).min(i32::from(top));
        let new = rest.with(x, w, new_level as f32);
        if new_level != i32::from(*level) && new.xl * new.xl * sums.l2 > sums.xl * sums.xl * new.l2 {
            (*level, *sums) = (new_level as u8, new);
            moved = true;
        }
    }
    moved
}

/// The inverse scale with the least error among those that spread `max` over `top` levels, or a little more or less.
#[inline(always)]
fn closest_inverse<const N: usize>(x: &[f32; N], weights: &[f32; N], top: f32, max: f32) -> f32 {
    let mut inverse = top / max;
    let mut least = scale_error(x, weights, inverse, i32::MAX);
    for i in (-4_i8..=4).filter(|&i| i != 0) {
        let candidate = (0.1 * f32::from(i) + top) / max;
        let error = scale_error(x, weights, candidate, top as i32);
        if error < least {
            (inverse, least) = (candidate, error);
        }
    }
    inverse
}

#[inline(always)]
fn scale_error<const N: usize>(x: &[f32; N], weights: &[f32; N], inverse: f32, top: i32) -> f32 {
    let scale = 1.0 / inverse;
    let mut error = 0.0;
    for (&x, &w) in x.iter().zip(weights) {
        let diff = x - scale * nearest(inverse * x).min(top) as f32;
        error += w * diff * diff;
    }
    error
}
