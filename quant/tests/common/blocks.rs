//! Blocks of the length that their values ask for.

use lorgnette_quant::{Result, TensorType, block};

/// Rows of `row_len` as blocks.
pub(crate) fn encode(
    ty: TensorType,
    values: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
) -> Result<Vec<u8>> {
    let mut blocks = vec![0; values.len() / ty.block_len() * ty.block_bytes()];
    block::encode(ty, values, row_len, importance, &mut blocks)?;
    Ok(blocks)
}

/// The floats of blocks.
pub(crate) fn decode(ty: TensorType, blocks: &[u8]) -> Result<Vec<f32>> {
    let mut values = vec![0.0; blocks.len() / ty.block_bytes() * ty.block_len()];
    block::decode(ty, blocks, &mut values)?;
    Ok(values)
}
