//! Tensors by name, checked against the shapes they must have, and handed to a backend.

use std::sync::Arc;

use lorgnette_quant::block;
use lorgnette_quant::gguf::{Gguf, Tensor};

use crate::backend::{Backend, LayerNorm, Linear, Matrix, RmsNorm};
use crate::{Error, Result};

pub(super) struct Loader<'a, B> {
    pub(super) backend: &'a B,
    pub(super) model: &'a Arc<Gguf>,
}

impl<B: Backend> Loader<'_, B> {
    /// The tensor called `name`, if there is one, with its dimensions as `dims`, contiguous first.
    pub(super) fn optional(&self, name: &str, dims: &[usize]) -> Result<Option<Matrix>> {
        let Some(tensor) = shaped(self.model, name, dims)? else { return Ok(None) };
        // A bias may be stored as a column.
        Matrix::new(tensor).with_columns(dims[0]).map(Some)
    }

    pub(super) fn matrix(&self, name: &str, dims: &[usize]) -> Result<Matrix> {
        let missing = || Error::missing(format!("tensor {name:?}"), format!("it with shape {dims:?}"));
        self.optional(name, dims)?.ok_or_else(missing)
    }

    pub(super) fn tensor(&self, name: &str, dims: &[usize]) -> Result<B::Weights> {
        self.backend.load(self.matrix(name, dims)?)
    }

    pub(super) fn optional_tensor(&self, name: &str, dims: &[usize]) -> Result<Option<B::Weights>> {
        self.optional(name, dims)?.map(|matrix| self.backend.load(matrix)).transpose()
    }

    /// Rows of the tensor called `name`, where they are what says a size.
    pub(super) fn rows(&self, name: &str) -> Result<usize> {
        let tensor = self.model.shared_tensor(name);
        let missing = || Error::missing(format!("tensor {name:?}"), "a matrix");
        Ok(tensor.ok_or_else(missing)?.info().shape().dim(1))
    }

    /// The numbers of a tensor, as floats.
    pub(super) fn values(&self, name: &str, dims: &[usize]) -> Result<Vec<f32>> {
        let matrix = self.matrix(name, dims)?;
        let mut values = vec![0.0; matrix.rows() * matrix.columns()];
        block::decode(matrix.ty(), matrix.data(), &mut values)?;
        Ok(values)
    }

    /// `name.weight`, `[input, output]`, and `name.bias` if there is one.
    pub(super) fn linear(&self, name: &str, input: usize, output: usize) -> Result<Linear<B::Weights>> {
        Ok(Linear {
            weight: self.tensor(&format!("{name}.weight"), &[input, output])?,
            bias: self.optional_tensor(&format!("{name}.bias"), &[output])?,
        })
    }

    pub(super) fn rms_norm(&self, name: &str, len: usize, epsilon: f32) -> Result<RmsNorm<B::Weights>> {
        Ok(RmsNorm { weight: self.tensor(&format!("{name}.weight"), &[len])?, epsilon })
    }

    pub(super) fn layer_norm(&self, name: &str, len: usize, epsilon: f32) -> Result<LayerNorm<B::Weights>> {
        Ok(LayerNorm {
            weight: self.tensor(&format!("{name}.weight"), &[len])?,
            bias: self.tensor(&format!("{name}.bias"), &[len])?,
            epsilon,
        })
    }
}

/// An error if the tensor called `name` has another shape than `dims`. Dimensions of 1 do not count.
pub(super) fn shaped(model: &Arc<Gguf>, name: &str, dims: &[usize]) -> Result<Option<Tensor>> {
    let Some(tensor) = model.shared_tensor(name) else { return Ok(None) };
    let found = tensor.info().shape();
    let counted = |dims: &[usize]| dims.iter().copied().filter(|&dim| dim != 1).collect::<Vec<_>>();
    if counted(found.dims()) != counted(dims) {
        return Err(Error::malformed(format!("tensor {name:?} shape"), found, format!("{dims:?}")));
    }
    Ok(Some(tensor))
}

/// The same error, located in the file of `model`.
pub(crate) fn located(error: Error, model: &Gguf) -> Error {
    match model.paths().next() {
        Some(path) => error.in_file(path),
        None => error,
    }
}
