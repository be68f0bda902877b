//! `MXFP4`: 4-bit floats (E2M1) with one power of two for 32, after the OCP Microscaling Formats specification 1.0.
//!
//! Bytes of ggml's `block_mxfp4`: the scale's exponent (E8M0, bias 127) at 0, the nibbles of `i` and `i + 16` at 1.
//!
//! Where all values are below 2^-125, encoding takes the smallest exponent. ggml's exponent wraps there,
//! and the block becomes zeros or even NaN.

use super::format::{EncodeBlock, Format, each_block};
use super::lanes::{LANES, Lanes, Mask, array, low_byte};
use super::pack;

pub(super) struct Mxfp4;

/// Twice the values of E2M1, so that they are integers; the scale is halved in turn.
const DOUBLED: [u8; 8] = [0, 1, 2, 3, 4, 6, 8, 12];

/// The bit of a nibble that makes it negative.
const SIGN: u8 = 8;

impl Format<32, 17> for Mxfp4 {
    #[inline(always)]
    fn decode(block: &[u8; 17], out: &mut [f32; 32]) {
        let scale = half_scale(block[0]);
        let levels = pack::unpack_nibbles::<16, 32>(&block[1..]);
        *out = array(|i| {
            let level = levels[i];
            let magnitude = DOUBLED[usize::from(level & 7)] as i8;
            scale * f32::from(if level & SIGN == 0 { magnitude } else { -magnitude })
        });
    }

    /// The largest magnitude gets the largest exponent, then every value its nearest. Importance changes nothing.
    #[inline(always)]
    fn encode_row<L: Lanes>(row: &[[f32; 32]], importance: Option<&[[f32; 32]]>, out: &mut [[u8; 17]]) {
        each_block::<L, Self, 32, 17>(row, importance, out);
    }

    fn is_finite(block: &[u8; 17]) -> bool {
        block[0] != 0xff
    }
}

impl EncodeBlock<32, 17> for Mxfp4 {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; 32], _: Option<&[f32; 32]>, block: &mut [u8; 17]) {
        let largest = x.iter().fold(0_u32, |most, x| most.max(x.abs().to_bits()));
        block[0] = exponent(f32::from_bits(largest));
        let scale = half_scale(block[0]);
        let mut nearest = [0; 32];
        for (x, nearest) in x.as_chunks().0.iter().zip(nearest.as_chunks_mut().0) {
            *nearest = levels::<L>(x, scale);
        }
        pack::nibbles::<16>(&nearest, &mut block[1..]);
    }
}

/// The exponent that puts `largest` between 4 and 8, in E8M0. As in ggml, the logarithm is rounded to f32 first, so
/// that a value just below a power of two counts as that power.
#[inline(always)]
fn exponent(largest: f32) -> u8 {
    if largest > 0.0 { ((f64::from(largest).log2() as f32).floor() - 2.0 + 127.0) as u8 } else { 0 }
}

/// Half of 2^(exponent - 127).
#[inline(always)]
fn half_scale(exponent: u8) -> f32 {
    let exponent = u32::from(exponent);
    f32::from_bits(if exponent < 2 { 0x20_0000 << exponent } else { (exponent - 1) << 23 })
}

/// The nearest values, the smaller magnitude of two; zero is never negative.
#[inline(always)]
fn levels<L: Lanes>(x: &[f32; LANES], scale: f32) -> [u8; LANES] {
    let magnitude = L::from(*x).abs();
    let (mut best, mut least) = (L::zero(), magnitude);
    for (i, value) in (0_u8..).zip(DOUBLED).skip(1) {
        let error = (L::splat(f32::from(value) * scale) - magnitude).abs();
        let better = error.lt(least);
        best = better.select(L::splat(f32::from(i)), best);
        least = better.select(error, least);
    }
    let best = best.to_array();
    array(|i| low_byte(best[i]) | if x[i] < 0.0 && best[i] > 0.0 { SIGN } else { 0 })
}
