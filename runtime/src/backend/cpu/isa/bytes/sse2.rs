//! Bytes in a register of SSE2.

use std::arch::x86_64::*;

/// Sixteen unsigned bytes.
#[derive(Clone, Copy)]
pub(in crate::backend::cpu) struct Bytes(pub(in crate::backend::cpu::isa) __m128i);

/// Evaluates intrinsics.
macro_rules! sse2 {
    ($intrinsics:expr) => {{
        // SAFETY: every x86-64 has SSE2.
        unsafe { $intrinsics }
    }};
}

impl Bytes {
    #[inline(always)]
    pub(in crate::backend::cpu) fn new(x: [u8; 16]) -> Self {
        // SAFETY: both are sixteen bytes of which every value is valid.
        Self(unsafe { std::mem::transmute::<[u8; 16], __m128i>(x) })
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn to_array(self) -> [u8; 16] {
        // SAFETY: as in `new`.
        unsafe { std::mem::transmute::<__m128i, [u8; 16]>(self.0) }
    }

    /// Each byte shifted right, then masked.
    #[inline(always)]
    pub(in crate::backend::cpu) fn bits(self, shift: usize, mask: u8) -> Self {
        // What comes in from the neighbour is masked off: no mask has more bits than the shift leaves.
        Self(sse2!({
            let shifted = _mm_srl_epi16(self.0, _mm_cvtsi32_si128(shift as i32));
            _mm_and_si128(shifted, _mm_set1_epi8(mask as i8))
        }))
    }

    /// Each byte, which is below 16, shifted left by four.
    #[inline(always)]
    pub(in crate::backend::cpu) fn to_high(self) -> Self {
        Self(sse2!(_mm_slli_epi16::<4>(self.0)))
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn or(self, other: Self) -> Self {
        Self(sse2!(_mm_or_si128(self.0, other.0)))
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn xor(self, x: u8) -> Self {
        Self(sse2!(_mm_xor_si128(self.0, _mm_set1_epi8(x as i8))))
    }

    /// `value` in the bytes whose bit is set, 0 in the others.
    #[inline(always)]
    pub(in crate::backend::cpu) fn where_bits(bits: [u8; 2], value: u8) -> Self {
        Self(sse2!({
            // Each byte becomes a word of itself, then four words.
            let bytes = _mm_cvtsi32_si128(i32::from(u16::from_le_bytes(bits)));
            let words = _mm_shufflelo_epi16::<0b0101_0000>(_mm_unpacklo_epi8(bytes, bytes));
            let repeated = _mm_shuffle_epi32::<0b0101_0000>(words);
            let each = _mm_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
            let set = _mm_cmpeq_epi8(_mm_and_si128(repeated, each), each);
            _mm_and_si128(set, _mm_set1_epi8(value as i8))
        }))
    }
}
