//! Everything before the tensor data: magic, version, metadata, tensor table.

use std::collections::HashSet;

use super::cursor::Cursor;
use super::{DEFAULT_ALIGNMENT, MAGIC, MAX_ALIGNMENT, Metadata, TensorInfo, VERSION, encode, keys, read};
use crate::error::{Error, ErrorKind, Result};

/// A checked header: keys and tensor names stand once, and every tensor's place is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    version: u32,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    /// Where each tensor's data starts, from the start of the data.
    offsets: Vec<usize>,
    alignment: usize,
    /// Where the data starts in the file.
    data_start: usize,
}

impl Header {
    /// The header of a new file whose tensors follow each other in this order.
    pub fn new(metadata: Metadata, tensors: Vec<TensorInfo>) -> Result<Self> {
        let alignment = alignment_of(&metadata)?;
        reject_duplicates(&tensors)?;
        let mut end = 0usize;
        let mut offsets = Vec::with_capacity(tensors.len());
        for info in &tensors {
            offsets.push(end);
            end = info
                .bytes()
                .checked_next_multiple_of(alignment)
                .and_then(|b| end.checked_add(b))
                .ok_or_else(|| {
                    Error::malformed(
                        format!("tensor {:?}", info.name()),
                        "a total over 2^64 bytes",
                        "a size that fits",
                    )
                })?;
        }
        let mut header = Self { version: VERSION, metadata, tensors, offsets, alignment, data_start: 0 };
        header.data_start = header.to_bytes().len();
        Ok(header)
    }

    /// Reads a header from the start of `file`. Tensor data may be missing: see [`Header::check_data`].
    pub fn parse(file: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(file);
        let version = read::version(&mut cursor)?;
        // The least a tensor takes is 33 bytes and the least a key takes is 14.
        let tensor_count = cursor.count(33, "tensor count")?;
        let metadata_count = cursor.count(14, "metadata count")?;
        let metadata = read::metadata(&mut cursor, metadata_count)?;
        let alignment = alignment_of(&metadata)?;
        let (tensors, offsets) = read::tensors(&mut cursor, tensor_count, alignment)?;
        reject_duplicates(&tensors)?;
        reject_overlaps(&tensors, &offsets)?;
        let data_start = cursor.position().next_multiple_of(alignment);
        reject_overflow(&tensors, &offsets, data_start)?;
        Ok(Self { version, metadata, tensors, offsets, alignment, data_start })
    }

    /// Checks that a file of `file_len` bytes holds the data of every tensor.
    pub fn check_data(&self, file_len: usize) -> Result<()> {
        let available = file_len.saturating_sub(self.data_start);
        for (info, &offset) in self.tensors.iter().zip(&self.offsets) {
            if offset.checked_add(info.bytes()).is_none_or(|end| end > available) {
                let field = format!("tensor {:?} data", info.name());
                let detail = format!("{} bytes at offset {offset} needed, {available} there", info.bytes());
                return Err(Error::new(ErrorKind::Truncated, field, detail));
            }
        }
        Ok(())
    }

    /// The header as it stands in a file, padded to where the data starts.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::from(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in self.metadata.iter() {
            encode::string(&mut out, key);
            encode::value(&mut out, value);
        }
        for (info, &offset) in self.tensors.iter().zip(&self.offsets) {
            encode::string(&mut out, info.name());
            out.extend((info.shape().dims().len() as u32).to_le_bytes());
            info.shape().dims().iter().for_each(|&d| out.extend((d as u64).to_le_bytes()));
            out.extend(info.ty().id().to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
        }
        out.resize(out.len().next_multiple_of(self.alignment), 0);
        out
    }

    /// The same tensors at the same offsets under other metadata.
    ///
    /// # Errors
    /// When `metadata` has another alignment, since the data would have to move.
    pub fn with_metadata(&self, metadata: Metadata) -> Result<Self> {
        let alignment = alignment_of(&metadata)?;
        if alignment != self.alignment {
            let detail = format!("found {alignment}, but the data is laid out for {}", self.alignment);
            return Err(Error::new(ErrorKind::Argument, keys::ALIGNMENT, detail));
        }
        let mut header = Self { version: VERSION, metadata, ..self.clone() };
        header.data_start = header.to_bytes().len();
        Ok(header)
    }

    /// GGUF version the file was written in: 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Keys and values.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Tensors in the table's order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// Where the data of the tensor at `index` starts in the file.
    pub fn data_offset(&self, index: usize) -> usize {
        self.data_start + self.offsets[index]
    }

    /// What tensor data is aligned to, in bytes.
    pub fn alignment(&self) -> usize {
        self.alignment
    }

    /// Bytes of the whole file, with the padding after the last tensor.
    pub fn file_len(&self) -> usize {
        let ends = self.tensors.iter().zip(&self.offsets).map(|(info, offset)| offset + info.bytes());
        self.data_start + ends.max().unwrap_or(0).next_multiple_of(self.alignment)
    }

    /// Where the data starts in the file.
    pub fn data_start(&self) -> usize {
        self.data_start
    }
}

fn alignment_of(metadata: &Metadata) -> Result<usize> {
    let alignment = metadata.get::<u32>(keys::ALIGNMENT)?.map_or(DEFAULT_ALIGNMENT, |a| a as usize);
    if alignment.is_power_of_two() && alignment <= MAX_ALIGNMENT {
        Ok(alignment)
    } else {
        Err(Error::malformed(keys::ALIGNMENT, alignment, format!("a power of two up to {MAX_ALIGNMENT}")))
    }
}

fn reject_duplicates(tensors: &[TensorInfo]) -> Result<()> {
    let mut seen = HashSet::with_capacity(tensors.len());
    match tensors.iter().find(|info| !seen.insert(info.name())) {
        Some(twice) => {
            Err(Error::malformed(format!("tensor {:?}", twice.name()), "the name twice", "each name once"))
        }
        None => Ok(()),
    }
}

/// No place in the file may be past what an address can be.
fn reject_overflow(tensors: &[TensorInfo], offsets: &[usize], data_start: usize) -> Result<()> {
    for (info, &offset) in tensors.iter().zip(offsets) {
        let end =
            offset.checked_add(info.bytes()).and_then(|end| end.checked_add(data_start + MAX_ALIGNMENT));
        if end.is_none_or(|end| isize::try_from(end).is_err()) {
            let field = format!("tensor {:?} offset", info.name());
            return Err(Error::malformed(field, offset, "a place that can be addressed"));
        }
    }
    Ok(())
}

fn reject_overlaps(tensors: &[TensorInfo], offsets: &[usize]) -> Result<()> {
    let mut order: Vec<_> = (0..tensors.len()).collect();
    order.sort_by_key(|&i| offsets[i]);
    for pair in order.windows(2) {
        let (first, second) = (&tensors[pair[0]], &tensors[pair[1]]);
        if offsets[pair[0]].checked_add(first.bytes()).is_none_or(|end| end > offsets[pair[1]]) {
            let field = format!("tensor {:?} offset", second.name());
            let expected = format!("a place after the {} bytes of {:?}", first.bytes(), first.name());
            return Err(Error::malformed(field, offsets[pair[1]], expected));
        }
    }
    Ok(())
}
