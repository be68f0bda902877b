//! The GGUF container: metadata, tensor table, tensor data.
//!
//! ```text
//! "GGUF" | version u32 | tensor count u64 | metadata count u64
//! metadata:  key string | type u32 | value                       (once for each)
//! tensors:   name string | dimensions u32 | u64 ... | type u32 | offset u64
//! padding to the alignment, then each tensor's data at its offset, aligned too
//! ```
//! All numbers are little-endian; strings and arrays carry a u64 length. Source: ggml's `docs/gguf.md`.

mod cursor;
mod edit;
mod encode;
mod file;
mod header;
pub mod keys;
mod metadata;
mod read;
mod split;
mod tensor;
mod value;
mod writer;

pub(crate) use cursor::Cursor;
pub use edit::set_metadata;
pub use file::{Gguf, Tensor, TensorView};
pub use header::Header;
pub use metadata::{FromValue, Metadata};
pub use split::{shard_path, split_name};
pub use tensor::{TensorInfo, TensorShape};
pub use value::{Array, Strings, Value, ValueType};
pub use writer::Writer;

/// The four bytes a GGUF file starts with.
pub const MAGIC: [u8; 4] = *b"GGUF";
/// The version this crate writes.
pub const VERSION: u32 = 3;
/// Where tensor data may start when the file does not say: at multiples of 32 bytes.
pub const DEFAULT_ALIGNMENT: usize = 32;
/// The revision of the block formats written here.
pub const QUANTIZATION_VERSION: u32 = 2;
/// The largest alignment taken from a file: 1 MiB.
const MAX_ALIGNMENT: usize = 1 << 20;
