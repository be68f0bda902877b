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

/// Sixteen bytes as a register.
#[inline(always)]
pub(super) fn bytes(x: [u8; 16]) -> __m128i {
    // SAFETY: both are sixteen bytes of which every value is valid.
    unsafe { std::mem::transmute::<[u8; 16], __m128i>(x) }
}

/// Four words as a register.
#[inline(always)]
pub(super) fn words(x: [i32; 4]) -> __m128i {
    // SAFETY: as in `bytes`.
    unsafe { std::mem::transmute::<[i32; 4], __m128i>(x) }
}
