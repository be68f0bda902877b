//! Importance matrices: how strongly each input column of each weight was driven by real text.

use std::collections::HashMap;
use std::path::Path;

use crate::TensorType;
use crate::error::{Error, ErrorKind, Result};
use crate::gguf::{Cursor, Gguf, Strings, TensorInfo};

/// Mean squared activations by tensor name, as llama-imatrix collects them.
pub struct Importance {
    source: String,
    dataset: Option<String>,
    chunks: u32,
    entries: HashMap<String, Vec<f32>>,
}

const SUMS: &str = ".in_sum2";
const COUNTS: &str = ".counts";

impl Importance {
    /// Reads llama-imatrix's GGUF or its older `.dat`; which of them the first bytes tell.
    ///
    /// # Errors
    /// What is wrong with the file, naming the entry: also values that are negative or not finite.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("open", e).in_file(path))?;
        Self::from_bytes(bytes, path.display().to_string()).map_err(|e| e.in_file(path))
    }

    /// As [`Importance::open`], of what is in memory. `source` is what the quantized file will call it.
    ///
    /// # Errors
    /// As [`Importance::open`].
    pub fn from_bytes(bytes: Vec<u8>, source: String) -> Result<Self> {
        let read =
            if bytes.starts_with(&crate::gguf::MAGIC) { read_gguf(bytes) } else { read_legacy(&bytes) };
        Ok(Self { source, ..check(read?)? })
    }

    /// The weights for `info`: one for each column, for each of its experts. `None` when the file has none.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when they are for another shape. The token embedding is looked up, not multiplied,
    /// so its entry is not used when it does not fit.
    pub(super) fn of(&self, info: &TensorInfo) -> Result<Option<&[f32]>> {
        let Some(weights) = self.entries.get(info.name()) else { return Ok(None) };
        let expected = info.shape().row_len() * info.shape().dim(2) * info.shape().dim(3);
        match weights.len() {
            len if len == expected => Ok(Some(weights)),
            _ if info.name().ends_with("token_embd.weight") => Ok(None),
            len => {
                let field = format!("tensor {:?} importance", info.name());
                Err(Error::malformed(field, format!("{len} columns"), expected))
            }
        }
    }

    /// The file it was read from.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The text it was collected on, if it says so.
    pub(super) fn dataset(&self) -> Option<&str> {
        self.dataset.as_deref()
    }

    /// Pieces of text it was collected on; 0 when it does not say.
    pub(super) fn chunks(&self) -> u32 {
        self.chunks
    }

    /// Number of tensors with an entry.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn check(importance: Importance) -> Result<Importance> {
    if importance.entries.is_empty() {
        return Err(Error::missing("entries", "at least one tensor"));
    }
    for (name, weights) in &importance.entries {
        if let Some(bad) = weights.iter().find(|w| !w.is_finite() || **w < 0.0) {
            return Err(Error::malformed(format!("entry {name:?}"), bad, "finite numbers not below 0"));
        }
    }
    Ok(importance)
}

fn read_gguf(bytes: Vec<u8>) -> Result<Importance> {
    let file = Gguf::from_bytes(bytes)?;
    let metadata = file.metadata();
    let datasets: &Strings = metadata.require("imatrix.datasets")?;
    let mut entries = HashMap::new();
    for tensor in file.tensors() {
        let Some(name) = tensor.info.name().strip_suffix(SUMS) else { continue };
        let sums = floats(tensor.info, tensor.data)?;
        let counted = file.tensor(&format!("{name}{COUNTS}"))?;
        let counts = floats(counted.info, counted.data)?;
        if counts.is_empty() || !sums.len().is_multiple_of(counts.len()) {
            let expected = format!("a divisor of {} columns", sums.len());
            return Err(Error::malformed(
                format!("tensor {:?}", counted.info.name()),
                counts.len(),
                expected,
            ));
        }
        entries.insert(name.to_owned(), means(&sums, &counts));
    }
    Ok(Importance {
        source: String::new(),
        dataset: datasets.get(0).map(str::to_owned),
        chunks: metadata.require("imatrix.chunk_count")?,
        entries,
    })
}

fn floats(info: &TensorInfo, data: &[u8]) -> Result<Vec<f32>> {
    if info.ty() != TensorType::F32 {
        return Err(Error::malformed(format!("tensor {:?} type", info.name()), info.ty(), TensorType::F32));
    }
    Ok(data.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect())
}

/// Sums over tokens become means; an expert that saw no token counts all columns alike.
fn means(sums: &[f32], counts: &[f32]) -> Vec<f32> {
    let columns = sums.len() / counts.len();
    let mean = |(i, sum): (usize, &f32)| {
        let count = counts[i / columns].round();
        if count > 0.0 { sum / count } else { 1.0 }
    };
    sums.iter().enumerate().map(mean).collect()
}

/// The older layout: count; for each entry name, calls, values; then optionally chunks and the dataset's name.
fn read_legacy(bytes: &[u8]) -> Result<Importance> {
    let mut cursor = Cursor::new(bytes);
    let entry_count = cursor.count_u32(12, "entry count")?;
    let mut entries = HashMap::new();
    for i in 0..entry_count {
        let field = format!("entry {i}");
        let name_len = cursor.count_u32(1, &field)?;
        let name = text(cursor.take(name_len, &field)?, &field)?;
        let calls = cursor.u32(&field)?.cast_signed();
        let columns = cursor.count_u32(4, &field)?;
        let (values, _) = cursor.take(columns * 4, &field)?.as_chunks::<4>();
        let divisor = if calls > 0 { calls as f32 } else { 1.0 };
        entries.insert(name, values.iter().map(|&v| f32::from_le_bytes(v) / divisor).collect());
    }
    let (mut chunks, mut dataset) = (0, None);
    if cursor.position() < bytes.len() {
        chunks = cursor.u32("chunk count")?.cast_signed().max(0).cast_unsigned();
    }
    if cursor.position() < bytes.len() {
        let len = cursor.count_u32(1, "dataset")?;
        let name = String::from_utf8_lossy(cursor.take(len, "dataset")?).trim_end_matches('\0').to_owned();
        dataset = Some(name).filter(|name| !name.is_empty());
    }
    Ok(Importance { source: String::new(), dataset, chunks, entries })
}

fn text(bytes: &[u8], field: &str) -> Result<String> {
    let trimmed = bytes.split(|&b| b == 0).next().unwrap_or_default();
    String::from_utf8(trimmed.to_vec())
        .map_err(|_| Error::new(ErrorKind::Malformed, field, "found a name that is not UTF-8"))
}
