//! `Q8_0`, `Q4_0`, `Q4_1`, `Q5_0` and `Q5_1`: 32 levels with one scale. Their bytes are described in `lorgnette_quant`.

use super::format::{Format, Lanes, Packed, half_bits, words};
use crate::backend::cpu::isa::Isa;

pub(super) struct Q8_0;

/// Levels of `BITS` bits; with a minimum if `AFFINE`, around zero if not.
pub(super) struct Legacy<const BITS: usize, const AFFINE: bool>;

impl Format for Q8_0 {
    const BYTES: usize = 34;
    const STEPS: usize = 1;
    const GROUPS: usize = 8;
    const OFFSET: u8 = 128;
    const AFFINE: bool = false;
    const LEVEL_WORDS: usize = 8;

    fn pack(block: &[u8]) -> Packed {
        let levels = words::<8>(block, 2).map(|word| word ^ 0x8080_8080);
        Packed::new([half_bits(block, 0), 0], &[&levels])
    }

    #[inline(always)]
    fn levels<I: Isa>(words: Lanes<'_>, _: usize, group: usize) -> I::Ints {
        words.word::<I>(group)
    }
}

impl<const BITS: usize, const AFFINE: bool> Legacy<BITS, AFFINE> {
    /// Words of fifth bits.
    const FIFTH: usize = BITS - 4;
}

impl<const BITS: usize, const AFFINE: bool> Format for Legacy<BITS, AFFINE> {
    const BYTES: usize = 2 * Self::HALVES + 4 * Self::LEVEL_WORDS;
    const STEPS: usize = 1;
    const GROUPS: usize = 8;
    const OFFSET: u8 = if AFFINE { 0 } else { 1 << (BITS - 1) };
    const AFFINE: bool = AFFINE;
    const LEVEL_WORDS: usize = 4 + Self::FIFTH;

    /// The minimum that is stored is not taken off but added: its sign is turned.
    fn pack(block: &[u8]) -> Packed {
        let min = if AFFINE { half_bits(block, 2) ^ 0x8000 } else { 0 };
        let nibbles = words::<4>(block, Self::BYTES - 16);
        let fifth = if BITS == 4 { [0] } else { words::<1>(block, Self::BYTES - 20).map(spread) };
        Packed::new([half_bits(block, 0), min], &[&fifth[..Self::FIFTH], &nibbles])
    }

    #[inline(always)]
    fn levels<I: Isa>(words: Lanes<'_>, _: usize, group: usize) -> I::Ints {
        let low = words.nibbles::<I>(Self::FIFTH + group % 4, group / 4);
        if BITS == 4 {
            return low;
        }
        let fifth = I::and(I::shift_right(words.word::<I>(0), group), 0x0101_0101);
        I::or(low, I::shift_left(fifth, 4))
    }
}

/// Bit `4 * i + j` goes where a shift by `i` makes it the lowest one of byte `j`.
fn spread(bits: u32) -> u32 {
    let moved = |at: u32| (bits >> at & 1) << (at % 4 * 8 + at / 4);
    (0..32).map(moved).sum()
}
