//! What `Q2_K`, `Q4_K` and `Q5_K` share: sub-blocks with a scale and a minimum.

use crate::block::format::round_to_f16;
use crate::block::lanes::{LANES, Lanes, array, lanes, nearest};
use crate::block::pack::SUPER;
use crate::block::search::affine::{self, Affine, Candidates};
use crate::block::search::{load, mean_square, refine, squares, sum, weigh};

/// A super-block unpacked: element `i` of sub-block `s` is `d * scales[s] * level - dmin * mins[s]`.
pub(super) struct AffineSuper<const SUBS: usize> {
    /// Representable in f16, as `dmin` is.
    pub(super) d: f32,
    pub(super) dmin: f32,
    pub(super) scales: [u8; SUBS],
    pub(super) mins: [u8; SUBS],
    pub(super) levels: [u8; SUPER],
}

/// How a format encodes.
pub(super) struct Plan {
    /// What is tried when columns have no importance.
    pub(super) unweighted: Candidates,
    /// Whether a value then weighs its magnitude plus the sub-block's root mean square, or its magnitude alone.
    pub(super) rms_weight: bool,
    /// The mean square of the super-block, times this, is what importance is spread by.
    pub(super) spread: f32,
    pub(super) top_scale: u8,
}

impl<const SUBS: usize> AffineSuper<SUBS> {
    /// Searches each of `SUBS` sub-blocks of `N`, then quantizes their scales and rounds anew with the scales as
    /// stored. A sub-block whose scale became 0 keeps the levels of the search.
    #[inline(always)]
    pub(super) fn encode<L: Lanes, const N: usize>(
        x: &[f32; SUPER],
        importance: Option<&[f32; SUPER]>,
        plan: &Plan,
    ) -> Self {
        let subs = x.as_chunks::<N>().0;
        let fit = match importance {
            None => Fit::<SUBS>::unweighted::<L, N>(subs, plan),
            Some(importance) => {
                Fit::weighted::<L, N>(subs, importance.as_chunks().0, plan, plan.spread * mean_square(x))
            }
        };
        let (d, dmin) = (round_to_f16(fit.d), round_to_f16(fit.dmin));
        let mut levels = [0; SUPER];
        for (i, (x, levels)) in subs.iter().zip(levels.as_chunks_mut::<N>().0).enumerate() {
            let (scale, min) = (d * f32::from(fit.scales[i]), dmin * f32::from(fit.mins[i]));
            *levels = if scale == 0.0 {
                array(|j| fit.searched[i / LANES].level(i % LANES, x[j]))
            } else {
                array(|j| nearest((x[j] + min) / scale).clamp(0, i32::from(plan.unweighted.top)) as u8)
            };
        }
        Self { d, dmin, scales: fit.scales, mins: fit.mins, levels }
    }

    #[inline(always)]
    pub(super) fn decode<const N: usize>(&self, out: &mut [f32; SUPER]) {
        let subs = out.as_chunks_mut::<N>().0.iter_mut().zip(self.levels.as_chunks::<N>().0);
        for (i, (out, levels)) in subs.enumerate() {
            let (scale, min) = (self.d * f32::from(self.scales[i]), self.dmin * f32::from(self.mins[i]));
            *out = array(|j| scale * f32::from(levels[j]) - min);
        }
    }
}

/// Scales and minima of the sub-blocks, with the search they came from; [`LANES`] sub-blocks share one.
struct Fit<const SUBS: usize> {
    searched: [Affine; 2],
    d: f32,
    dmin: f32,
    scales: [u8; SUBS],
    mins: [u8; SUBS],
}

impl<const SUBS: usize> Fit<SUBS> {
    /// Puts the largest scale on the top one.
    #[inline(always)]
    fn unweighted<L: Lanes, const N: usize>(subs: &[[f32; N]], plan: &Plan) -> Self {
        let mut searched = [Affine::ZERO; 2];
        for (searched, subs) in searched.iter_mut().zip(subs.chunks(LANES)) {
            let x: [L; N] = load(subs);
            *searched = affine::search(&x, &magnitudes(&x, plan.rms_weight), plan.unweighted);
        }
        let (d, scales) = refine::spread_levels(&gather(&searched, |fit| &fit.scale), plan.top_scale);
        let (dmin, mins) = refine::spread_levels(&gather(&searched, |fit| &fit.min), plan.top_scale);
        Self { searched, d, dmin, scales, mins }
    }

    /// Fits the scale of the scales by what the sub-blocks weigh.
    #[inline(always)]
    fn weighted<L: Lanes, const N: usize>(
        subs: &[[f32; N]],
        importance: &[[f32; N]],
        plan: &Plan,
        spread: f32,
    ) -> Self {
        let mut searched = [Affine::ZERO; 2];
        let mut totals = [0.0; SUBS];
        for (group, subs) in subs.chunks(LANES).enumerate() {
            let x: [L; N] = load(subs);
            let weights = weigh(&load(&importance[LANES * group..]), &x, L::splat(spread));
            totals[LANES * group..][..LANES].copy_from_slice(&sum(&weights).to_array());
            searched[group] = affine::search(&x, &weights, Candidates::weighted(plan.unweighted.top));
        }
        let (d, scales) = refine::scale_levels(&gather(&searched, |fit| &fit.scale), &totals, plan.top_scale);
        let (dmin, mins) = refine::scale_levels(&gather(&searched, |fit| &fit.min), &totals, plan.top_scale);
        Self { searched, d, dmin, scales, mins }
    }
}

#[inline(always)]
fn gather<const SUBS: usize>(searched: &[Affine; 2], part: impl Fn(&Affine) -> &[f32; LANES]) -> [f32; SUBS] {
    array(|i| part(&searched[i / LANES])[i % LANES])
}

#[inline(always)]
fn magnitudes<L: Lanes, const N: usize>(x: &[L; N], above_rms: bool) -> [L; N] {
    let floor = if above_rms { (sum(&squares(x)) / L::splat(N as f32)).sqrt() } else { L::zero() };
    lanes(|i| floor + x[i].abs())
}
