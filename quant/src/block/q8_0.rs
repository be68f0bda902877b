//! `Q8_0`, ggml's `block_q8_0`: the f16 scale at byte 0, 32 signed bytes from 2.

use super::format::{EncodeBlock, Format, each_block, read_f16, write_f16};
use super::lanes::{Lanes, array, low_byte};

pub(super) struct Q8_0;

impl Format<32, 34> for Q8_0 {
    #[inline(always)]
    fn decode(block: &[u8; 34], out: &mut [f32; 32]) {
        let scale = read_f16(block, 0);
        for (out, &q) in out.iter_mut().zip(&block[2..]) {
            *out = f32::from(q as i8) * scale;
        }
    }

    /// Spreads the largest magnitude over 127 levels. There is nothing to search for, so importance changes nothing.
    #[inline(always)]
    fn encode_row<L: Lanes>(row: &[[f32; 32]], importance: Option<&[[f32; 32]]>, out: &mut [[u8; 34]]) {
        each_block::<L, Self, 32, 34>(row, importance, out);
    }

    fn is_finite(block: &[u8; 34]) -> bool {
        read_f16(block, 0).is_finite()
    }
}

impl EncodeBlock<32, 34> for Q8_0 {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; 32], _: Option<&[f32; 32]>, out: &mut [u8; 34]) {
        let largest = x.iter().fold(0_u32, |most, x| most.max(x.abs().to_bits()));
        let scale = f32::from_bits(largest) / 127.0;
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        write_f16(out, 0, scale);
        let levels: [u8; 32] = array(|i| low_byte((x[i] * inverse).round()));
        out[2..].copy_from_slice(&levels);
    }
}
