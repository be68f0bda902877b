//! `Q8_K`: super-blocks with one scale, which ggml multiplies the k-quants with.
//!
//! Bytes of ggml's `block_q8_K`: the f32 scale at 0, 256 signed bytes at 4, the 16-bit sums of each 16 at 260.

use crate::block::format::{EncodeBlock, Format, each_block};
use crate::block::lanes::{Lanes, nearest};
use crate::block::pack::SUPER;

pub(in crate::block) struct Q8K;

const BYTES: usize = 292;
const SUMS: usize = 260;

impl Format<SUPER, BYTES> for Q8K {
    #[inline(always)]
    fn decode(block: &[u8; BYTES], out: &mut [f32; SUPER]) {
        let scale = read_scale(block);
        for (out, &q) in out.iter_mut().zip(&block[4..SUMS]) {
            *out = scale * f32::from(q as i8);
        }
    }

    /// Puts the largest magnitude on -127. Importance changes nothing.
    #[inline(always)]
    fn encode_row<L: Lanes>(
        row: &[[f32; SUPER]],
        importance: Option<&[[f32; SUPER]]>,
        out: &mut [[u8; BYTES]],
    ) {
        each_block::<L, Self, SUPER, BYTES>(row, importance, out);
    }

    fn is_finite(block: &[u8; BYTES]) -> bool {
        read_scale(block).is_finite()
    }
}

#[inline(always)]
fn read_scale(block: &[u8; BYTES]) -> f32 {
    f32::from_le_bytes([block[0], block[1], block[2], block[3]])
}

impl EncodeBlock<SUPER, BYTES> for Q8K {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; SUPER], _: Option<&[f32; SUPER]>, block: &mut [u8; BYTES]) {
        *block = [0; BYTES];
        let largest = f32::from_bits(x.iter().fold(0, |most, x| most.max(x.abs().to_bits())));
        let Some(peak) = x.iter().find(|x| x.abs() == largest && largest > 0.0) else { return };
        let inverse = -127.0 / peak;
        block[..4].copy_from_slice(&(1.0 / inverse).to_le_bytes());
        let (levels, sums) = block[4..].split_at_mut(SUPER);
        for (level, x) in levels.iter_mut().zip(x) {
            *level = nearest(inverse * x).min(127) as u8;
        }
        for (sum, levels) in sums.chunks_exact_mut(2).zip(levels.chunks_exact(16)) {
            let total: i16 = levels.iter().map(|&q| i16::from(q as i8)).sum();
            sum.copy_from_slice(&total.to_le_bytes());
        }
    }
}
