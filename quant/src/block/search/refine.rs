//! Searches that move one level at a time, each move judged with the scale that would fit it best.

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
    let (mut sum_xl, mut sum_l2) = (L::zero(), L::zero());
    for (level, &x) in levels.iter_mut().zip(x) {
        *level = (inverse * x).nearest().clamp(-top, top - 1.0);
        let w = x * x;
        sum_xl = sum_xl + w * x * *level;
        sum_l2 = sum_l2 + w * *level * *level;
    }
    for _ in 0..ROUNDS {
        let mut moved = false;
        for (level, &x) in levels.iter_mut().zip(x) {
            let w = x * x;
            let rest_xl = sum_xl - w * x * *level;
            let rest_l2 = sum_l2 - w * *level * *level;
            let new = (x * rest_l2 / rest_xl).nearest().clamp(-top, top - 1.0);
            let new_xl = rest_xl + w * x * new;
            let new_l2 = rest_l2 + w * new * new;
            let closer = (new_xl * new_xl * sum_l2).gt(sum_xl * sum_xl * new_l2);
            let better = rest_xl.gt(L::zero()) & !new.eq(*level) & new_l2.gt(L::zero()) & closer;
            *level = better.select(new, *level);
            sum_xl = better.select(new_xl, sum_xl);
            sum_l2 = better.select(new_l2, sum_l2);
            moved |= better.any();
        }
        if !moved {
            break;
        }
    }
    let scale = (!zeros & sum_l2.gt(L::zero())).select(sum_xl / sum_l2, L::zero());
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
    let (mut sum_xl, mut sum_l2) = (0.0, 0.0);
    for i in 0..N {
        let level = nearest(inverse * x[i]).min(i32::from(top));
        let (w, l) = (weights[i], level as f32);
        levels[i] = level as u8;
        sum_xl += w * x[i] * l;
        sum_l2 += w * l * l;
    }
    for _ in 0..ROUNDS {
        let mut moved = false;
        for i in 0..N {
            let (w, l) = (weights[i], f32::from(levels[i]));
            let rest_xl = sum_xl - w * x[i] * l;
            let rest_l2 = sum_l2 - w * l * l;
            if !(rest_xl > 0.0 && rest_l2 > 0.0) {
                continue;
            }
            let new = nearest(x[i] * rest_l2 / rest_xl).min(i32::from(top));
            let (new_xl, new_l2) = (rest_xl + w * x[i] * new as f32, rest_l2 + w * new as f32 * new as f32);
            if new != i32::from(levels[i]) && new_xl * new_xl * sum_l2 > sum_xl * sum_xl * new_l2 {
                (levels[i], sum_xl, sum_l2) = (new as u8, new_xl, new_l2);
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    (if sum_l2 > 0.0 { sum_xl / sum_l2 } else { 0.0 }, levels)
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
