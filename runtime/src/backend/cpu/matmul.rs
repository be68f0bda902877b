//! Rows times matrices whose blocks are decoded as they are read.

use lorgnette_quant::block;
use lorgnette_quant::gguf::Tensor;
use rayon::prelude::*;

use super::Rows;
use crate::backend::Linear;
use crate::{Error, ErrorKind, Result};

/// Sums that run side by side in a dot product, so that they vectorise.
const LANES: usize = 16;

/// Row `index` of a matrix as floats.
pub(super) fn decode_row(tensor: &Tensor, index: usize, row: &mut [f32]) -> Result<()> {
    let info = tensor.info();
    let count = info.shape().elements() / info.shape().row_len();
    if index >= count {
        let detail = format!("row {index} of {count} asked for");
        return Err(Error::new(ErrorKind::Argument, format!("tensor {:?}", info.name()), detail));
    }
    let bytes = info.bytes() / count;
    block::decode(info.ty(), &tensor.data()[index * bytes..][..bytes], row)
}

/// A tensor of one dimension as floats.
pub(super) fn decode_vector(tensor: &Tensor) -> Result<Vec<f32>> {
    let mut values = vec![0.0; tensor.info().shape().elements()];
    block::decode(tensor.info().ty(), tensor.data(), &mut values)?;
    Ok(values)
}

/// `rows` times the transpose of `weight`, and the bias.
pub(super) fn linear(linear: &Linear<Tensor>, rows: &Rows) -> Result<Rows> {
    let mut out = matmul(&linear.weight, rows)?;
    if let Some(bias) = &linear.bias {
        let bias = decode_vector(bias)?;
        out.iter_mut().for_each(|row| row.iter_mut().zip(&bias).for_each(|(x, b)| *x += b));
    }
    Ok(out)
}

/// `[count][input]` times the transpose of `[output][input]`: `[count][output]`.
pub(super) fn matmul(weight: &Tensor, rows: &Rows) -> Result<Rows> {
    let outputs = weight.info().shape().dim(1);
    let count = rows.count();
    let mut columns = vec![0.0; outputs * count];
    columns.par_chunks_mut(count.max(1)).enumerate().try_for_each_init(
        || vec![0.0; rows.width],
        |decoded, (output, column)| {
            decode_row(weight, output, decoded)?;
            column.iter_mut().zip(rows.iter()).for_each(|(y, x)| *y = dot(decoded, x));
            Ok(())
        },
    )?;
    let mut out = Rows::zeros(count, outputs);
    for (i, row) in out.iter_mut().enumerate() {
        row.iter_mut().zip(columns.chunks_exact(count)).for_each(|(y, column)| *y = column[i]);
    }
    Ok(out)
}

/// The sum of products, in [`LANES`] partial sums.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>();
    sums.iter().sum::<f32>() + rest
}
