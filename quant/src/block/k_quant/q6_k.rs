//! `Q6_K`: super-blocks of sixteen sub-blocks of 16, each with an 8-bit scale.
//!
//! Bytes of ggml's `block_q6_K`: the nibbles at 0, those of each 128 elements in 64 bytes, the two high bits at 128
//! ([`pack::planes`]), sixteen signed scales at 192, their f16 scale at 208. An element is `scale * (level - 32)`.

use super::symmetric::{SUBS, SymmetricSuper};
use crate::block::format::{EncodeBlock, Format, each_block, read_f16, write_f16};
use crate::block::lanes::{LANES, Lanes, array, nearest};
use crate::block::pack::{self, SUPER};
use crate::block::search::symmetric::{self, Symmetric};
use crate::block::search::{TINY, load, peak_of, squares};

pub(in crate::block) struct Q6K;

const BYTES: usize = 210;
const HIGH_BITS: usize = 128;
const SCALES: usize = 192;
const D: usize = 208;
const HALF: u8 = 32;

impl Format<SUPER, BYTES> for Q6K {
    #[inline(always)]
    fn decode(block: &[u8; BYTES], out: &mut [f32; SUPER]) {
        let low = pack::unpack_nibbles::<64, SUPER>(&block[..HIGH_BITS]);
        let high = pack::unpack_planes::<2>(&block[HIGH_BITS..SCALES]);
        let unpacked = SymmetricSuper::<HALF> {
            d: read_f16(block, D),
            scales: array(|i| block[SCALES + i] as i8),
            levels: array(|i| low[i] | (high[i] << 4)),
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

impl EncodeBlock<SUPER, BYTES> for Q6K {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; SUPER], importance: Option<&[f32; SUPER]>, block: &mut [u8; BYTES]) {
        *block = [0; BYTES];
        let Some(unpacked) = encode::<L>(x, importance) else { return };
        pack::nibbles::<64>(&unpacked.levels, &mut block[..HIGH_BITS]);
        pack::planes::<2>(&unpacked.levels, 4, &mut block[HIGH_BITS..SCALES]);
        for (byte, scale) in block[SCALES..D].iter_mut().zip(unpacked.scales) {
            *byte = scale as u8;
        }
        write_f16(block, D, unpacked.d);
    }
}

/// Puts the largest scale on -128. `None` when all are tiny.
#[inline(always)]
fn encode<L: Lanes>(x: &[f32; SUPER], importance: Option<&[f32; SUPER]>) -> Option<SymmetricSuper<HALF>> {
    let subs = x.as_chunks().0;
    let mut searched = [Symmetric::ZERO; 2];
    for (group, searched) in searched.iter_mut().enumerate() {
        let lanes = load(&subs[LANES * group..]);
        let weights = match importance {
            Some(importance) => load(&importance.as_chunks().0[LANES * group..]),
            None => squares(&lanes),
        };
        *searched = symmetric::search::<L, 16>(&lanes, &weights, HALF);
    }
    let scales: [f32; SUBS] = array(|i| searched[i / LANES].scale[i % LANES]);
    let peak = peak_of(&scales);
    if peak.abs() < TINY {
        return None;
    }
    let inverse = -128.0 / peak;
    let scales = array(|i| nearest(inverse * scales[i]).min(127) as i8);
    let level = |i: usize, j: usize| searched[i / LANES].level(i % LANES, subs[i][j]);
    Some(SymmetricSuper::encode(x, 1.0 / inverse, scales, level))
}
