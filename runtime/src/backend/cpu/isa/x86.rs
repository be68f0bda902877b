//! What the levels of x86-64 share.

use std::arch::x86_64::*;

/// Evaluates intrinsics.
macro_rules! vector {
    ($intrinsics:expr) => {{
        #[allow(unused_unsafe, reason = "intrinsics without pointers are safe where their features are on")]
        // SAFETY: the types of this folder are only named by `Level::run`, which has seen their features; and what is
        // loaded or stored has been sliced to the length of a register.
        unsafe {
            $intrinsics
        }
    }};
}

pub(super) use vector;

/// Four words as a register.
#[inline(always)]
pub(super) fn words(x: [i32; 4]) -> __m128i {
    // SAFETY: both are sixteen bytes of which every value is valid.
    unsafe { std::mem::transmute::<[i32; 4], __m128i>(x) }
}

/// The float of an IEEE binary16.
#[inline(always)]
pub(super) fn half_to_float(bits: u16) -> f32 {
    vector!(_mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits)))))
}
