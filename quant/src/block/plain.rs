//! Numbers without a scale. Infinities and NaN pass through them.

use half::bf16;
use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use super::format::Format;
use super::lanes::Lanes;

/// IEEE 754 binary32, little-endian.
pub(super) struct F32;

/// IEEE 754 binary64, little-endian; rounded to the nearest binary32 when decoded.
pub(super) struct F64;

/// IEEE 754 binary16, little-endian; rounds to nearest, ties to even.
pub(super) struct F16;

/// The upper half of a binary32, little-endian; rounds to nearest, ties to even.
pub(super) struct BF16;

/// Encodes element by element.
macro_rules! plain_row {
    ($bytes:literal, $encode:expr) => {
        #[inline(always)]
        fn encode_row<L: Lanes>(row: &[[f32; 1]], _: Option<&[[f32; 1]]>, out: &mut [[u8; $bytes]]) {
            for (&[x], out) in row.iter().zip(out) {
                *out = $encode(x);
            }
        }
    };
}

impl Format<1, 4> for F32 {
    #[inline(always)]
    fn decode(block: &[u8; 4], out: &mut [f32; 1]) {
        *out = [f32::from_le_bytes(*block)];
    }

    plain_row!(4, f32::to_le_bytes);

    fn is_finite(block: &[u8; 4]) -> bool {
        f32::from_le_bytes(*block).is_finite()
    }
}

impl Format<1, 8> for F64 {
    #[inline(always)]
    fn decode(block: &[u8; 8], out: &mut [f32; 1]) {
        *out = [f64::from_le_bytes(*block) as f32];
    }

    plain_row!(8, |x| f64::from(x).to_le_bytes());

    fn is_finite(block: &[u8; 8]) -> bool {
        f64::from_le_bytes(*block).is_finite()
    }
}

impl Format<1, 2> for BF16 {
    #[inline(always)]
    fn decode(block: &[u8; 2], out: &mut [f32; 1]) {
        *out = [f32::from_bits(u32::from(u16::from_le_bytes(*block)) << 16)];
    }

    plain_row!(2, |x| bf16_bits(x).to_le_bytes());

    fn is_finite(block: &[u8; 2]) -> bool {
        bf16::from_le_bytes(*block).is_finite()
    }
}

#[inline(always)]
fn bf16_bits(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    (if x.is_nan() { bits | 0x40_0000 } else { rounded } >> 16) as u16
}

/// Elements converted at a time.
const CHUNK: usize = 64;

impl Format<1, 2> for F16 {
    fn decode(block: &[u8; 2], out: &mut [f32; 1]) {
        *out = [f16::from_le_bytes(*block).to_f32()];
    }

    #[inline(always)]
    fn decode_all(blocks: &[[u8; 2]], out: &mut [[f32; 1]]) {
        let mut bits = [0; CHUNK];
        for (blocks, out) in blocks.chunks(CHUNK).zip(out.as_flattened_mut().chunks_mut(CHUNK)) {
            let bits = &mut bits[..blocks.len()];
            for (bits, &block) in bits.iter_mut().zip(blocks) {
                *bits = u16::from_le_bytes(block);
            }
            bits.reinterpret_cast::<f16>().convert_to_f32_slice(out);
        }
    }

    #[inline(always)]
    fn encode_row<L: Lanes>(row: &[[f32; 1]], _: Option<&[[f32; 1]]>, out: &mut [[u8; 2]]) {
        let mut halves = [f16::ZERO; CHUNK];
        for (row, out) in row.as_flattened().chunks(CHUNK).zip(out.chunks_mut(CHUNK)) {
            let halves = &mut halves[..row.len()];
            halves.convert_from_f32_slice(row);
            for (out, half) in out.iter_mut().zip(halves) {
                *out = half.to_le_bytes();
            }
        }
    }

    fn is_finite(block: &[u8; 2]) -> bool {
        f16::from_le_bytes(*block).is_finite()
    }
}
