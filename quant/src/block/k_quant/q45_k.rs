//! `Q4_K` and `Q5_K`: super-blocks of eight sub-blocks of 32, each with a 6-bit scale and minimum.
//!
//! Bytes of ggml's `block_q4_K` and `block_q5_K`: the f16 scale of the scales at 0, of the minima at 2, their twelve
//! bytes at 4 ([`pack_scales`]), for `Q5_K` the fifth bits at 16 ([`pack::planes`] of one bit), then the nibbles,
//! those of each 64 elements in 32 bytes. An element is `scale * level - minimum`.

use super::affine::{AffineSuper, Plan};
use crate::block::format::{EncodeBlock, Format, each_block, read_f16, write_f16};
use crate::block::lanes::{Lanes, array};
use crate::block::pack::{self, SUPER};
use crate::block::search::affine::Candidates;

/// Levels of `BITS` bits, 4 or 5.
pub(in crate::block) struct Q45K<const BITS: usize>;

const SUBS: usize = 8;
const SCALES: usize = 4;
const HIGH_BITS: usize = 16;

impl<const BITS: usize> Q45K<BITS> {
    const NIBBLES: usize = HIGH_BITS + if BITS == 5 { 32 } else { 0 };

    const PLAN: Plan = Plan {
        unweighted: match BITS {
            4 => Candidates { top: 15, first: -1.0, step: 0.1, count: 21, absolute: false },
            _ => Candidates { top: 31, first: -0.5, step: 0.1, count: 16, absolute: false },
        },
        rms_weight: true,
        spread: 2.0,
        top_scale: 63,
    };
}

impl<const BITS: usize, const BYTES: usize> Format<SUPER, BYTES> for Q45K<BITS> {
    #[inline(always)]
    fn decode(block: &[u8; BYTES], out: &mut [f32; SUPER]) {
        let (scales, mins) = unpack_scales(&block[SCALES..HIGH_BITS]);
        let mut levels = pack::unpack_nibbles::<32, SUPER>(&block[Self::NIBBLES..]);
        if BITS == 5 {
            let high = pack::unpack_planes::<1>(&block[HIGH_BITS..Self::NIBBLES]);
            levels = array(|i| levels[i] | (high[i] << 4));
        }
        let unpacked =
            AffineSuper::<SUBS> { d: read_f16(block, 0), dmin: read_f16(block, 2), scales, mins, levels };
        unpacked.decode::<32>(out);
    }

    #[inline(always)]
    fn encode_row<L: Lanes>(
        row: &[[f32; SUPER]],
        importance: Option<&[[f32; SUPER]]>,
        out: &mut [[u8; BYTES]],
    ) {
        each_block::<L, Self, SUPER, BYTES>(row, importance, out);
    }

    fn is_finite(block: &[u8; BYTES]) -> bool {
        read_f16(block, 0).is_finite() && read_f16(block, 2).is_finite()
    }
}

impl<const BITS: usize, const BYTES: usize> EncodeBlock<SUPER, BYTES> for Q45K<BITS> {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; SUPER], importance: Option<&[f32; SUPER]>, block: &mut [u8; BYTES]) {
        let unpacked = AffineSuper::<SUBS>::encode::<L, 32>(x, importance, &Self::PLAN);
        write_f16(block, 0, unpacked.d);
        write_f16(block, 2, unpacked.dmin);
        block[SCALES..HIGH_BITS].copy_from_slice(&pack_scales(&unpacked.scales, &unpacked.mins));
        if BITS == 5 {
            pack::planes::<1>(&unpacked.levels, 4, &mut block[HIGH_BITS..Self::NIBBLES]);
        }
        pack::nibbles::<32>(&unpacked.levels, &mut block[Self::NIBBLES..]);
    }
}

/// Bytes 0 to 3 hold scales 0 to 3, bytes 4 to 7 their minima; bytes 8 to 11 the low nibbles of scales and minima 4
/// to 7, whose high bits are on top of bytes 0 to 3 and 4 to 7.
#[inline(always)]
fn pack_scales(scales: &[u8; SUBS], mins: &[u8; SUBS]) -> [u8; 12] {
    array(|i| match i {
        0..4 => scales[i] | (scales[i + 4] >> 4 << 6),
        4..8 => mins[i - 4] | (mins[i] >> 4 << 6),
        _ => (scales[i - 4] & 15) | (mins[i - 4] << 4),
    })
}

/// The inverse of [`pack_scales`].
#[inline(always)]
fn unpack_scales(b: &[u8]) -> ([u8; SUBS], [u8; SUBS]) {
    let scale = |i: usize| if i < 4 { b[i] & 63 } else { (b[i + 4] & 15) | (b[i - 4] >> 6 << 4) };
    let min = |i: usize| if i < 4 { b[i + 4] & 63 } else { (b[i + 4] >> 4) | (b[i] >> 6 << 4) };
    (array(scale), array(min))
}
