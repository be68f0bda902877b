//! Weights in their blocks, on the device.

use std::sync::Arc;

use lorgnette_quant::block;

use super::buffer::{Bound, Buffer, PADDING};
use super::device::Device;
use super::format::Format;
use super::product::Variant;
use super::texels::Texels;
use super::ways::promising;
use crate::backend::Matrix;
use crate::{Error, ErrorKind, Result};

/// A matrix on the device: in one piece, or in several where it is larger than what can be bound.
pub struct Weights {
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) parts: Vec<Part>,
    /// The kernels that may multiply them with single rows, and with more; the best ones first.
    pub(super) ways: [Vec<Variant>; 2],
    /// The numbers of a single row, as floats: norms and biases.
    vector: Option<Buffer>,
}

/// Some of the rows.
pub(super) struct Part {
    data: Data,
    pub(super) first: usize,
    pub(super) rows: usize,
}

enum Data {
    Blocks(Buffer),
    Packed(Texels),
}

impl Part {
    pub(super) fn bound(&self) -> Bound<'_> {
        match &self.data {
            Data::Blocks(buffer) => Bound::Buffer(buffer),
            Data::Packed(texels) => Bound::Texels(texels),
        }
    }
}

impl Weights {
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a type that no kernel decodes and rows that cannot be bound, what
    /// [`block::decode`] says of the first row, and what the device says.
    pub(super) fn new(device: &Arc<Device>, matrix: &Matrix) -> Result<Self> {
        let format = format_of(matrix)?;
        let packed = format.in_texels().filter(|_| device.traits.software && matrix.rows() > 1);
        Self::stored(device, matrix, packed.unwrap_or(format))
    }

    /// The same, stored so if it fits: what does not fit into texels is stored in blocks.
    ///
    /// # Errors
    /// As there.
    pub(super) fn stored(device: &Arc<Device>, matrix: &Matrix, format: Format) -> Result<Self> {
        if let Some(texels) = Texels::pack(device, format, matrix.data(), matrix.columns().div_ceil(32))? {
            let part = Part { data: Data::Packed(texels), first: 0, rows: matrix.rows() };
            return Ok(Self::of(device, matrix, format, vec![part]));
        }
        let field = field_of(matrix);
        let (columns, rows) = (matrix.columns(), matrix.rows());
        let bytes = matrix.data().len() / rows;
        let most = (device.traits.max_binding.saturating_sub(PADDING + 16)) as usize / bytes;
        // Rows of halves may begin in the middle of a word, but not a part.
        let most = if most >= rows { rows } else { most / 2 * 2 };
        if most == 0 {
            let detail = format!("found rows of {bytes} bytes, of which the adapter cannot bind two");
            return Err(Error::new(ErrorKind::Unsupported, field, detail));
        }
        let mut first_row = vec![0.0; columns];
        block::decode(matrix.ty(), &matrix.data()[..bytes], &mut first_row)?;
        let part = |(index, data): (usize, &[u8])| {
            let blocks = Data::Blocks(device.constant(&field, data)?);
            Ok(Part { data: blocks, first: index * most, rows: data.len() / bytes })
        };
        let parts = matrix.data().chunks(most * bytes).enumerate().map(part).collect::<Result<_>>()?;
        let mut weights = Self::of(device, matrix, format_of(matrix)?, parts);
        if rows == 1 {
            weights.vector = Some(device.constant(&field, bytemuck::cast_slice(&first_row))?);
        }
        Ok(weights)
    }

    fn of(device: &Device, matrix: &Matrix, format: Format, parts: Vec<Part>) -> Self {
        Self {
            name: matrix.name().to_owned(),
            format,
            columns: matrix.columns(),
            rows: matrix.rows(),
            parts,
            ways: [1, 2].map(|count| promising(&device.traits, format, count)),
            vector: None,
        }
    }

    /// The single row, as floats.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when there are others, or it has not `len` elements.
    pub(super) fn vector(&self, len: usize) -> Result<&Buffer> {
        let found = (self.columns, self.rows);
        self.vector.as_ref().filter(|_| self.columns == len).ok_or_else(|| {
            let detail = format!("found {found:?}, expected one row of {len}");
            Error::new(ErrorKind::Argument, format!("tensor {:?}", self.name), detail)
        })
    }

    /// The kernels that may multiply them with `count` rows.
    pub(super) fn ways(&self, count: usize) -> &[Variant] {
        &self.ways[usize::from(count > 1)]
    }

    /// Elements are read 32 at a time.
    pub(super) fn units(&self) -> usize {
        self.columns.div_ceil(32)
    }
}

fn field_of(matrix: &Matrix) -> String {
    format!("tensor {:?}", matrix.name())
}

fn format_of(matrix: &Matrix) -> Result<Format> {
    let ty = matrix.ty();
    Format::of(ty).ok_or_else(|| {
        let detail = format!("found {ty}, which no kernel decodes");
        Error::new(ErrorKind::Unsupported, field_of(matrix), detail)
    })
}
