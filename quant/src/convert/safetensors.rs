//! Reads safetensors files: `header length u64 | JSON header | tensor data`. The header is checked in full, so that
//! every tensor's bytes lie inside the file and no two share one. Source: the format page of `safetensors`.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde_json::{Map, Value};

use crate::TensorType;
use crate::error::{Error, ErrorKind, Result};

/// Longest header that is read, as in the reference implementation.
const MAX_HEADER: usize = 100_000_000;

/// A mapped file and its tensors, sorted by name.
pub(super) struct SafeTensors {
    path: PathBuf,
    map: Mmap,
    tensors: Vec<Entry>,
}

/// What the header says of a tensor.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) dtype: &'static Dtype,
    /// As in PyTorch: the contiguous dimension last.
    pub(super) shape: Vec<usize>,
    data: Range<usize>,
}

/// An element type of the format.
pub(super) struct Dtype {
    pub(super) name: &'static str,
    bytes: usize,
    /// The same type in GGUF, where a weight can have it.
    pub(super) ty: Option<TensorType>,
}

const fn dtype(name: &'static str, bytes: usize, ty: Option<TensorType>) -> Dtype {
    Dtype { name, bytes, ty }
}

static DTYPES: [Dtype; 15] = [
    dtype("F32", 4, Some(TensorType::F32)),
    dtype("F16", 2, Some(TensorType::F16)),
    dtype("BF16", 2, Some(TensorType::BF16)),
    dtype("F64", 8, None),
    dtype("I64", 8, None),
    dtype("U64", 8, None),
    dtype("I32", 4, None),
    dtype("U32", 4, None),
    dtype("I16", 2, None),
    dtype("U16", 2, None),
    dtype("I8", 1, None),
    dtype("U8", 1, None),
    dtype("BOOL", 1, None),
    dtype("F8_E4M3", 1, None),
    dtype("F8_E5M2", 1, None),
];

impl SafeTensors {
    /// Maps the file at `path` and checks its header.
    ///
    /// # Errors
    /// Names the file and the tensor: a truncated header, a shape whose size overflows or differs from its range,
    /// ranges that overlap, leave a hole or pass the end.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("open", e).in_file(path))?;
        // SAFETY: the map is read-only and private to this process; a file that another process shortens meanwhile
        // is outside what a reader of files can defend against, as with every mapped model.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::io("map", e).in_file(path))?;
        let tensors = read_header(&map).map_err(|e| e.in_file(path))?;
        Ok(Self { path: path.to_owned(), map, tensors })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn tensors(&self) -> &[Entry] {
        &self.tensors
    }

    /// The bytes of one of [`SafeTensors::tensors`].
    pub(super) fn data(&self, entry: &Entry) -> &[u8] {
        &self.map[entry.data.clone()]
    }
}

fn read_header(bytes: &[u8]) -> Result<Vec<Entry>> {
    let truncated = || {
        let detail = format!("file of {} bytes ends inside the header", bytes.len());
        Error::new(ErrorKind::Truncated, "header", detail)
    };
    let (length, rest) = bytes.split_first_chunk().ok_or_else(truncated)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_HEADER {
        return Err(Error::malformed("header length", length, format!("at most {MAX_HEADER}")));
    }
    let header = rest.get(..length).ok_or_else(truncated)?;
    let header: Map<String, Value> = serde_json::from_slice(header)
        .map_err(|e| Error::new(ErrorKind::Malformed, "header", format!("not a JSON object: {e}")))?;

    let mut tensors = Vec::with_capacity(header.len());
    for (name, value) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        tensors.push(read_entry(name, value)?);
    }
    check_ranges(&mut tensors, rest.len() - length)?;
    for tensor in &mut tensors {
        tensor.data = tensor.data.start + 8 + length..tensor.data.end + 8 + length;
    }
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tensors)
}

fn read_entry(name: &str, value: &Value) -> Result<Entry> {
    let field = |member: &str| format!("tensor {name:?} {member}");
    let wrong = |member: &str, expected: &str| Error::malformed(field(member), &value[member], expected);

    let dtype = value["dtype"].as_str().ok_or_else(|| wrong("dtype", "a string"))?;
    let dtype = DTYPES.iter().find(|d| d.name == dtype).ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, field("dtype"), format!("found {dtype:?}, a type not known here"))
    })?;
    let shape = lengths(&value["shape"]).ok_or_else(|| wrong("shape", "an array of lengths"))?;
    let offsets = lengths(&value["data_offsets"]);
    let Some([start, end]) = offsets.as_deref() else {
        return Err(wrong("data_offsets", "[begin, end]"));
    };
    let bytes = shape.iter().try_fold(dtype.bytes, |n, &length| n.checked_mul(length));
    let bytes = bytes.ok_or_else(|| wrong("shape", "a size that fits in memory"))?;
    if end.checked_sub(*start) != Some(bytes) {
        let expected = format!("a range of {bytes} bytes for {} {shape:?}", dtype.name);
        return Err(wrong("data_offsets", &expected));
    }
    Ok(Entry { name: name.to_owned(), dtype, shape, data: *start..*end })
}

fn lengths(value: &Value) -> Option<Vec<usize>> {
    value.as_array()?.iter().map(|length| length.as_u64()?.try_into().ok()).collect()
}

/// Checks that the ranges follow each other from 0 to `len`, in any order.
fn check_ranges(tensors: &mut [Entry], len: usize) -> Result<()> {
    tensors.sort_by_key(|tensor| (tensor.data.start, tensor.data.end));
    let mut end = 0;
    for tensor in tensors {
        let field = || format!("tensor {:?} data_offsets", tensor.name);
        if tensor.data.start != end {
            let what = if tensor.data.start < end { "an overlap" } else { "a hole" };
            return Err(Error::malformed(field(), format!("{what} at byte {}", tensor.data.start), end));
        }
        end = tensor.data.end;
        if end > len {
            let detail = format!("tensor ends at byte {end}, the data at {len}");
            return Err(Error::new(ErrorKind::Truncated, field(), detail));
        }
    }
    if end < len {
        return Err(Error::malformed(
            "data",
            format!("{len} bytes"),
            format!("{end}, where the last tensor ends"),
        ));
    }
    Ok(())
}
