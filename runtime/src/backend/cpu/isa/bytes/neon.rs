//! Bytes in a register of NEON.

use std::arch::aarch64::*;

/// Sixteen unsigned bytes.
#[derive(Clone, Copy)]
pub(in crate::backend::cpu) struct Bytes(pub(in crate::backend::cpu::isa) uint8x16_t);

/// Evaluates intrinsics.
macro_rules! neon {
    ($intrinsics:expr) => {{
        // SAFETY: every AArch64 has NEON, and arrays that are loaded or stored are as long as a register.
        unsafe { $intrinsics }
    }};
}

impl Bytes {
    #[inline(always)]
    pub(in crate::backend::cpu) fn new(x: [u8; 16]) -> Self {
        Self(neon!(vld1q_u8(x.as_ptr())))
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn to_array(self) -> [u8; 16] {
        let mut x = [0; 16];
        neon!(vst1q_u8(x.as_mut_ptr(), self.0));
        x
    }

    /// Each byte shifted right, then masked.
    #[inline(always)]
    pub(in crate::backend::cpu) fn bits(self, shift: usize, mask: u8) -> Self {
        // There is a shift by a register to the left only; a negative one goes to the right.
        Self(neon!(vandq_u8(vshlq_u8(self.0, vdupq_n_s8(-(shift as i8))), vdupq_n_u8(mask))))
    }

    /// Each byte, which is below 16, shifted left by four.
    #[inline(always)]
    pub(in crate::backend::cpu) fn to_high(self) -> Self {
        Self(neon!(vshlq_n_u8::<4>(self.0)))
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn or(self, other: Self) -> Self {
        Self(neon!(vorrq_u8(self.0, other.0)))
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn xor(self, x: u8) -> Self {
        Self(neon!(veorq_u8(self.0, vdupq_n_u8(x))))
    }

    /// `value` in the bytes whose bit is set, 0 in the others.
    #[inline(always)]
    pub(in crate::backend::cpu) fn where_bits(bits: [u8; 2], value: u8) -> Self {
        Self(neon!({
            let repeated = vcombine_u8(vdup_n_u8(bits[0]), vdup_n_u8(bits[1]));
            let each = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
            vandq_u8(vtstq_u8(repeated, each), vdupq_n_u8(value))
        }))
    }
}
