//! The block formats: floats to bytes and back.
//!
//! [`decode`] gives the very floats that ggml and its Python reference give. [`encode`] does its sums in ggml's order
//! and gives the bytes of `ggml_quantize_chunk`, for magnitudes up to 2^40 (squares of larger ones overflow); the one
//! exception is MXFP4 below 2^-125, where ggml's exponent wraps. Both hold on every machine: vector instructions do not
//! change a bit.
//!
//! Everything here works on one thread and keeps no state, so disjoint rows can be handed to many threads.

mod format;
mod iq4;
mod k_quant;
mod lanes;
mod legacy;
mod mxfp4;
mod pack;
mod plain;
mod q8_0;
mod search;
mod simd;
#[cfg(test)]
mod tests;

use crate::error::{Error, ErrorKind, Result};
use crate::tensor_type::TensorType;
use format::NotFinite;
use simd::Level;

/// Calls `$module::$run::<format, block length, block bytes>($arg, ..)` with the [`format::Format`] of a [`TensorType`].
macro_rules! with_format {
    ($ty:expr, $module:ident::$run:ident($($arg:expr),*)) => {
        match $ty {
            TensorType::F32 => Ok($module::$run::<plain::F32, 1, 4>($($arg),*)),
            TensorType::F64 => Ok($module::$run::<plain::F64, 1, 8>($($arg),*)),
            TensorType::F16 => Ok($module::$run::<plain::F16, 1, 2>($($arg),*)),
            TensorType::BF16 => Ok($module::$run::<plain::BF16, 1, 2>($($arg),*)),
            TensorType::Q4_0 => Ok($module::$run::<legacy::Legacy<4, false>, 32, 18>($($arg),*)),
            TensorType::Q4_1 => Ok($module::$run::<legacy::Legacy<4, true>, 32, 20>($($arg),*)),
            TensorType::Q5_0 => Ok($module::$run::<legacy::Legacy<5, false>, 32, 22>($($arg),*)),
            TensorType::Q5_1 => Ok($module::$run::<legacy::Legacy<5, true>, 32, 24>($($arg),*)),
            TensorType::Q8_0 => Ok($module::$run::<q8_0::Q8_0, 32, 34>($($arg),*)),
            TensorType::Q2_K => Ok($module::$run::<k_quant::Q2K, 256, 84>($($arg),*)),
            TensorType::Q3_K => Ok($module::$run::<k_quant::Q3K, 256, 110>($($arg),*)),
            TensorType::Q4_K => Ok($module::$run::<k_quant::Q45K<4>, 256, 144>($($arg),*)),
            TensorType::Q5_K => Ok($module::$run::<k_quant::Q45K<5>, 256, 176>($($arg),*)),
            TensorType::Q6_K => Ok($module::$run::<k_quant::Q6K, 256, 210>($($arg),*)),
            TensorType::Q8_K => Ok($module::$run::<k_quant::Q8K, 256, 292>($($arg),*)),
            TensorType::IQ4_NL => Ok($module::$run::<iq4::Iq4Nl, 32, 18>($($arg),*)),
            TensorType::IQ4_XS => Ok($module::$run::<iq4::Iq4Xs, 256, 136>($($arg),*)),
            TensorType::MXFP4 => Ok($module::$run::<mxfp4::Mxfp4, 32, 17>($($arg),*)),
            other => Err(Error::new(ErrorKind::Unsupported, other.name(), "holds integers, not weights")),
        }
    };
}

/// The floats of whole blocks.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for the integer types, [`ErrorKind::Argument`] unless `blocks` are whole and hold as many
/// elements as `out`.
pub fn decode(ty: TensorType, blocks: &[u8], out: &mut [f32]) -> Result<()> {
    decode_at(Level::best(), ty, blocks, out)
}

/// The blocks of whole rows of `row_len` elements, which are a multiple of the block length.
///
/// `importance` has one weight for each column, shared by all rows: the mean square of the activations that meet it
/// (llama.cpp's importance matrix). Formats without a search ignore it.
///
/// # Errors
/// [`ErrorKind::Unsupported`] unless [`can_encode`], [`ErrorKind::Argument`] when the lengths do not match, for a
/// weight that is negative or not finite, or when a format with scales meets an infinity or NaN. `out` is then in part written.
pub fn encode(
    ty: TensorType,
    values: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<()> {
    encode_at(Level::best(), ty, values, row_len, importance, out)
}

/// Whether [`encode`] makes this type.
pub fn can_encode(ty: TensorType) -> bool {
    !matches!(ty, TensorType::I8 | TensorType::I16 | TensorType::I32 | TensorType::I64)
}

/// Refuses blocks whose scales, or plain floats, are infinite or NaN. Integers always pass.
///
/// # Errors
/// [`ErrorKind::Argument`] unless `blocks` are whole, [`ErrorKind::Malformed`] naming the first bad block.
pub fn validate(ty: TensorType, blocks: &[u8]) -> Result<()> {
    whole_blocks(ty, blocks)?;
    if !can_encode(ty) {
        return Ok(());
    }
    match with_format!(ty, format::first_bad_block(blocks))? {
        Some(block) => {
            Err(Error::malformed(format!("{ty} block {block}"), "an infinity or NaN", "finite scales"))
        }
        None => Ok(()),
    }
}

fn decode_at(level: Level, ty: TensorType, blocks: &[u8], out: &mut [f32]) -> Result<()> {
    let elements = whole_blocks(ty, blocks)? * ty.block_len();
    if elements != out.len() {
        return Err(wrong_length(ty, format!("{elements} elements into {} floats", out.len())));
    }
    with_format!(ty, format::decode(level, blocks, out))
}

fn encode_at(
    level: Level,
    ty: TensorType,
    values: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<()> {
    if row_len == 0 || !row_len.is_multiple_of(ty.block_len()) || !values.len().is_multiple_of(row_len) {
        return Err(wrong_length(ty, format!("{} values in rows of {row_len}", values.len())));
    }
    if let Some(columns) = importance.filter(|columns| columns.len() != row_len) {
        return Err(wrong_length(ty, format!("importance of {} columns, rows of {row_len}", columns.len())));
    }
    if let Some(column) = importance.and_then(|columns| columns.iter().position(|w| !is_weight(*w))) {
        let detail = format!("importance of column {column} is not a finite number from zero up");
        return Err(Error::new(ErrorKind::Argument, ty.name(), detail));
    }
    if ty.bytes_for(values.len()) != Some(out.len()) {
        return Err(wrong_length(ty, format!("{} values into {} bytes", values.len(), out.len())));
    }
    with_format!(ty, format::encode(level, values, row_len, importance, out))?.map_err(|NotFinite(index)| {
        let found = format!("{} at row {}, column {}", values[index], index / row_len, index % row_len);
        Error::new(ErrorKind::Argument, ty.name(), format!("found {found}, expected finite values"))
    })
}

fn is_weight(weight: f32) -> bool {
    (0.0..f32::INFINITY).contains(&weight)
}

/// How many blocks there are.
fn whole_blocks(ty: TensorType, blocks: &[u8]) -> Result<usize> {
    if blocks.len().is_multiple_of(ty.block_bytes()) {
        return Ok(blocks.len() / ty.block_bytes());
    }
    Err(wrong_length(ty, format!("{} bytes in blocks of {}", blocks.len(), ty.block_bytes())))
}

fn wrong_length(ty: TensorType, found: String) -> Error {
    Error::new(ErrorKind::Argument, ty.name(), format!("{found}: lengths do not match"))
}
