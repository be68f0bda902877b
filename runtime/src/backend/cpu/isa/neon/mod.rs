//! NEON, whose registers are taken in pairs, with or without its dot products of bytes.

mod dot;

use std::arch::aarch64::*;
use std::arch::asm;
use std::marker::PhantomData;

use self::dot::Dot;
pub(super) use self::dot::{DotProd, I8mm, Multiply};
use super::{Isa, array};

const LANES: usize = 8;

/// Pairs of registers, with the dot products of `D`.
#[derive(Clone, Copy)]
pub(super) struct Neon<D>(PhantomData<D>);

/// Evaluates intrinsics.
macro_rules! vector {
    ($intrinsics:expr) => {{
        // SAFETY: every AArch64 has NEON; the types of this folder that ask for more are only named by `Level::run`,
        // which has seen it; and what is loaded or stored has been sliced to the length of the registers.
        unsafe { $intrinsics }
    }};
}

use vector;

impl<D: Dot> Isa for Neon<D> {
    const LANES: usize = LANES;

    type Floats = [float32x4_t; 2];
    type Ints = [int32x4_t; 2];

    #[inline(always)]
    fn splat(x: f32) -> Self::Floats {
        vector!([vdupq_n_f32(x); 2])
    }

    #[inline(always)]
    fn load(x: &[f32]) -> Self::Floats {
        let x = &x[..LANES];
        vector!([vld1q_f32(x.as_ptr()), vld1q_f32(x[4..].as_ptr())])
    }

    #[inline(always)]
    fn store(x: Self::Floats, out: &mut [f32]) {
        let out = &mut out[..LANES];
        vector!({
            vst1q_f32(out.as_mut_ptr(), x[0]);
            vst1q_f32(out[4..].as_mut_ptr(), x[1]);
        });
    }

    #[inline(always)]
    fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        vector!([vaddq_f32(a[0], b[0]), vaddq_f32(a[1], b[1])])
    }

    #[inline(always)]
    fn sub(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        vector!([vsubq_f32(a[0], b[0]), vsubq_f32(a[1], b[1])])
    }

    #[inline(always)]
    fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        vector!([vmulq_f32(a[0], b[0]), vmulq_f32(a[1], b[1])])
    }

    #[inline(always)]
    fn div(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        vector!([vdivq_f32(a[0], b[0]), vdivq_f32(a[1], b[1])])
    }

    #[inline(always)]
    fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        // The instruction for it gives a NaN for either.
        vector!(array(|i| vbslq_f32(vcgtq_f32(a[i], b[i]), a[i], b[i])))
    }

    #[inline(always)]
    fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        vector!(array(|i| vbslq_f32(vcltq_f32(a[i], b[i]), a[i], b[i])))
    }

    #[inline(always)]
    fn fma(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        vector!([vfmaq_f32(c[0], a[0], b[0]), vfmaq_f32(c[1], a[1], b[1])])
    }

    #[inline(always)]
    fn sum(x: Self::Floats) -> f32 {
        vector!(vaddvq_f32(vaddq_f32(x[0], x[1])))
    }

    #[inline(always)]
    fn splat_int(x: i32) -> Self::Ints {
        vector!([vdupq_n_s32(x); 2])
    }

    #[inline(always)]
    fn to_float(x: Self::Ints) -> Self::Floats {
        vector!([vcvtq_f32_s32(x[0]), vcvtq_f32_s32(x[1])])
    }

    #[inline(always)]
    fn load_int(x: &[u32]) -> Self::Ints {
        let x = &x[..LANES];
        vector!(array(|i| vreinterpretq_s32_u32(vld1q_u32(x[4 * i..].as_ptr()))))
    }

    #[inline(always)]
    fn store_int(x: Self::Ints, out: &mut [u32]) {
        let out = &mut out[..LANES];
        for i in 0..2 {
            vector!(vst1q_u32(out[4 * i..].as_mut_ptr(), vreinterpretq_u32_s32(x[i])));
        }
    }

    #[inline(always)]
    fn and(x: Self::Ints, mask: u32) -> Self::Ints {
        vector!(array(|i| vandq_s32(x[i], vdupq_n_s32(mask as i32))))
    }

    #[inline(always)]
    fn or(a: Self::Ints, b: Self::Ints) -> Self::Ints {
        vector!([vorrq_s32(a[0], b[0]), vorrq_s32(a[1], b[1])])
    }

    #[inline(always)]
    fn shift_left(x: Self::Ints, bits: usize) -> Self::Ints {
        vector!(array(|i| vshlq_s32(x[i], vdupq_n_s32(bits as i32))))
    }

    #[inline(always)]
    fn shift_right(x: Self::Ints, bits: usize) -> Self::Ints {
        // There is no shift to the right by a variable: it is one to the left by less than nothing.
        vector!(array(|i| {
            let shifted = vshlq_u32(vreinterpretq_u32_s32(x[i]), vdupq_n_s32(-(bits as i32)));
            vreinterpretq_s32_u32(shifted)
        }))
    }

    #[inline(always)]
    fn signed_byte(x: Self::Ints, index: usize) -> Self::Ints {
        let top = Self::shift_left(x, 24 - 8 * index);
        vector!([vshrq_n_s32::<24>(top[0]), vshrq_n_s32::<24>(top[1])])
    }

    #[inline(always)]
    fn dot<const WIDE: bool>(sums: Self::Ints, levels: Self::Ints, activations: i32) -> Self::Ints {
        vector!({
            let activations = vreinterpretq_s8_s32(vdupq_n_s32(activations));
            array(|i| D::dot4::<WIDE>(sums[i], vreinterpretq_u8_s32(levels[i]), activations))
        })
    }

    #[inline(always)]
    fn round(x: Self::Floats) -> Self::Ints {
        vector!([vcvtnq_s32_f32(x[0]), vcvtnq_s32_f32(x[1])])
    }

    #[inline(always)]
    fn power_of_two(x: Self::Ints) -> Self::Floats {
        vector!(array(|i| {
            let exponent = vaddq_s32(x[i], vdupq_n_s32(127));
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent))
        }))
    }

    #[inline(always)]
    fn sum_int(x: Self::Ints) -> i32 {
        vector!(vaddvq_s32(vaddq_s32(x[0], x[1])))
    }

    #[inline(always)]
    fn store_low(x: Self::Ints, out: &mut [u8]) {
        let out = &mut out[..LANES];
        vector!({
            let words = vcombine_s16(vmovn_s32(x[0]), vmovn_s32(x[1]));
            vst1_u8(out.as_mut_ptr(), vreinterpret_u8_s8(vmovn_s16(words)));
        });
    }

    #[inline(always)]
    fn prefetch(address: *const u8) {
        // SAFETY: a prefetch never faults, and changes nothing that the program sees.
        unsafe { asm!("prfm pldl1keep, [{}]", in(reg) address, options(nomem, nostack, preserves_flags)) };
    }

    #[inline(always)]
    fn load_halves(bits: &[u16]) -> Self::Floats {
        let bits = &bits[..LANES];
        vector!([from_halves(vld1_u16(bits.as_ptr())), from_halves(vld1_u16(bits[4..].as_ptr()))])
    }
}

/// The floats of IEEE binary16 numbers. The intrinsic has a type that is not stable yet.
#[inline(always)]
fn from_halves(bits: uint16x4_t) -> float32x4_t {
    let floats;
    // SAFETY: every AArch64 has the instruction.
    unsafe {
        asm!(
            "fcvtl {floats:v}.4s, {bits:v}.4h",
            floats = lateout(vreg) floats, bits = in(vreg) bits,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    floats
}
