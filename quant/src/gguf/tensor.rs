//! What a GGUF file says of a tensor before its data.

use std::fmt;

use crate::TensorType;
use crate::error::{Error, Result};

/// Longest tensor name in bytes: ggml keeps 64 with the closing zero.
pub(super) const MAX_NAME: usize = 63;
/// Most dimensions of a tensor.
pub(super) const MAX_DIMS: usize = 4;

/// Lengths of 1 to 4 dimensions, none of them zero. As in GGUF the first is the one that is contiguous in memory
/// (a row), so a PyTorch weight of shape `[out, in]` stands here as `[in, out]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TensorShape {
    dims: [usize; MAX_DIMS],
    rank: usize,
}

impl TensorShape {
    /// Checks the number of dimensions, each length, and that the number of elements fits into `usize`.
    pub fn new(dims: &[usize]) -> Result<Self> {
        if dims.is_empty() || dims.len() > MAX_DIMS {
            return Err(Error::malformed("dimensions", dims.len(), "1 to 4"));
        }
        if dims.contains(&0) {
            return Err(Error::malformed("shape", format!("{dims:?}"), "no zero"));
        }
        if dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).is_none() {
            return Err(Error::malformed("shape", format!("{dims:?}"), "fewer than 2^64 elements"));
        }
        let mut shape = Self { dims: [1; MAX_DIMS], rank: dims.len() };
        shape.dims[..dims.len()].copy_from_slice(dims);
        Ok(shape)
    }

    /// The lengths, contiguous dimension first.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// Elements in a row: the length of the contiguous dimension.
    pub fn row_len(&self) -> usize {
        self.dims[0]
    }

    /// Length of dimension `i`, 1 where there is none.
    pub fn dim(&self, i: usize) -> usize {
        self.dims.get(i).copied().unwrap_or(1)
    }

    /// Number of dimensions as ggml counts them: trailing lengths of 1 do not count.
    pub fn effective_rank(&self) -> usize {
        self.dims.iter().rposition(|&d| d > 1).map_or(1, |i| i + 1)
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }
}

impl fmt::Debug for TensorShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dims().fmt(f)
    }
}

impl fmt::Display for TensorShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<_> = self.dims().iter().map(usize::to_string).collect();
        f.write_str(&dims.join("x"))
    }
}

/// Name, shape and element type of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    name: String,
    shape: TensorShape,
    ty: TensorType,
    bytes: usize,
}

impl TensorInfo {
    /// Checks that the name fits and that rows are whole blocks of `ty`.
    pub fn new(name: impl Into<String>, shape: TensorShape, ty: TensorType) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.len() > MAX_NAME {
            let shown: String = name.chars().take(80).collect();
            return Err(Error::malformed(
                "tensor name",
                format!("{} bytes ({shown:?})", name.len()),
                "1 to 63",
            ));
        }
        if !shape.row_len().is_multiple_of(ty.block_len()) {
            return Err(Error::malformed(
                format!("tensor {name:?} row"),
                format!("{} elements", shape.row_len()),
                format!("a multiple of {} for {ty}", ty.block_len()),
            ));
        }
        let bytes =
            ty.bytes_for(shape.elements()).filter(|&b| isize::try_from(b).is_ok()).ok_or_else(|| {
                Error::malformed(format!("tensor {name:?} shape"), shape, "a size that fits in memory")
            })?;
        Ok(Self { name, shape, ty, bytes })
    }

    /// The tensor's name, 1 to 63 bytes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tensor's shape, contiguous dimension first.
    pub fn shape(&self) -> TensorShape {
        self.shape
    }

    /// How the elements are stored.
    pub fn ty(&self) -> TensorType {
        self.ty
    }

    /// Bytes of data, without padding.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
