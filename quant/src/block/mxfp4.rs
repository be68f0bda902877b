//! `MXFP4`: 4-bit floats (E2M1) with one power of two for 32, after the OCP Microscaling Formats specification 1.0.
//!
//! Bytes of ggml's `block_mxfp4`: the scale's exponent (E8M0, bias 127) at 0, the nibbles of `i` and `i + 16` at 1;
//! bit 3 of a nibble is the sign.
//!
//! Where all values are below 2^-125, [`Format::encode_row`] takes the smallest exponent. ggml's exponent wraps there,
//! and the block becomes zeros or even NaN.

use super::format::{Format, each_block};
use super::pack;

pub(super) struct Mxfp4;

/// Twice the values of E2M1, so that they are integers; the scale is halved in turn.
const DOUBLED: [u8; 8] = [0, 1, 2, 3, 4, 6, 8, 12];

impl Format<32, 17> for Mxfp4 {
    #[inline(always)]
    fn decode(block: &[u8; 17], out: &mut [f32; 32]) {
        let scale = half_scale(block[0]);
        let levels = pack::unpack_nibbles::<16, 32>(&block[1..]);
        *out = levels.map(|level| {
            let magnitude = DOUBLED[usize::from(level & 7)] as i8;
            scale * f32::from(if level & 8 == 0 { magnitude } else { -magnitude })
        });
    }

    /// The largest magnitude gets the largest exponent, then every value its nearest. Importance changes nothing.
    #[inline(always)]
    fn encode_row(row: &[[f32; 32]], importance: Option<&[[f32; 32]]>, out: &mut [[u8; 17]]) {
        each_block(row, importance, out, |x, _, block| {
            let largest = x.iter().fold(0_u32, |most, x| most.max(x.abs().to_bits()));
            block[0] = exponent(f32::from_bits(largest));
            let scale = half_scale(block[0]);
            pack::nibbles::<16>(&x.map(|x| level(x, scale)), &mut block[1..]);
        });
    }

    fn is_finite(block: &[u8; 17]) -> bool {
        block[0] != 0xff
    }
}

/// The exponent that puts `largest` between 4 and 8, in E8M0.
#[inline(always)]
fn exponent(largest: f32) -> u8 {
    if largest > 0.0 { (largest.log2().floor() - 2.0 + 127.0) as u8 } else { 0 }
}

/// Half of 2^(exponent - 127).
#[inline(always)]
fn half_scale(exponent: u8) -> f32 {
    let exponent = u32::from(exponent);
    f32::from_bits(if exponent < 2 { 0x20_0000 << exponent } else { (exponent - 1) << 23 })
}

/// The nearest value, the smaller magnitude of two; zero is never negative.
#[inline(always)]
fn level(x: f32, scale: f32) -> u8 {
    let magnitude = x.abs();
    let (mut best, mut least) = (0, magnitude);
    for (i, value) in DOUBLED.into_iter().enumerate().skip(1) {
        let error = (f32::from(value) * scale - magnitude).abs();
        (best, least) = if error < least { (i as u8, error) } else { (best, least) };
    }
    if x < 0.0 && best != 0 { best | 8 } else { best }
}
