//! `Q4_K`, `Q5_K` and `Q6_K`: 256 levels with scales of scales. Their bytes are described in `lorgnette_quant`.

use super::format::{Format, nibbles, read_f16};

/// Levels of `BITS` bits above a minimum, in sub-blocks of 32.
pub(super) struct Q45K<const BITS: usize>;

/// Levels of six bits around zero, in sub-blocks of 16.
pub(super) struct Q6K;

const SUBS: usize = 8;
const SCALES: usize = 4;
const HIGH_BITS: usize = 16;

impl<const BITS: usize, const BYTES: usize> Format<2, BYTES> for Q45K<BITS> {
    const STEPS: usize = SUBS;
    const OFFSET: u8 = 0;
    const AFFINE: bool = true;

    #[inline(always)]
    fn levels(block: &[u8; BYTES], step: usize) -> [[u8; 16]; 2] {
        std::array::from_fn(|half| {
            let at = BYTES - 128 + 32 * (step / 2) + 16 * half;
            let low = nibbles(&block[at..][..16], step % 2 == 1);
            if BITS == 4 {
                return low;
            }
            let high = &block[HIGH_BITS + 16 * half..][..16];
            std::array::from_fn(|i| low[i] | (high[i] >> step & 1) << 4)
        })
    }

    #[inline(always)]
    fn scale(block: &[u8; BYTES], step: usize) -> f32 {
        let b = &block[SCALES..HIGH_BITS];
        let scale = if step < 4 { b[step] & 63 } else { (b[step + 4] & 15) | (b[step - 4] >> 6 << 4) };
        read_f16(block, 0) * f32::from(scale)
    }

    #[inline(always)]
    fn min(block: &[u8; BYTES], step: usize) -> f32 {
        let b = &block[SCALES..HIGH_BITS];
        let min = if step < 4 { b[step + 4] & 63 } else { (b[step + 4] >> 4) | (b[step] >> 6 << 4) };
        read_f16(block, 2) * f32::from(min)
    }
}

impl Format<1, 210> for Q6K {
    const STEPS: usize = 16;
    const OFFSET: u8 = 32;
    const AFFINE: bool = false;

    /// Each 128 elements have 64 bytes of nibbles and 32 bytes of two high bits; 64 and 32 elements are apart that
    /// share a byte.
    #[inline(always)]
    fn levels(block: &[u8; 210], step: usize) -> [[u8; 16]; 1] {
        let (part, step) = (step / 8, step % 8);
        let low = nibbles(&block[64 * part + 16 * (step % 4)..][..16], step >= 4);
        let high = &block[128 + 32 * part + 16 * (step % 2)..][..16];
        [std::array::from_fn(|i| low[i] | (high[i] >> (step / 2 * 2) & 3) << 4)]
    }

    #[inline(always)]
    fn scale(block: &[u8; 210], step: usize) -> f32 {
        read_f16(block, 208) * f32::from(block[192 + step] as i8)
    }
}
