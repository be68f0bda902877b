//! What is in a model file, and what lorgnette makes of it.

mod display;
mod family;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::Result;
use crate::gguf::{Gguf, Value};

pub use family::{Audio, Kind, Memory, Summary, Text, Vision};

/// Everything about a file but its weights. Its `Display` is for people, its `Serialize` is for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The file, or all shards.
    pub files: Vec<String>,
    /// GGUF version: 2 or 3.
    pub version: u32,
    /// Bytes of all files.
    pub file_bytes: usize,
    /// What lorgnette makes of it.
    pub summary: Summary,
    /// Keys and values in the file's order; of long arrays the first elements.
    pub metadata: Vec<Entry>,
    /// Count and bytes for each tensor type.
    pub types: BTreeMap<&'static str, TypeTotal>,
    /// Tensors in the file's order.
    pub tensors: Vec<Tensor>,
}

/// One key.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Type of the value: `u32`, `str`, `arr`.
    #[serde(rename = "type")]
    pub value_type: &'static str,
    /// The value; of an array `{"of", "len", "first"}`.
    pub value: serde_json::Value,
}

/// One tensor.
#[derive(Clone, Debug, Serialize)]
pub struct Tensor {
    /// The tensor's name.
    pub name: String,
    /// Lengths, contiguous dimension first.
    pub shape: Vec<usize>,
    /// How the elements are stored.
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// Bytes of data.
    pub bytes: usize,
}

/// All tensors of one type.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TypeTotal {
    /// Number of tensors.
    pub tensors: usize,
    /// Number of elements.
    pub weights: usize,
    /// Bytes of data.
    pub bytes: usize,
}

/// Elements of an array that are shown.
const SHOWN: usize = 8;

/// Reads the header of the model at `path`, and of its shards.
///
/// # Errors
/// What [`Gguf::open`] says, and metadata of the wrong type.
pub fn inspect(path: &Path) -> Result<Inspection> {
    Inspection::of(&Gguf::open(path)?).map_err(|e| e.in_file(path))
}

impl Inspection {
    /// What there is to say of an opened model.
    ///
    /// # Errors
    /// Metadata that a family needs and that is missing or of the wrong type.
    pub fn of(model: &Gguf) -> Result<Self> {
        let mut types = BTreeMap::<_, TypeTotal>::new();
        for tensor in model.tensors() {
            let total = types.entry(tensor.info.ty().name()).or_default();
            total.tensors += 1;
            total.weights += tensor.info.shape().elements();
            total.bytes += tensor.info.bytes();
        }
        Ok(Self {
            files: model.paths().map(|p| p.display().to_string()).collect(),
            version: model.version(),
            file_bytes: model.file_bytes(),
            summary: Summary::of(model)?,
            metadata: model.metadata().iter().map(|(key, value)| entry(key, value)).collect(),
            types,
            tensors: model.tensors().map(|t| tensor(t.info)).collect(),
        })
    }
}

fn tensor(info: &crate::gguf::TensorInfo) -> Tensor {
    Tensor {
        name: info.name().to_owned(),
        shape: info.shape().dims().to_vec(),
        ty: info.ty().name(),
        bytes: info.bytes(),
    }
}

fn entry(key: &str, value: &Value) -> Entry {
    let shown = match value {
        Value::Array(array) => {
            let first: Vec<_> = (0..SHOWN).filter_map(|i| array.get(i)).map(|v| scalar(&v)).collect();
            json!({"of": array.element_type().name(), "len": array.len(), "first": first})
        }
        other => scalar(other),
    };
    Entry { key: key.to_owned(), value_type: value.value_type().name(), value: shown }
}

fn scalar(value: &Value) -> serde_json::Value {
    match value {
        Value::U8(v) => json!(v),
        Value::I8(v) => json!(v),
        Value::U16(v) => json!(v),
        Value::I16(v) => json!(v),
        Value::U32(v) => json!(v),
        Value::I32(v) => json!(v),
        Value::U64(v) => json!(v),
        Value::I64(v) => json!(v),
        // By its shortest digits, not by those of the nearest f64.
        Value::F32(v) => json!(v.to_string().parse::<f64>().ok()),
        Value::F64(v) => json!(v),
        Value::Bool(v) => json!(v),
        Value::String(v) => json!(v),
        Value::Array(_) => serde_json::Value::Null,
    }
}
