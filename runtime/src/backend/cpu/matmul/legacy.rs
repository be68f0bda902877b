//! `Q8_0`, `Q4_0`, `Q4_1`, `Q5_0` and `Q5_1`: 32 levels with one scale. Their bytes are described in `lorgnette_quant`.

use super::format::{Format, join, nibbles, read_f16};

pub(super) struct Q8_0;

/// Levels of `BITS` bits; with a minimum if `AFFINE`, around zero if not.
pub(super) struct Legacy<const BITS: usize, const AFFINE: bool>;

impl Format<2, 34> for Q8_0 {
    const STEPS: usize = 1;
    const OFFSET: u8 = 128;
    const AFFINE: bool = false;

    #[inline(always)]
    fn levels(block: &[u8; 34], _: usize) -> [[u8; 16]; 2] {
        std::array::from_fn(|half| std::array::from_fn(|i| block[2 + 16 * half + i] ^ 128))
    }

    #[inline(always)]
    fn scale(block: &[u8; 34], _: usize) -> f32 {
        read_f16(block, 0)
    }
}

impl<const BITS: usize, const AFFINE: bool, const BYTES: usize> Format<2, BYTES> for Legacy<BITS, AFFINE> {
    const STEPS: usize = 1;
    const OFFSET: u8 = if AFFINE { 0 } else { 1 << (BITS - 1) };
    const AFFINE: bool = AFFINE;

    #[inline(always)]
    fn levels(block: &[u8; BYTES], _: usize) -> [[u8; 16]; 2] {
        let low = [nibbles(&block[BYTES - 16..], false), nibbles(&block[BYTES - 16..], true)];
        if BITS == 4 {
            return low;
        }
        let fifth = |half: usize, i: usize| fifth_bits(block[BYTES - 20 + 2 * half + i]);
        std::array::from_fn(|half| {
            let high = join([fifth(half, 0), fifth(half, 1)]);
            std::array::from_fn(|i| low[half][i] | high[i])
        })
    }

    #[inline(always)]
    fn scale(block: &[u8; BYTES], _: usize) -> f32 {
        read_f16(block, 0)
    }

    #[inline(always)]
    fn min(block: &[u8; BYTES], _: usize) -> f32 {
        if AFFINE { -read_f16(block, 2) } else { 0.0 }
    }
}

/// Bit `i` of `bits` as the fifth bit of byte `i`: one bit is left in each byte, and carried to the top if it is set.
#[inline(always)]
fn fifth_bits(bits: u8) -> [u8; 8] {
    let spread = (u64::from(bits) * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    let top = spread + 0x7f7f_7f7f_7f7f_7f7f;
    ((top >> 3) & 0x1010_1010_1010_1010).to_le_bytes()
}
