//! `Q2_K`: super-blocks of sixteen sub-blocks of 16, each with a 4-bit scale and minimum.
//!
//! Bytes of ggml's `block_q2_K`: sixteen bytes at 0 with the scale in the low and the minimum in the high nibble, the
//! levels at 16 ([`pack::planes`] of two bits), the f16 scale of the scales at 80, of the minima at 82. An element is
//! `scale * level - minimum`.

use super::affine::{AffineSuper, Plan};
use crate::block::format::{EncodeBlock, Format, each_block, read_f16, write_f16};
use crate::block::lanes::{Lanes, array};
use crate::block::pack::{self, SUPER};
use crate::block::search::affine::Candidates;

pub(in crate::block) struct Q2K;

const BYTES: usize = 84;
const LEVELS: usize = 16;
const D: usize = 80;
const DMIN: usize = 82;

const PLAN: Plan = Plan {
    unweighted: Candidates { top: 3, first: -0.5, step: 0.1, count: 16, absolute: true },
    rms_weight: false,
    spread: 1.0,
    top_scale: 15,
};

impl Format<SUPER, BYTES> for Q2K {
    #[inline(always)]
    fn decode(block: &[u8; BYTES], out: &mut [f32; SUPER]) {
        let unpacked = AffineSuper::<16> {
            d: read_f16(block, D),
            dmin: read_f16(block, DMIN),
            scales: array(|i| block[i] & 15),
            mins: array(|i| block[i] >> 4),
            levels: pack::unpack_planes::<2>(&block[LEVELS..D]),
        };
        unpacked.decode::<16>(out);
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
        read_f16(block, D).is_finite() && read_f16(block, DMIN).is_finite()
    }
}

impl EncodeBlock<SUPER, BYTES> for Q2K {
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; SUPER], importance: Option<&[f32; SUPER]>, block: &mut [u8; BYTES]) {
        let unpacked = AffineSuper::<16>::encode::<L, 16>(x, importance, &PLAN);
        write_f16(block, D, unpacked.d);
        write_f16(block, DMIN, unpacked.dmin);
        for (byte, (scale, min)) in block.iter_mut().zip(unpacked.scales.into_iter().zip(unpacked.mins)) {
            *byte = scale | (min << 4);
        }
        pack::planes::<2>(&unpacked.levels, 0, &mut block[LEVELS..D]);
    }
}
