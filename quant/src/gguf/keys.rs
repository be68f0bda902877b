//! Metadata keys that the container itself gives a meaning to.

/// Which model family the file holds: `llama`, `qwen3`, `clip`. String.
pub const ARCHITECTURE: &str = "general.architecture";
/// What tensor data is aligned to. u32, a power of two.
pub const ALIGNMENT: &str = "general.alignment";
/// The mix the weights are stored in (llama.cpp's `llama_ftype`). u32.
pub const FILE_TYPE: &str = "general.file_type";
/// The revision of the block formats. u32, 2 today.
pub const QUANTIZATION_VERSION: &str = "general.quantization_version";
/// Index of this shard, from 0. u16.
pub const SPLIT_NO: &str = "split.no";
/// Number of shards. u16.
pub const SPLIT_COUNT: &str = "split.count";
/// Number of tensors in all shards. i32.
pub const SPLIT_TENSORS_COUNT: &str = "split.tensors.count";
