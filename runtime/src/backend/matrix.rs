//! What a backend is given to load.

use std::ops::Range;

use lorgnette_quant::gguf::Tensor;
use lorgnette_quant::{TensorType, block};

use crate::{Error, ErrorKind, Result};

/// Rows of weights: a mapped tensor, some rows of one, or numbers that were put into another order.
#[derive(Clone)]
pub struct Matrix {
    name: String,
    ty: TensorType,
    columns: usize,
    rows: usize,
    data: Data,
}

#[derive(Clone)]
enum Data {
    Mapped { tensor: Tensor, bytes: Range<usize> },
    Made(Vec<u8>),
}

impl Matrix {
    /// All of `tensor`: a row of the matrix is a row of the tensor.
    pub fn new(tensor: Tensor) -> Self {
        let info = tensor.info();
        let columns = info.shape().row_len();
        let (name, ty, bytes) = (info.name().to_owned(), info.ty(), 0..info.bytes());
        Self {
            name,
            ty,
            columns,
            rows: info.shape().elements() / columns,
            data: Data::Mapped { tensor, bytes },
        }
    }

    /// `values` is `[values / columns][columns]`; `name` is for errors.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when they are not whole rows.
    pub fn from_values(name: impl Into<String>, columns: usize, values: &[f32]) -> Result<Self> {
        let name = name.into();
        if columns == 0 || values.is_empty() || !values.len().is_multiple_of(columns) {
            let detail = format!("found {} values, expected rows of {columns}", values.len());
            return Err(Error::new(ErrorKind::Argument, format!("tensor {name:?}"), detail));
        }
        let data = Data::Made(values.iter().flat_map(|value| value.to_le_bytes()).collect());
        Ok(Self { name, ty: TensorType::F32, columns, rows: values.len() / columns, data })
    }

    /// As [`from_values`](Self::from_values), in blocks of `ty`.
    ///
    /// # Errors
    /// As there, and as [`block::encode`].
    pub fn encoded(ty: TensorType, columns: usize, values: &[f32]) -> Result<Self> {
        let plain = Self::from_values(ty.to_string(), columns, values)?;
        let mut bytes = vec![0; values.len() / ty.block_len() * ty.block_bytes()];
        block::encode(ty, values, columns, None, &mut bytes)?;
        Ok(Self { ty, data: Data::Made(bytes), ..plain })
    }

    /// The same numbers in rows of `columns`: a convolution's window as one row.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when that does not make whole rows of whole blocks.
    pub fn with_columns(mut self, columns: usize) -> Result<Self> {
        let elements = self.rows * self.columns;
        if columns == 0 || !elements.is_multiple_of(columns) || !columns.is_multiple_of(self.ty.block_len()) {
            let field = format!("tensor {:?} shape", self.name);
            let expected = format!("rows of {columns} {}", self.ty);
            return Err(Error::malformed(field, format!("{}x{}", self.columns, self.rows), expected));
        }
        (self.columns, self.rows) = (columns, elements / columns);
        Ok(self)
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        assert!(rows.start < rows.end && rows.end <= self.rows, "{rows:?} of {} rows", self.rows);
        let row = self.data().len() / self.rows;
        let (start, end) = (rows.start * row, rows.end * row);
        let data = match &self.data {
            Data::Mapped { tensor, bytes } => {
                Data::Mapped { tensor: tensor.clone(), bytes: bytes.start + start..bytes.start + end }
            }
            Data::Made(bytes) => Data::Made(bytes[start..end].to_vec()),
        };
        Self { name: self.name.clone(), ty: self.ty, columns: self.columns, rows: rows.len(), data }
    }

    /// The name of the tensor.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the elements are stored.
    pub fn ty(&self) -> TensorType {
        self.ty
    }

    /// Elements of a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Tells the system that the blocks will not be read again soon, if they are mapped.
    pub fn release(&self) {
        if let Data::Mapped { tensor, bytes } = &self.data {
            tensor.release(bytes.clone());
        }
    }

    /// The blocks of all rows.
    pub fn data(&self) -> &[u8] {
        match &self.data {
            Data::Mapped { tensor, bytes } => &tensor.data()[bytes.clone()],
            Data::Made(bytes) => bytes,
        }
    }
}
