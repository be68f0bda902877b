//! `IQ4_NL` and `IQ4_XS`: 4-bit levels that stand for the uneven values of [`VALUES`].
//!
//! Bytes of ggml's `block_iq4_nl`, of 32 elements: the f16 scale at 0, the nibbles of `i` and `i + 16` at 2.
//! Bytes of `block_iq4_xs`, of eight sub-blocks of 32: the f16 scale of the scales at 0, two high bits of each 6-bit
//! scale at 2, its low nibbles at 4, then the nibbles of each 32 elements as in `IQ4_NL` at 8. An element is
//! `scale * (sub_scale - 32) * value`.

use super::format::{EncodeBlock, Format, each_block, read_f16, write_f16};
use super::lanes::{LANES, Lanes, array, nearest};
use super::pack::{self, SUPER};
use super::search::nonlinear::{self, VALUES};
use super::search::{load, peak_of, squares, sum, weigh};

pub(super) struct Iq4Nl;

pub(super) struct Iq4Xs;

impl Format<32, 18> for Iq4Nl {
    #[inline(always)]
    fn decode(block: &[u8; 18], out: &mut [f32; 32]) {
        decode_nibbles(read_f16(block, 0), &block[2..], out);
    }

    #[inline(always)]
    fn encode_row<L: Lanes>(row: &[[f32; 32]], importance: Option<&[[f32; 32]]>, out: &mut [[u8; 18]]) {
        for (group, (x, out)) in row.chunks(LANES).zip(out.chunks_mut(LANES)).enumerate() {
            let lanes: [L; 32] = load(x);
            let spread = sum(&squares(&lanes)) * L::splat(2.0 / 32.0);
            let scales = search(&lanes, importance.map(|columns| &columns[LANES * group..]), spread);
            for ((x, block), scale) in x.iter().zip(out).zip(scales) {
                write_f16(block, 0, scale);
                encode_nibbles(x, scale, &mut block[2..]);
            }
        }
    }

    fn is_finite(block: &[u8; 18]) -> bool {
        read_f16(block, 0).is_finite()
    }
}

impl Format<SUPER, 136> for Iq4Xs {
    #[inline(always)]
    fn decode(block: &[u8; 136], out: &mut [f32; SUPER]) {
        let d = read_f16(block, 0);
        let high = u16::from_le_bytes([block[2], block[3]]);
        let nibbles = block[8..].as_chunks::<16>().0;
        for (i, (out, nibbles)) in out.as_chunks_mut().0.iter_mut().zip(nibbles).enumerate() {
            let sub_scale = (block[4 + i / 2] >> (4 * (i % 2)) & 15) | ((high >> (2 * i) & 3) as u8) << 4;
            decode_nibbles(d * f32::from(sub_scale as i8 - 32), nibbles, out);
        }
    }

    #[inline(always)]
    fn encode_row<L: Lanes>(
        row: &[[f32; SUPER]],
        importance: Option<&[[f32; SUPER]]>,
        out: &mut [[u8; 136]],
    ) {
        each_block::<L, Self, SUPER, 136>(row, importance, out);
    }

    fn is_finite(block: &[u8; 136]) -> bool {
        read_f16(block, 0).is_finite()
    }
}

impl EncodeBlock<SUPER, 136> for Iq4Xs {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; SUPER], importance: Option<&[f32; SUPER]>, block: &mut [u8; 136]) {
        let subs = x.as_chunks::<32>().0;
        let spread = x.iter().fold(0.0, |sum, x| sum + x * x) * (2.0 / SUPER as f32);
        let importance = importance.map(|columns| columns.as_chunks().0);
        let scales = search(&load(subs), importance, L::splat(spread));
        let peak = peak_of(&scales);
        let d = -peak / 32.0;
        let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
        *block = [0; 136];
        write_f16(block, 0, d);
        let mut high = 0;
        for (i, x) in subs.iter().enumerate() {
            let sub_scale = nearest(inverse * scales[i]).clamp(-32, 31);
            encode_nibbles(x, d * sub_scale as f32, &mut block[8 + 16 * i..24 + 16 * i]);
            let bits = (sub_scale + 32) as u8;
            block[4 + i / 2] |= (bits & 15) << (4 * (i % 2));
            high |= u16::from(bits >> 4) << (2 * i);
        }
        block[2..4].copy_from_slice(&high.to_le_bytes());
    }
}

/// Scales for up to [`LANES`] blocks, weighted by their squares where no importance is given.
#[inline(always)]
fn search<L: Lanes>(x: &[L; 32], importance: Option<&[[f32; 32]]>, spread: L) -> [f32; LANES] {
    let weights = match importance {
        Some(columns) => weigh(&load(columns), x, spread),
        None => squares(x),
    };
    nonlinear::search(x, &weights)
}

#[inline(always)]
fn encode_nibbles(x: &[f32; 32], scale: f32, nibbles: &mut [u8]) {
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let levels: [u8; 32] = array(|i| nonlinear::level(inverse * x[i]));
    pack::nibbles::<16>(&levels, nibbles);
}

#[inline(always)]
fn decode_nibbles(scale: f32, nibbles: &[u8], out: &mut [f32; 32]) {
    let levels = pack::unpack_nibbles::<16, 32>(nibbles);
    *out = array(|i| scale * f32::from(VALUES[usize::from(levels[i] & 15)]));
}
