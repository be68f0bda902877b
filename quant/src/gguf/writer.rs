//! Writes a GGUF file front to back, so that no more than one piece of a tensor is in memory.

use std::io::{self, Write};

use super::header::Header;
use super::{Metadata, TensorInfo};
use crate::error::{Error, ErrorKind, Result};

/// Takes the data of each tensor in the order they were announced, in pieces of any size.
///
/// ```
/// # use lorgnette_quant::{TensorType, gguf::{Gguf, Metadata, TensorInfo, TensorShape, Writer}};
/// let mut metadata = Metadata::new();
/// metadata.set("general.architecture", "llama");
/// let info = TensorInfo::new("output_norm.weight", TensorShape::new(&[2])?, TensorType::F32)?;
///
/// let mut writer = Writer::new(Vec::new(), &metadata, &[info])?;
/// writer.write(&1f32.to_le_bytes())?;
/// writer.write(&2f32.to_le_bytes())?;
/// let bytes = writer.finish()?;
/// assert_eq!(Gguf::from_bytes(bytes)?.tensors().len(), 1);
/// # Ok::<(), lorgnette_quant::Error>(())
/// ```
pub struct Writer<W> {
    out: W,
    /// Tensors whose data is not complete, last first.
    pending: Vec<TensorInfo>,
    /// Bytes still to come for the last of `pending`.
    missing: usize,
    alignment: usize,
}

impl<W: Write> Writer<W> {
    /// Writes the header: `metadata`, then the table of `tensors`. The alignment is the metadata's.
    pub fn new(mut out: W, metadata: &Metadata, tensors: &[TensorInfo]) -> Result<Self> {
        let header = Header::new(metadata.clone(), tensors.to_vec())?;
        out.write_all(&header.to_bytes()).map_err(disk)?;
        let pending: Vec<_> = tensors.iter().rev().cloned().collect();
        let missing = pending.last().map_or(0, TensorInfo::bytes);
        Ok(Self { out, pending, missing, alignment: header.alignment() })
    }

    /// Appends `data` to the current tensor; when that is complete the next one is current.
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        let Some(info) = self.pending.last().filter(|_| data.len() <= self.missing) else {
            let field = self.pending.last().map_or("end of file", TensorInfo::name);
            let detail = format!("{} bytes given, {} expected", data.len(), self.missing);
            return Err(Error::new(ErrorKind::Argument, field, detail));
        };
        self.out.write_all(data).map_err(disk)?;
        self.missing -= data.len();
        if self.missing == 0 {
            let padding = info.bytes().next_multiple_of(self.alignment) - info.bytes();
            self.out.write_all(&vec![0; padding]).map_err(disk)?;
            self.pending.pop();
            self.missing = self.pending.last().map_or(0, TensorInfo::bytes);
        }
        Ok(())
    }

    /// Flushes and hands the sink back.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when a tensor's data is not complete.
    pub fn finish(mut self) -> Result<W> {
        if let Some(info) = self.pending.last() {
            let detail = format!("{} of {} bytes never came", self.missing, info.bytes());
            return Err(Error::new(ErrorKind::Argument, info.name(), detail));
        }
        self.out.flush().map_err(disk)?;
        Ok(self.out)
    }
}

fn disk(error: io::Error) -> Error {
    Error::io("write", error)
}
