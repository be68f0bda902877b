//! Scale and minimum for unsigned levels: `x` is about `scale * level - min`.

use crate::block::lanes::{LANES, Lanes, Mask, nearest};

/// The roundings that [`search`] tries: candidate `i` spreads the block's range over `top + first + i * step` levels.
#[derive(Clone, Copy)]
pub(in crate::block) struct Candidates {
    /// The highest level.
    pub(in crate::block) top: u8,
    pub(in crate::block) first: f32,
    pub(in crate::block) step: f32,
    pub(in crate::block) count: u32,
    /// Whether the error is the absolute difference, in place of its square.
    pub(in crate::block) absolute: bool,
}

impl Candidates {
    /// What ggml tries when columns have an importance.
    pub(in crate::block) const fn weighted(top: u8) -> Self {
        Self { top, first: -0.9, step: 0.05, count: 37, absolute: false }
    }
}

/// What [`search`] found for each lane.
pub(in crate::block) struct Affine {
    pub(in crate::block) scale: [f32; LANES],
    /// Subtracted after scaling; never negative.
    pub(in crate::block) min: [f32; LANES],
    top: i32,
    inverse: [f32; LANES],
    base: [f32; LANES],
}

impl Affine {
    const NONE: [f32; LANES] = [0.0; LANES];

    /// The fit of zeros.
    pub(in crate::block) const ZERO: Self =
        Self { scale: Self::NONE, min: Self::NONE, top: 0, inverse: Self::NONE, base: Self::NONE };

    /// The level that the best candidate gives to `x` in `lane`.
    #[inline(always)]
    pub(in crate::block) fn level(&self, lane: usize, x: f32) -> u8 {
        nearest(self.inverse[lane] * (x - self.base[lane])).clamp(0, self.top) as u8
    }
}

/// Tries every candidate: rounds to levels, solves the weighted least squares for scale and minimum, keeps them if the
/// error is the lowest so far (ggml's `make_qkx3_quants`). A better minimum is the base of the candidates after it.
#[inline(always)]
pub(in crate::block) fn search<L: Lanes, const N: usize>(
    x: &[L; N],
    weights: &[L; N],
    how: Candidates,
) -> Affine {
    let top = f32::from(how.top);
    let sums = Sums::new(x, weights);
    let (mut low, mut high) = (x[0], x[0]);
    for &x in x {
        (low, high) = (low.min(x), high.max(x));
    }
    let mut min = low.min(L::zero());
    let spread_out = high.gt(min);

    let (mut inverse, mut base) = (L::splat(top) / (high - min), min);
    let mut scale = L::splat(1.0) / inverse;
    let mut levels = [L::zero(); N];
    round(x, inverse, base, top, &mut levels);
    let mut best = error(x, weights, &levels, scale, min, how.absolute);
    for i in 0..how.count {
        let candidate = L::splat(how.first + how.step * i as f32 + top) / (high - min);
        round(x, candidate, min, top, &mut levels);
        let fit = sums.fit(x, weights, &levels);
        let error = error(x, weights, &levels, fit.scale, fit.min, how.absolute);
        let better = fit.determinant.gt(L::zero()) & best.gt(error);
        inverse = better.select(candidate, inverse);
        base = better.select(min, base);
        best = better.select(error, best);
        scale = better.select(fit.scale, scale);
        min = better.select(fit.min, min);
    }
    Affine {
        scale: spread_out.select(scale, L::zero()).to_array(),
        min: (-min).to_array(),
        top: i32::from(how.top),
        inverse: spread_out.select(inverse, L::zero()).to_array(),
        base: base.to_array(),
    }
}

#[inline(always)]
fn round<L: Lanes, const N: usize>(x: &[L; N], inverse: L, base: L, top: f32, levels: &mut [L; N]) {
    for (level, &x) in levels.iter_mut().zip(x) {
        *level = (inverse * (x - base)).nearest().clamp(0.0, top);
    }
}

#[inline(always)]
fn error<L: Lanes, const N: usize>(
    x: &[L; N],
    weights: &[L; N],
    levels: &[L; N],
    scale: L,
    min: L,
    absolute: bool,
) -> L {
    let mut error = L::zero();
    for i in 0..N {
        let diff = scale * levels[i] + min - x[i];
        error = error + weights[i] * if absolute { diff.abs() } else { diff * diff };
    }
    error
}

/// The sums that do not depend on the rounding.
struct Sums<L> {
    w: L,
    wx: L,
}

/// A scale and minimum, which hold where the `determinant` is positive.
struct Fit<L> {
    determinant: L,
    scale: L,
    min: L,
}

impl<L: Lanes> Sums<L> {
    #[inline(always)]
    fn new<const N: usize>(x: &[L; N], weights: &[L; N]) -> Self {
        let mut sums = Self { w: weights[0], wx: weights[0] * x[0] };
        for (&x, &w) in x.iter().zip(weights).skip(1) {
            sums.w = sums.w + w;
            sums.wx = sums.wx + w * x;
        }
        sums
    }

    /// Least squares with a minimum that is not above zero.
    #[inline(always)]
    fn fit<const N: usize>(&self, x: &[L; N], weights: &[L; N], levels: &[L; N]) -> Fit<L> {
        let (mut l, mut l2, mut xl) = (L::zero(), L::zero(), L::zero());
        for i in 0..N {
            let wl = weights[i] * levels[i];
            l = l + wl;
            l2 = l2 + wl * levels[i];
            xl = xl + wl * x[i];
        }
        let determinant = self.w * l2 - l * l;
        let scale = (self.w * xl - self.wx * l) / determinant;
        let min = (l2 * self.wx - l * xl) / determinant;
        let above = min.gt(L::zero());
        Fit { determinant, scale: above.select(xl / l2, scale), min: above.select(L::zero(), min) }
    }
}
