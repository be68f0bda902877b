//! What a block format is, and the walk over rows of blocks.

use std::marker::PhantomData;

use half::f16;

use super::lanes::Lanes;
use super::simd::{Level, Work};

/// A format with `LEN` elements in a block of `BYTES`.
pub(super) trait Format<const LEN: usize, const BYTES: usize> {
    /// The floats of one block.
    fn decode(block: &[u8; BYTES], out: &mut [f32; LEN]);

    /// The blocks of one row, whose values are finite if `LEN` is above 1. `importance` is as long as the row.
    fn encode_row<L: Lanes>(row: &[[f32; LEN]], importance: Option<&[[f32; LEN]]>, out: &mut [[u8; BYTES]]);

    /// Whether no scale of the block is infinite or NaN.
    fn is_finite(block: &[u8; BYTES]) -> bool;

    /// The floats of many blocks, for formats that have a quicker way than one after the other.
    #[inline(always)]
    fn decode_all(blocks: &[[u8; BYTES]], out: &mut [[f32; LEN]]) {
        for (block, out) in blocks.iter().zip(out) {
            Self::decode(block, out);
        }
    }
}

/// The position of an infinity or NaN among values to encode.
pub(super) struct NotFinite(pub(super) usize);

/// Decodes whole blocks into as many elements.
pub(super) fn decode<F: Format<LEN, BYTES>, const LEN: usize, const BYTES: usize>(
    level: Level,
    blocks: &[u8],
    out: &mut [f32],
) {
    let (blocks, out) = (blocks.as_chunks().0, out.as_chunks_mut().0);
    level.run(DecodeAll::<F, LEN, BYTES> { blocks, out, format: PhantomData });
}

/// Encodes whole rows into as many blocks.
pub(super) fn encode<F: Format<LEN, BYTES>, const LEN: usize, const BYTES: usize>(
    level: Level,
    values: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<(), NotFinite> {
    let importance = importance.map(|columns| columns.as_chunks().0);
    let rows = values.chunks_exact(row_len).zip(out.chunks_exact_mut(row_len / LEN * BYTES));
    for (index, (row, out)) in rows.enumerate() {
        let (row, out) = (row.as_chunks().0, out.as_chunks_mut().0);
        level
            .run(EncodeRow::<F, LEN, BYTES> { row, importance, out, format: PhantomData })
            .map_err(|NotFinite(column)| NotFinite(index * row_len + column))?;
    }
    Ok(())
}

/// The first block that [`Format::is_finite`] refuses.
pub(super) fn first_bad_block<F: Format<LEN, BYTES>, const LEN: usize, const BYTES: usize>(
    blocks: &[u8],
) -> Option<usize> {
    blocks.as_chunks().0.iter().position(|block| !F::is_finite(block))
}

struct DecodeAll<'a, F, const LEN: usize, const BYTES: usize> {
    blocks: &'a [[u8; BYTES]],
    out: &'a mut [[f32; LEN]],
    format: PhantomData<F>,
}

impl<F: Format<LEN, BYTES>, const LEN: usize, const BYTES: usize> Work for DecodeAll<'_, F, LEN, BYTES> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        F::decode_all(self.blocks, self.out);
    }
}

struct EncodeRow<'a, F, const LEN: usize, const BYTES: usize> {
    row: &'a [[f32; LEN]],
    importance: Option<&'a [[f32; LEN]]>,
    out: &'a mut [[u8; BYTES]],
    format: PhantomData<F>,
}

impl<F: Format<LEN, BYTES>, const LEN: usize, const BYTES: usize> Work for EncodeRow<'_, F, LEN, BYTES> {
    type Output = Result<(), NotFinite>;

    #[inline(always)]
    fn run<L: Lanes>(self) -> Self::Output {
        if LEN > 1 && !all_finite(self.row.as_flattened()) {
            let bad = self.row.as_flattened().iter().position(|x| !x.is_finite());
            return Err(NotFinite(bad.unwrap_or_default()));
        }
        F::encode_row::<L>(self.row, self.importance, self.out);
        Ok(())
    }
}

/// Looks at every value, which is quicker than stopping at the first.
#[inline(always)]
fn all_finite(values: &[f32]) -> bool {
    values.iter().fold(0, |most, x| most.max(x.abs().to_bits())) < f32::INFINITY.to_bits()
}

/// A format whose blocks can be encoded one by one.
pub(super) trait EncodeBlock<const LEN: usize, const BYTES: usize> {
    fn encode<L: Lanes>(x: &[f32; LEN], importance: Option<&[f32; LEN]>, block: &mut [u8; BYTES]);
}

/// Encodes each block of a row with its part of `importance`.
#[inline(always)]
pub(super) fn each_block<L: Lanes, F: EncodeBlock<LEN, BYTES>, const LEN: usize, const BYTES: usize>(
    row: &[[f32; LEN]],
    importance: Option<&[[f32; LEN]]>,
    out: &mut [[u8; BYTES]],
) {
    for (i, (x, block)) in row.iter().zip(out).enumerate() {
        F::encode::<L>(x, importance.map(|columns| &columns[i]), block);
    }
}

/// The f16 at `offset`.
#[inline(always)]
pub(super) fn read_f16(block: &[u8], offset: usize) -> f32 {
    f16::from_le_bytes([block[offset], block[offset + 1]]).to_f32()
}

/// Writes `x` as f16 at `offset`.
#[inline(always)]
pub(super) fn write_f16(block: &mut [u8], offset: usize, x: f32) {
    block[offset..offset + 2].copy_from_slice(&f16::from_f32(x).to_le_bytes());
}

/// The float that is stored for `x` in f16.
#[inline(always)]
pub(super) fn round_to_f16(x: f32) -> f32 {
    f16::from_f32(x).to_f32()
}
