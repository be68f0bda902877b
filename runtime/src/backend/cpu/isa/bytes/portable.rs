//! Bytes in an array: what the registers are held to.

use super::super::array;

/// Sixteen unsigned bytes.
#[derive(Clone, Copy)]
pub(in crate::backend::cpu) struct Bytes([u8; 16]);

impl Bytes {
    #[inline(always)]
    pub(in crate::backend::cpu) fn new(x: [u8; 16]) -> Self {
        Self(x)
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn to_array(self) -> [u8; 16] {
        self.0
    }

    /// Each byte shifted right, then masked.
    #[inline(always)]
    pub(in crate::backend::cpu) fn bits(self, shift: usize, mask: u8) -> Self {
        Self(array(|i| self.0[i] >> shift & mask))
    }

    /// Each byte, which is below 16, shifted left by four.
    #[inline(always)]
    pub(in crate::backend::cpu) fn to_high(self) -> Self {
        Self(array(|i| self.0[i] << 4))
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn or(self, other: Self) -> Self {
        Self(array(|i| self.0[i] | other.0[i]))
    }

    #[inline(always)]
    pub(in crate::backend::cpu) fn xor(self, x: u8) -> Self {
        Self(array(|i| self.0[i] ^ x))
    }

    /// `value` in the bytes whose bit is set, 0 in the others.
    #[inline(always)]
    pub(in crate::backend::cpu) fn where_bits(bits: [u8; 2], value: u8) -> Self {
        Self(array(|i| (bits[i / 8] >> (i % 8) & 1) * value))
    }
}
