//! The block formats as integer kernels read them: steps of 16 or 32 unsigned levels that share a scale.

use crate::backend::cpu::isa::Bytes;

/// Rows of blocks of `BYTES`, in steps of `HALVES` times 16 elements. Element `i` of a step is
/// `scale * (level[i] - OFFSET) - min`.
pub(super) trait Format<const HALVES: usize, const BYTES: usize> {
    /// Steps in a block.
    const STEPS: usize;

    /// What a level of zero stands for, negated. Levels reach 128 only if this is 128.
    const OFFSET: u8;

    /// Whether there are minima; then `HALVES` is 2.
    const AFFINE: bool;

    fn levels(block: &[u8; BYTES], step: usize) -> [Bytes; HALVES];

    /// The f16 that the scales of all steps have as a factor.
    fn scale_bits(block: &[u8; BYTES]) -> u16;

    /// The other factors of the scales of all steps, signed bytes, four to a word; of no meaning with one step in a
    /// block.
    #[inline(always)]
    fn sub_scales(_: &[u8; BYTES]) -> [u32; 4] {
        [0; 4]
    }

    /// The f16 that the minima of all steps have as a factor.
    #[inline(always)]
    fn min_bits(_: &[u8; BYTES]) -> u16 {
        0
    }

    /// As [`sub_scales`](Self::sub_scales), of the minima.
    #[inline(always)]
    fn sub_mins(_: &[u8; BYTES]) -> [u32; 4] {
        [0; 4]
    }
}

/// Byte `index` of `word`.
#[inline(always)]
pub(super) fn signed_byte(word: u32, index: usize) -> f32 {
    ((word << (24 - 8 * index)) as i32 >> 24) as f32
}

/// Calls `$run::<format, halves, block bytes>($arg, ..)` with the [`Format`] of a tensor type; `None` if it has none.
macro_rules! with_format {
    ($ty:expr, $($run:ident)::+($($arg:expr),*)) => {{
        use $crate::backend::cpu::matmul::{k_quant::{Q6K, Q45K}, legacy::{Legacy, Q8_0}};
        match $ty {
            TensorType::Q4_0 => Some($($run)::+::<Legacy<4, false>, 2, 18>($($arg),*)),
            TensorType::Q4_1 => Some($($run)::+::<Legacy<4, true>, 2, 20>($($arg),*)),
            TensorType::Q5_0 => Some($($run)::+::<Legacy<5, false>, 2, 22>($($arg),*)),
            TensorType::Q5_1 => Some($($run)::+::<Legacy<5, true>, 2, 24>($($arg),*)),
            TensorType::Q8_0 => Some($($run)::+::<Q8_0, 2, 34>($($arg),*)),
            TensorType::Q4_K => Some($($run)::+::<Q45K<4>, 2, 144>($($arg),*)),
            TensorType::Q5_K => Some($($run)::+::<Q45K<5>, 2, 176>($($arg),*)),
            TensorType::Q6_K => Some($($run)::+::<Q6K, 1, 210>($($arg),*)),
            _ => None,
        }
    }};
}

pub(super) use with_format;

/// Sixteen bytes from `offset` on.
#[inline(always)]
pub(super) fn bytes(block: &[u8], offset: usize) -> Bytes {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&block[offset..][..16]);
    Bytes::new(bytes)
}

/// Four bytes from `offset` on.
#[inline(always)]
pub(super) fn word(block: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes([block[offset], block[offset + 1], block[offset + 2], block[offset + 3]])
}

/// The bits of the f16 at `offset`.
#[inline(always)]
pub(super) fn half_bits(block: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([block[offset], block[offset + 1]])
}

#[cfg(test)]
mod tests {
    use half::f16;
    use lorgnette_quant::{TensorType, block};

    use super::*;

    fn read<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize>(blocks: &[u8]) -> Vec<f32> {
        let float = |bits: u16, words: [u32; 4], step: usize| {
            f16::from_bits(bits).to_f32()
                * if F::STEPS > 1 { signed_byte(words[step / 4], step % 4) } else { 1.0 }
        };
        let mut floats = Vec::new();
        for block in blocks.as_chunks().0 {
            for step in 0..F::STEPS {
                let scale = float(F::scale_bits(block), F::sub_scales(block), step);
                let min = float(F::min_bits(block), F::sub_mins(block), step);
                let level = |level: u8| f32::from(i16::from(level) - i16::from(F::OFFSET));
                for half in F::levels(block, step) {
                    floats.extend(half.to_array().map(|x| level(x) * scale - min));
                }
            }
        }
        floats
    }

    /// Bytes of blocks whose f16 numbers are finite: no byte has all exponent bits set.
    fn blocks(ty: TensorType, count: usize) -> Vec<u8> {
        let mut state = 7_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let random: Vec<u8> = (0..count * ty.block_bytes()).map(|_| byte()).collect();
        random.into_iter().map(|b| if b & 0x7c == 0x7c { b & 0xbf } else { b }).collect()
    }

    #[test]
    fn levels_and_scales_are_the_floats_of_the_block() {
        let mut seen = 0;
        for &ty in TensorType::ALL {
            let blocks = blocks(ty, 6);
            let Some(floats) = with_format!(ty, read(&blocks)) else { continue };
            let mut expected = vec![0.0; floats.len()];
            block::decode(ty, &blocks, &mut expected).expect("whole blocks");
            assert_eq!(floats, expected, "{ty}");
            seen += 1;
        }
        assert_eq!(seen, 8);
    }
}
