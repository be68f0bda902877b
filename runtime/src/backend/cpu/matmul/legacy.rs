//! `Q8_0`, `Q4_0`, `Q4_1`, `Q5_0` and `Q5_1`: 32 levels with one scale. Their bytes are described in `lorgnette_quant`.

use super::format::{Format, bytes, half_bits};
use crate::backend::cpu::isa::Bytes;

pub(super) struct Q8_0;

/// Levels of `BITS` bits; with a minimum if `AFFINE`, around zero if not.
pub(super) struct Legacy<const BITS: usize, const AFFINE: bool>;

impl Format<2, 34> for Q8_0 {
    const STEPS: usize = 1;
    const OFFSET: u8 = 128;
    const AFFINE: bool = false;

    #[inline(always)]
    fn levels(block: &[u8; 34], _: usize) -> [Bytes; 2] {
        [bytes(block, 2).xor(128), bytes(block, 18).xor(128)]
    }

    #[inline(always)]
    fn scale_bits(block: &[u8; 34]) -> u16 {
        half_bits(block, 0)
    }
}

impl<const BITS: usize, const AFFINE: bool, const BYTES: usize> Format<2, BYTES> for Legacy<BITS, AFFINE> {
    const STEPS: usize = 1;
    const OFFSET: u8 = if AFFINE { 0 } else { 1 << (BITS - 1) };
    const AFFINE: bool = AFFINE;

    #[inline(always)]
    fn levels(block: &[u8; BYTES], _: usize) -> [Bytes; 2] {
        let nibbles = bytes(block, BYTES - 16);
        let low = [nibbles.bits(0, 15), nibbles.bits(4, 15)];
        if BITS == 4 {
            return low;
        }
        let high = &block[BYTES - 20..][..4];
        let fifth = [Bytes::where_bits([high[0], high[1]], 16), Bytes::where_bits([high[2], high[3]], 16)];
        [low[0].or(fifth[0]), low[1].or(fifth[1])]
    }

    #[inline(always)]
    fn scale_bits(block: &[u8; BYTES]) -> u16 {
        half_bits(block, 0)
    }

    /// What is stored is not taken off but added: its sign is turned.
    #[inline(always)]
    fn min_bits(block: &[u8; BYTES]) -> u16 {
        if AFFINE { half_bits(block, 2) ^ 0x8000 } else { 0 }
    }
}
