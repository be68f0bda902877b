//! GGUF files and small weights.
//!
//! Reads and writes GGUF containers, decodes and encodes ggml's block formats, makes quantized files out of big
//! ones, and converts Hugging Face checkpoints. Knows nothing of how a model is run.

pub mod block;
pub mod convert;
mod error;
pub mod gguf;
pub mod inspect;
mod output;
mod printable;
mod progress;
pub mod quantize;
mod tensor_type;

pub use error::{Error, ErrorKind, Result};
pub use output::OutputFile;
pub use progress::Progress;
pub use tensor_type::TensorType;
