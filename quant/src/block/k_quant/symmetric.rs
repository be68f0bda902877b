//! What `Q3_K` and `Q6_K` share: sub-blocks of 16 with a signed scale.

use crate::block::format::round_to_f16;
use crate::block::lanes::{array, nearest};
use crate::block::pack::SUPER;

pub(super) const SUBS: usize = SUPER / 16;

/// A super-block unpacked: element `i` of sub-block `s` is `d * scales[s] * (level - HALF)`.
pub(super) struct SymmetricSuper<const HALF: u8> {
    /// Representable in f16.
    pub(super) d: f32,
    pub(super) scales: [i8; SUBS],
    pub(super) levels: [u8; SUPER],
}

impl<const HALF: u8> SymmetricSuper<HALF> {
    /// Rounds with the scales as stored. A sub-block whose scale became 0 takes the levels that a search gave it:
    /// `searched` has them by sub-block and element.
    #[inline(always)]
    pub(super) fn encode(
        x: &[f32; SUPER],
        d: f32,
        scales: [i8; SUBS],
        searched: impl Fn(usize, usize) -> u8,
    ) -> Self {
        let half = i32::from(HALF);
        let d = round_to_f16(d);
        let mut levels = [0; SUPER];
        for (i, (x, levels)) in x.as_chunks::<16>().0.iter().zip(levels.as_chunks_mut::<16>().0).enumerate() {
            let scale = d * f32::from(scales[i]);
            *levels = if scale == 0.0 {
                array(|j| searched(i, j))
            } else {
                array(|j| (nearest(x[j] / scale).clamp(-half, half - 1) + half) as u8)
            };
        }
        Self { d, scales, levels }
    }

    #[inline(always)]
    pub(super) fn decode(&self, out: &mut [f32; SUPER]) {
        let subs = out.as_chunks_mut::<16>().0.iter_mut().zip(self.levels.as_chunks::<16>().0);
        for (i, (out, levels)) in subs.enumerate() {
            let scale = self.d * f32::from(self.scales[i]);
            *out = array(|j| scale * f32::from(levels[j] as i8 - HALF as i8));
        }
    }
}
