//! `Q4_K`, `Q5_K` and `Q6_K`: 256 levels with scales of scales. Their bytes are described in `lorgnette_quant`.

use super::format::{Format, Lanes, Packed, half_bits, words};
use crate::backend::cpu::isa::Isa;

/// Levels of `BITS` bits above a minimum, in sub-blocks of 32.
pub(super) struct Q45K<const BITS: usize>;

/// Levels of six bits around zero, in sub-blocks of 16.
pub(super) struct Q6K;

/// In each of four bytes.
const SIX_BITS: u32 = 0x3f3f_3f3f;
const FOUR_BITS: u32 = 0x0f0f_0f0f;
const TWO_BITS: u32 = 0x0303_0303;
const UPPER_BITS: u32 = 0xc0c0_c0c0;

impl<const BITS: usize> Q45K<BITS> {
    /// Words of fifth bits.
    const FIFTH: usize = 8 * (BITS - 4);
}

impl<const BITS: usize> Format for Q45K<BITS> {
    const BYTES: usize = 16 + 4 * Self::LEVEL_WORDS;
    const STEPS: usize = 8;
    const GROUPS: usize = 8;
    const OFFSET: u8 = 0;
    const AFFINE: bool = true;
    const LEVEL_WORDS: usize = 32 + Self::FIFTH;

    /// Scales and minima have six bits each: the first four whole, of the others four bits in the third word and the
    /// upper two above those of the first.
    fn pack(block: &[u8]) -> Packed {
        let [scales, mins, low] = words::<3>(block, 4);
        let factors = [
            scales & SIX_BITS,
            low & FOUR_BITS | (scales & UPPER_BITS) >> 2,
            mins & SIX_BITS,
            low >> 4 & FOUR_BITS | (mins & UPPER_BITS) >> 2,
        ];
        let halves = [half_bits(block, 0), half_bits(block, 2)];
        let fifth = words::<8>(block, 16);
        Packed::new(halves, &[&factors, &fifth[..Self::FIFTH], &words::<32>(block, Self::BYTES - 128)])
    }

    #[inline(always)]
    fn levels<I: Isa>(words: Lanes<'_>, step: usize, group: usize) -> I::Ints {
        let low = words.nibbles::<I>(Self::FIFTH + 8 * (step / 2) + group, step % 2);
        if BITS == 4 {
            return low;
        }
        let fifth = I::and(I::shift_right(words.word::<I>(group), step), 0x0101_0101);
        I::or(low, I::shift_left(fifth, 4))
    }
}

impl Format for Q6K {
    const BYTES: usize = 210;
    const STEPS: usize = 16;
    const GROUPS: usize = 4;
    const OFFSET: u8 = 32;
    const AFFINE: bool = false;
    const LEVEL_WORDS: usize = 48;

    fn pack(block: &[u8]) -> Packed {
        let mut levels = [0; 48];
        for step in 0..Self::STEPS {
            for group in 0..Self::GROUPS {
                let level = four_levels(block, step, group);
                let at = 12 * (step / 4) + group;
                levels[at + 4 * (step % 4 / 2)] |= (level & FOUR_BITS) << (step % 2 * 4);
                levels[at + 8] |= (level >> 4 & TWO_BITS) << (step % 4 * 2);
            }
        }
        Packed::new([half_bits(block, 208), 0], &[&words::<4>(block, 192), &levels])
    }

    /// Four steps share twelve words: the nibbles of the first two, those of the other two, and the two high bits of all.
    #[inline(always)]
    fn levels<I: Isa>(words: Lanes<'_>, step: usize, group: usize) -> I::Ints {
        let at = 12 * (step / 4) + group;
        let low = words.nibbles::<I>(at + 4 * (step % 4 / 2), step % 2);
        let high = I::and(I::shift_right(words.word::<I>(at + 8), step % 4 * 2), TWO_BITS);
        I::or(low, I::shift_left(high, 4))
    }
}

/// Four levels of [`Q6K`] as a file has them: each 128 elements have 64 bytes of nibbles and 32 bytes of two high bits; 64
/// and 32 elements are apart that share a byte.
fn four_levels(block: &[u8], step: usize, group: usize) -> u32 {
    let (part, step) = (step / 8, step % 8);
    let [low] = words::<1>(block, 64 * part + 16 * (step % 4) + 4 * group);
    let [high] = words::<1>(block, 128 + 32 * part + 16 * (step % 2) + 4 * group);
    low >> (step / 4 * 4) & FOUR_BITS | (high >> (step / 2 * 2) & TWO_BITS) << 4
}
