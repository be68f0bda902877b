//! `Q4_K`, `Q5_K` and `Q6_K`: 256 levels with scales of scales. Their bytes are described in `lorgnette_quant`.

use super::format::{Format, bytes, half_bits, word};
use crate::backend::cpu::isa::{Bytes, array};

/// Levels of `BITS` bits above a minimum, in sub-blocks of 32.
pub(super) struct Q45K<const BITS: usize>;

/// Levels of six bits around zero, in sub-blocks of 16.
pub(super) struct Q6K;

/// In each of four bytes.
const SIX_BITS: u32 = 0x3f3f_3f3f;
const FOUR_BITS: u32 = 0x0f0f_0f0f;
const UPPER_BITS: u32 = 0xc0c0_c0c0;

const SUBS: usize = 8;
const SCALES: usize = 4;
const HIGH_BITS: usize = 16;

impl<const BITS: usize, const BYTES: usize> Format<2, BYTES> for Q45K<BITS> {
    const STEPS: usize = SUBS;
    const OFFSET: u8 = 0;
    const AFFINE: bool = true;

    #[inline(always)]
    fn levels(block: &[u8; BYTES], step: usize) -> [Bytes; 2] {
        array(|half| {
            let at = BYTES - 128 + 32 * (step / 2) + 16 * half;
            let low = bytes(block, at).bits(step % 2 * 4, 15);
            if BITS == 4 {
                return low;
            }
            low.or(bytes(block, HIGH_BITS + 16 * half).bits(step, 1).to_high())
        })
    }

    #[inline(always)]
    fn scale_bits(block: &[u8; BYTES]) -> u16 {
        half_bits(block, 0)
    }

    /// Six bits each: the first four whole, of the others four bits here and the upper two above those of the first.
    #[inline(always)]
    fn sub_scales(block: &[u8; BYTES]) -> [u32; 4] {
        let (scales, low) = (word(block, SCALES), word(block, SCALES + 8));
        [scales & SIX_BITS, low & FOUR_BITS | (scales & UPPER_BITS) >> 2, 0, 0]
    }

    #[inline(always)]
    fn min_bits(block: &[u8; BYTES]) -> u16 {
        half_bits(block, 2)
    }

    #[inline(always)]
    fn sub_mins(block: &[u8; BYTES]) -> [u32; 4] {
        let (mins, low) = (word(block, SCALES + 4), word(block, SCALES + 8));
        [mins & SIX_BITS, low >> 4 & FOUR_BITS | (mins & UPPER_BITS) >> 2, 0, 0]
    }
}

impl Format<1, 210> for Q6K {
    const STEPS: usize = 16;
    const OFFSET: u8 = 32;
    const AFFINE: bool = false;

    /// Each 128 elements have 64 bytes of nibbles and 32 bytes of two high bits; 64 and 32 elements are apart that
    /// share a byte.
    #[inline(always)]
    fn levels(block: &[u8; 210], step: usize) -> [Bytes; 1] {
        let (part, step) = (step / 8, step % 8);
        let low = bytes(block, 64 * part + 16 * (step % 4)).bits(step / 4 * 4, 15);
        let high = bytes(block, 128 + 32 * part + 16 * (step % 2)).bits(step / 2 * 2, 3);
        [low.or(high.to_high())]
    }

    #[inline(always)]
    fn scale_bits(block: &[u8; 210]) -> u16 {
        half_bits(block, 208)
    }

    #[inline(always)]
    fn sub_scales(block: &[u8; 210]) -> [u32; 4] {
        array(|i| word(block, 192 + 4 * i))
    }
}
