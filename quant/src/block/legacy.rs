//! `Q4_0`, `Q4_1`, `Q5_0` and `Q5_1`: 32 levels of 4 or 5 bits with one scale, around zero or above a minimum.
//!
//! Bytes of ggml's `block_q4_0`, `block_q4_1`, `block_q5_0` and `block_q5_1`:
//!
//! | part                            | `Q4_0` | `Q4_1` | `Q5_0` | `Q5_1` |
//! |---------------------------------|--------|--------|--------|--------|
//! | f16 scale                       | 0      | 0      | 0      | 0      |
//! | f16 minimum                     |        | 2      |        | 2      |
//! | fifth bits, element `i` bit `i` |        |        | 2      | 4      |
//! | nibbles of `i` and `i + 16`     | 2      | 4      | 6      | 8      |

use super::format::{EncodeBlock, Format, each_block, read_f16, write_f16};
use super::lanes::{LANES, Lanes, array, lanes, low_byte};
use super::pack;
use super::search::affine::{self, Candidates};
use super::search::{load, mean_square, symmetric, weigh};

/// Levels of `BITS` bits; with a minimum if `AFFINE`, around zero if not.
pub(super) struct Legacy<const BITS: usize, const AFFINE: bool>;

impl<const BITS: usize, const AFFINE: bool> Legacy<BITS, AFFINE> {
    const TOP: u8 = (1 << BITS) - 1;
    const HALF: u8 = 1 << (BITS - 1);
    const HIGH_BITS: usize = if AFFINE { 4 } else { 2 };
    const NIBBLES: usize = Self::HIGH_BITS + if BITS == 5 { 4 } else { 0 };

    #[inline(always)]
    fn write(scale: f32, min: f32, levels: &[u8; 32], block: &mut [u8]) {
        write_f16(block, 0, scale);
        if AFFINE {
            write_f16(block, 2, min);
        }
        if BITS == 5 {
            let bytes = &mut block[Self::HIGH_BITS..Self::NIBBLES];
            for (byte, levels) in bytes.iter_mut().zip(levels.as_chunks().0) {
                *byte = fifth_bits(levels);
            }
        }
        pack::nibbles::<16>(levels, &mut block[Self::NIBBLES..]);
    }

    /// Searches scales for up to [`LANES`] blocks at once.
    #[inline(always)]
    fn encode_weighted<L: Lanes, const BYTES: usize>(
        x: &[[f32; 32]],
        importance: &[[f32; 32]],
        spread: f32,
        out: &mut [[u8; BYTES]],
    ) {
        let lanes: [L; 32] = load(x);
        let weights = weigh(&load(importance), &lanes, L::splat(spread));
        if AFFINE {
            let fit = affine::search(&lanes, &weights, Candidates::weighted(Self::TOP));
            for (lane, (x, block)) in x.iter().zip(out).enumerate() {
                Self::write(fit.scale[lane], -fit.min[lane], &array(|i| fit.level(lane, x[i])), block);
            }
        } else {
            let fit = symmetric::search(&lanes, &weights, Self::HALF);
            for (lane, (x, block)) in x.iter().zip(out).enumerate() {
                Self::write(fit.scale[lane], 0.0, &array(|i| fit.level(lane, x[i])), block);
            }
        }
    }
}

impl<const BITS: usize, const AFFINE: bool, const BYTES: usize> Format<32, BYTES> for Legacy<BITS, AFFINE> {
    #[inline(always)]
    fn decode(block: &[u8; BYTES], out: &mut [f32; 32]) {
        let scale = read_f16(block, 0);
        let mut levels = pack::unpack_nibbles::<16, 32>(&block[Self::NIBBLES..]);
        if BITS == 5 {
            for (i, level) in levels.iter_mut().enumerate() {
                *level |= (block[Self::HIGH_BITS + i / 8] >> (i % 8) & 1) << 4;
            }
        }
        if AFFINE {
            let min = read_f16(block, 2);
            *out = array(|i| f32::from(levels[i]) * scale + min);
        } else {
            *out = array(|i| f32::from(levels[i] as i8 - Self::HALF as i8) * scale);
        }
    }

    #[inline(always)]
    fn encode_row<L: Lanes>(row: &[[f32; 32]], importance: Option<&[[f32; 32]]>, out: &mut [[u8; BYTES]]) {
        let Some(importance) = importance else {
            return each_block::<L, Self, 32, BYTES>(row, None, out);
        };
        let spread = mean_square(row.as_flattened());
        let groups = row.chunks(LANES).zip(importance.chunks(LANES)).zip(out.chunks_mut(LANES));
        for ((x, importance), out) in groups {
            Self::encode_weighted::<L, BYTES>(x, importance, spread, out);
        }
    }

    fn is_finite(block: &[u8; BYTES]) -> bool {
        read_f16(block, 0).is_finite() && (!AFFINE || read_f16(block, 2).is_finite())
    }
}

impl<const BITS: usize, const AFFINE: bool, const BYTES: usize> EncodeBlock<32, BYTES>
    for Legacy<BITS, AFFINE>
{
    /// Puts the largest magnitude on the lowest level, or the range on all levels.
    #[inline(always)]
    fn encode<L: Lanes>(x: &[f32; 32], _: Option<&[f32; 32]>, block: &mut [u8; BYTES]) {
        let (low, high) = range::<L>(x);
        let (scale, base, zero) = if AFFINE {
            ((high - low) / f32::from(Self::TOP), low, 0.5)
        } else {
            (peak(x, low, high) / -f32::from(Self::HALF), 0.0, f32::from(Self::HALF) + 0.5)
        };
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        let levels = array(|i| low_byte(((x[i] - base) * inverse + zero).trunc()).min(Self::TOP));
        Self::write(scale, base, &levels, block);
    }
}

/// The fifth bit of level `i` as bit `i`: the multiplication moves them all at once.
#[inline(always)]
fn fifth_bits(levels: &[u8; 8]) -> u8 {
    let spread = (u64::from_le_bytes(*levels) >> 4) & 0x0101_0101_0101_0101;
    (spread.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// The lowest and the highest value. A zero has the sign of the first one.
#[inline(always)]
fn range<L: Lanes>(x: &[f32; 32]) -> (f32, f32) {
    let [a, b, c, d] = lanes(|i| L::from(x.as_chunks().0[i]));
    let low = a.min(b).min(c.min(d)).to_array();
    let high = a.max(b).max(c.max(d)).to_array();
    let low = halve(low, |a, b| if b < a { b } else { a });
    let high = halve(high, |a, b| if b > a { b } else { a });
    if low != 0.0 {
        return (low, high);
    }
    let zero = x.iter().copied().find(|&x| x == 0.0).unwrap_or(low);
    (zero, if high == 0.0 { zero } else { high })
}

/// Combines the upper half with the lower until one is left, in fewer steps than one after the other.
#[inline(always)]
fn halve(mut x: [f32; LANES], combine: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [4, 2, 1] {
        for i in 0..half {
            x[i] = combine(x[i], x[i + half]);
        }
    }
    x[0]
}

/// The value of largest magnitude, the first one where two are as large.
#[inline(always)]
fn peak(x: &[f32; 32], low: f32, high: f32) -> f32 {
    if high == -low {
        return x.iter().copied().find(|x| x.abs() == high && high > 0.0).unwrap_or(0.0);
    }
    if high > -low { high } else { low }
}
