//! Three ways to the products of bytes.

use std::arch::aarch64::*;
use std::arch::asm;

use super::vector;

/// Products of unsigned levels with signed activations.
pub(in super::super) trait Dot: Copy {
    /// Adds to each word of `sums` four products of bytes. Bounds as for [`Isa::dot`](super::Isa::dot).
    fn dot4<const WIDE: bool>(sums: int32x4_t, levels: uint8x16_t, activations: int8x16_t) -> int32x4_t;
}

/// What every AArch64 has: long products in 16 bits, of which two have room there.
#[derive(Clone, Copy)]
pub(in super::super) struct Multiply;

/// Dot products of signed bytes.
#[derive(Clone, Copy)]
pub(in super::super) struct DotProd;

/// Dot products of unsigned with signed bytes, which come with those of matrices.
#[derive(Clone, Copy)]
pub(in super::super) struct I8mm;

impl Dot for Multiply {
    #[inline(always)]
    fn dot4<const WIDE: bool>(sums: int32x4_t, levels: uint8x16_t, activations: int8x16_t) -> int32x4_t {
        let levels = signed::<WIDE>(levels);
        vector!({
            let low = vmull_s8(vget_low_s8(levels), vget_low_s8(activations));
            let high = vmull_high_s8(levels, activations);
            vpadalq_s16(make_up::<WIDE>(sums, activations), vpaddq_s16(low, high))
        })
    }
}

impl Dot for DotProd {
    #[inline(always)]
    fn dot4<const WIDE: bool>(sums: int32x4_t, levels: uint8x16_t, activations: int8x16_t) -> int32x4_t {
        vector!(sdot(make_up::<WIDE>(sums, activations), signed::<WIDE>(levels), activations))
    }
}

impl Dot for I8mm {
    #[inline(always)]
    fn dot4<const WIDE: bool>(sums: int32x4_t, levels: uint8x16_t, activations: int8x16_t) -> int32x4_t {
        vector!(usdot(sums, levels, activations))
    }
}

/// Levels as signed bytes: if `WIDE`, 128 less.
#[inline(always)]
fn signed<const WIDE: bool>(levels: uint8x16_t) -> int8x16_t {
    vector!(vreinterpretq_s8_u8(if WIDE { veorq_u8(levels, vdupq_n_u8(128)) } else { levels }))
}

/// Adds what [`signed`] took off the products.
#[inline(always)]
fn make_up<const WIDE: bool>(sums: int32x4_t, activations: int8x16_t) -> int32x4_t {
    if !WIDE {
        return sums;
    }
    vector!(vaddq_s32(sums, vshlq_n_s32::<7>(vpaddlq_s16(vpaddlq_s8(activations)))))
}

// The intrinsics of these two instructions are not stable yet.

#[inline]
#[target_feature(enable = "dotprod")]
fn sdot(mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the function is only called where the instruction is.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {a:v}.16b, {b:v}.16b",
            sums = inout(vreg) sums, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}

#[inline]
#[target_feature(enable = "i8mm")]
fn usdot(mut sums: int32x4_t, a: uint8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the function is only called where the instruction is.
    unsafe {
        asm!(
            "usdot {sums:v}.4s, {a:v}.16b, {b:v}.16b",
            sums = inout(vreg) sums, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}
