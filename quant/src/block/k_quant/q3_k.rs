//! `Q3_K`: super-blocks of sixteen sub-blocks of 16, each with a 6-bit scale.
//!
//! Bytes of ggml's `block_q3_K`: the third bits at 0 ([`pack::planes`] of one bit), the two low bits at 32 (of two),
//! the twelve bytes of the scales at 96 ([`pack_scales`]), their f16 scale at 108. An element is
//! `scale * (level - 4)`, a scale what is stored less 32.

use super::symmetric::{SUBS, SymmetricSuper};
use crate::block::format::{EncodeBlock, Format, each_block, read_f16, write_f16};
use crate::block::lanes::{LANES, Lanes, array, lanes, nearest};
use crate::block::pack::{self, SUPER};
use crate::block::search::symmetric::{self, Symmetric};
use crate::block::search::{load, mean_square, peak_of, refine, sum, weigh};

pub(in crate::block) struct Q3K;

const BYTES: usize = 110;
const LOW_BITS: usize = 32;
const SCALES: usize = 96;
const D: usize = 108;
const HALF: u8 = 4;
const HALF_SCALE: u8 = 32;

impl Format<SUPER, BYTES> for Q3K {
    #[inline(always)]
    fn decode(block: &[u8; BYTES], out: &mut [f32; SUPER]) {
        let high = pack::unpack_planes::<1>(&block[..LOW_BITS]);
        let low = pack::unpack_planes::<2>(&block[LOW_BITS..SCALES]);
        let unpacked = SymmetricSuper::<HALF> {
            d: read_f16(block, D),
            scales: unpack_scales(&block[SCALES..D]),
            levels: array(|i| low[i] | (high[i] << 2)),
        };
        unpacked.decode(out);
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
        read_f16(block, D).is_finite()
    }
}

impl EncodeBlock<SUPER, BYTES> for Q3K {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; SUPER], importance: Option<&[f32; SUPER]>, block: &mut [u8; BYTES]) {
        let unpacked = match importance {
            None => encode::<L>(x),
            Some(importance) => encode_weighted::<L>(x, importance),
        };
        pack::planes::<1>(&unpacked.levels, 2, &mut block[..LOW_BITS]);
        pack::planes::<2>(&unpacked.levels, 0, &mut block[LOW_BITS..SCALES]);
        block[SCALES..D].copy_from_slice(&pack_scales(&unpacked.scales));
        write_f16(block, D, unpacked.d);
    }
}

/// Puts the largest scale on the lowest.
#[inline(always)]
fn encode<L: Lanes>(x: &[f32; SUPER]) -> SymmetricSuper<HALF> {
    let subs = x.as_chunks::<16>().0;
    let mut searched = [([0.0; LANES], [[0.0; LANES]; 16]); 2];
    for (group, searched) in searched.iter_mut().enumerate() {
        *searched = refine::signed_levels::<L, 16>(&load(&subs[LANES * group..]), HALF);
    }
    let scales: [f32; SUBS] = array(|i| searched[i / LANES].0[i % LANES]);
    let peak = peak_of(&scales);
    let (d, scales) = if peak == 0.0 {
        (0.0, [-(HALF_SCALE as i8); SUBS])
    } else {
        let inverse = -f32::from(HALF_SCALE) / peak;
        (1.0 / inverse, array(|i| (nearest(inverse * scales[i]) as i8).clamp(-32, 31)))
    };
    SymmetricSuper::encode(x, d, scales, |i, j| searched[i / LANES].1[j][i % LANES] as u8)
}

/// Searches the scale of the scales like that of a sub-block, by what the sub-blocks weigh.
#[inline(always)]
fn encode_weighted<L: Lanes>(x: &[f32; SUPER], importance: &[f32; SUPER]) -> SymmetricSuper<HALF> {
    let (subs, importance) = (x.as_chunks::<16>().0, importance.as_chunks::<16>().0);
    let spread = L::splat(2.0 * mean_square(x));
    let mut totals = [0.0; SUBS];
    let mut searched = [Symmetric::ZERO; 2];
    for (group, searched) in searched.iter_mut().enumerate() {
        let lanes = load(&subs[LANES * group..]);
        let weights = weigh(&load(&importance[LANES * group..]), &lanes, spread);
        totals[LANES * group..][..LANES].copy_from_slice(&sum(&weights).to_array());
        *searched = symmetric::search(&lanes, &weights, HALF);
    }
    let scales: [f32; SUBS] = array(|i| searched[i / LANES].scale[i % LANES]);
    let of_scales = symmetric::search::<L, 16>(&splat(&scales), &splat(&totals), HALF_SCALE);
    let stored = array(|i| of_scales.level(0, scales[i]) as i8 - HALF_SCALE as i8);
    let level = |i: usize, j: usize| searched[i / LANES].level(i % LANES, subs[i][j]);
    SymmetricSuper::encode(x, of_scales.scale[0], stored, level)
}

#[inline(always)]
fn splat<L: Lanes>(x: &[f32; SUBS]) -> [L; SUBS] {
    lanes(|i| L::splat(x[i]))
}

/// Low nibbles of scales `i` and `i + 8` in byte `i`; high bits of `i`, `i + 4`, `i + 8` and `i + 12` in byte `8 + i`.
#[inline(always)]
fn pack_scales(scales: &[i8; SUBS]) -> [u8; 12] {
    let bits: [u8; SUBS] = array(|i| (scales[i] + HALF_SCALE as i8) as u8);
    array(|i| match i {
        0..8 => (bits[i] & 15) | (bits[i + 8] << 4),
        _ => (0..4).fold(0, |byte, part| byte | (bits[i - 8 + 4 * part] >> 4 << (2 * part))),
    })
}

/// The inverse of [`pack_scales`].
#[inline(always)]
fn unpack_scales(b: &[u8]) -> [i8; SUBS] {
    array(|i| {
        let low = b[i % 8] >> (4 * (i / 8)) & 15;
        let high = b[8 + i % 4] >> (2 * (i / 4)) & 3;
        (low | (high << 4)) as i8 - HALF_SCALE as i8
    })
}
