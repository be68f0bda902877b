//! The block formats as integer kernels read them: steps of 16 or 32 unsigned levels that share a scale.

/// Rows of blocks of `BYTES`, in steps of `HALVES` times 16 elements. Element `i` of a step is
/// `scale * (level[i] - OFFSET) - min`.
pub(super) trait Format<const HALVES: usize, const BYTES: usize> {
    /// Steps in a block.
    const STEPS: usize;

    /// What a level of zero stands for, negated. Levels reach 128 only if this is 128.
    const OFFSET: u8;

    /// Whether [`min`](Self::min) is ever other than 0; then `HALVES` is 2.
    const AFFINE: bool;

    fn levels(block: &[u8; BYTES], step: usize) -> [[u8; 16]; HALVES];

    fn scale(block: &[u8; BYTES], step: usize) -> f32;

    #[inline(always)]
    fn min(_: &[u8; BYTES], _: usize) -> f32 {
        0.0
    }
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

/// The low nibbles of sixteen bytes, or the high ones.
#[inline(always)]
pub(super) fn nibbles(bytes: &[u8], high: bool) -> [u8; 16] {
    let shift = if high { 4 } else { 0 };
    let word = |i: usize| u64::from_le_bytes(std::array::from_fn(|j| bytes[8 * i + j]));
    let split = |x: u64| ((x >> shift) & 0x0f0f_0f0f_0f0f_0f0f).to_le_bytes();
    join([split(word(0)), split(word(1))])
}

#[inline(always)]
pub(super) fn join(halves: [[u8; 8]; 2]) -> [u8; 16] {
    std::array::from_fn(|i| halves[i / 8][i % 8])
}

/// The f16 at `offset`, without the detour over the features of the machine.
#[inline(always)]
pub(super) fn read_f16(block: &[u8], offset: usize) -> f32 {
    let bits = u32::from(u16::from_le_bytes([block[offset], block[offset + 1]]));
    let sign = (bits & 0x8000) << 16;
    // As the low bits of an f32 the exponent is 112 too small, which the multiplication mends, subnormals included.
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    let infinite = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude.to_bits() | sign | infinite)
}

#[cfg(test)]
mod tests {
    use lorgnette_quant::{TensorType, block};

    use super::*;

    fn read<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize>(blocks: &[u8]) -> Vec<f32> {
        let mut floats = Vec::new();
        for block in blocks.as_chunks().0 {
            for step in 0..F::STEPS {
                let levels = F::levels(block, step);
                let float = |level: u8| f32::from(i16::from(level) - i16::from(F::OFFSET));
                let scaled = |&level| float(level) * F::scale(block, step) - F::min(block, step);
                floats.extend(levels.as_flattened().iter().map(scaled));
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

    #[test]
    fn every_f16_is_read_as_its_float() {
        for bits in 0..=u16::MAX {
            let (read, expected) = (read_f16(&bits.to_le_bytes(), 0), half::f16::from_bits(bits).to_f32());
            assert!(read == expected || (read.is_nan() && expected.is_nan()), "{bits:#06x}");
        }
    }
}
