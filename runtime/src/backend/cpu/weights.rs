//! Weights as the processor reads them.

use std::sync::OnceLock;

use lorgnette_quant::block;

use super::matmul::Panels;
use crate::backend::Matrix;
use crate::{Error, ErrorKind, Result};

/// A matrix in its blocks, where they are mapped. Those with integer levels are repacked when they are first multiplied
/// with: a table of embeddings stays as it is, and so does a tower that nothing is shown to.
pub struct Weights {
    matrix: Matrix,
    panels: OnceLock<Option<Panels>>,
    /// The numbers of a single row: norms and biases are read whole, and often.
    vector: Vec<f32>,
}

impl Weights {
    /// Decodes the first row, and keeps it if there is no other.
    ///
    /// # Errors
    /// Whatever [`block::decode`] says: what cannot be decoded must be known now, and not at the first token.
    pub(super) fn new(matrix: Matrix) -> Result<Self> {
        let rows = matrix.rows();
        let mut weights = Self { matrix, panels: OnceLock::new(), vector: Vec::new() };
        let mut vector = vec![0.0; weights.matrix.columns()];
        weights.decode_row(0, &mut vector)?;
        if rows == 1 {
            weights.vector = vector;
        }
        Ok(weights)
    }

    pub(super) fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// The matrix with its rows side by side; `None` where the type has no integer levels.
    pub(super) fn panels(&self) -> Option<&Panels> {
        let pack = || {
            let panels = Panels::pack(self.matrix.ty(), self.matrix.data(), self.matrix.rows());
            panels.inspect(|_| self.matrix.release())
        };
        self.panels.get_or_init(pack).as_ref()
    }

    /// Gives back the pages that rows were decoded from, where the matrix is kept repacked too: a table of embeddings
    /// that also makes the logits would be in memory twice.
    pub(super) fn release(&self) {
        if let Some(Some(_)) = self.panels.get() {
            self.matrix.release();
        }
    }

    /// The single row, as floats.
    pub(super) fn vector(&self) -> &[f32] {
        debug_assert_eq!(self.vector.len(), self.matrix.columns());
        &self.vector
    }

    /// Row `index` as floats.
    pub(super) fn decode_row(&self, index: usize, row: &mut [f32]) -> Result<()> {
        let count = self.matrix.rows();
        if index >= count {
            let detail = format!("row {index} of {count} asked for");
            return Err(Error::new(ErrorKind::Argument, format!("tensor {:?}", self.matrix.name()), detail));
        }
        let bytes = self.matrix.data().len() / count;
        block::decode(self.matrix.ty(), &self.matrix.data()[index * bytes..][..bytes], row)
    }
}
