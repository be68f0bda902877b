//! The block formats as integer kernels read them: steps of 16 or 32 unsigned levels that share a scale.

use crate::backend::cpu::isa::{Bytes, Isa};

/// Rows of blocks of `BYTES`, in steps of `HALVES` times 16 elements. Element `i` of a step is
/// `scale * (level[i] - OFFSET) - min`.
pub(super) trait Format<const HALVES: usize, const BYTES: usize> {
    /// Steps in a block.
    const STEPS: usize;

    /// What a level of zero stands for, negated. Levels reach 128 only if this is 128.
    const OFFSET: u8;

    /// Whether [`min`](Self::min) is ever other than 0; then `HALVES` is 2.
    const AFFINE: bool;

    fn levels(block: &[u8; BYTES], step: usize) -> [Bytes; HALVES];

    fn scale<I: Isa>(block: &[u8; BYTES], step: usize) -> f32;

    #[inline(always)]
    fn min<I: Isa>(_: &[u8; BYTES], _: usize) -> f32 {
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

/// Sixteen bytes from `offset` on.
#[inline(always)]
pub(super) fn bytes(block: &[u8], offset: usize) -> Bytes {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&block[offset..][..16]);
    Bytes::new(bytes)
}

/// The f16 at `offset`.
#[inline(always)]
pub(super) fn read_f16<I: Isa>(block: &[u8], offset: usize) -> f32 {
    I::half_to_float(u16::from_le_bytes([block[offset], block[offset + 1]]))
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use lorgnette_quant::{TensorType, block};

    use super::*;
    use crate::backend::cpu::isa::{Level, Work};

    struct Read<'a, F, const HALVES: usize, const BYTES: usize>(&'a [u8], PhantomData<F>);

    impl<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize> Work for Read<'_, F, HALVES, BYTES> {
        type Output = Vec<f32>;

        fn run<I: Isa>(self) -> Vec<f32> {
            let mut floats = Vec::new();
            for block in self.0.as_chunks().0 {
                for step in 0..F::STEPS {
                    let levels = F::levels(block, step);
                    let float = |level: u8| f32::from(i16::from(level) - i16::from(F::OFFSET));
                    let (scale, min) = (F::scale::<I>(block, step), F::min::<I>(block, step));
                    for half in levels {
                        floats.extend(half.to_array().map(|level| float(level) * scale - min));
                    }
                }
            }
            floats
        }
    }

    fn read<F: Format<HALVES, BYTES>, const HALVES: usize, const BYTES: usize>(
        level: Level,
        blocks: &[u8],
    ) -> Vec<f32> {
        level.run(Read(blocks, PhantomData::<F>))
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
        for (&ty, &level) in
            TensorType::ALL.iter().flat_map(|ty| Level::all().iter().map(move |level| (ty, level)))
        {
            let blocks = blocks(ty, 6);
            let Some(floats) = with_format!(ty, read(level, &blocks)) else { continue };
            let mut expected = vec![0.0; floats.len()];
            block::decode(ty, &blocks, &mut expected).expect("whole blocks");
            assert_eq!(floats, expected, "{ty}, {level:?}");
            seen += 1;
        }
        assert_eq!(seen, 8 * Level::all().len());
    }

    struct ReadHalf(u16);

    impl Work for ReadHalf {
        type Output = f32;

        fn run<I: Isa>(self) -> f32 {
            read_f16::<I>(&self.0.to_le_bytes(), 0)
        }
    }

    #[test]
    fn every_f16_is_read_as_its_float() {
        for (bits, &level) in
            (0..=u16::MAX).flat_map(|bits| Level::all().iter().map(move |level| (bits, level)))
        {
            let (read, expected) = (level.run(ReadHalf(bits)), half::f16::from_bits(bits).to_f32());
            assert!(read == expected || (read.is_nan() && expected.is_nan()), "{bits:#06x}, {level:?}");
        }
    }
}
