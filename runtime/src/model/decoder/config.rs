//! The sizes of a language model, from its metadata.

use lorgnette_quant::gguf::{Metadata, Strings, keys};

use super::rotary;
use crate::backend::{Heads, Pairing, Rotary};
use crate::model::keys::Keys;
use crate::{Error, ErrorKind, Result};

/// The families of language models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Llama 2 and 3, SmolLM, SmolLM2.
    Llama,
    /// Qwen2 and Qwen2.5.
    Qwen2,
    /// Qwen3.
    Qwen3,
}

impl Family {
    const NAMES: &[(&str, Self)] = &[("llama", Self::Llama), ("qwen2", Self::Qwen2), ("qwen3", Self::Qwen3)];

    fn of(architecture: &str) -> Result<Self> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == architecture);
        known.map(|(_, family)| *family).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            let detail = format!("found {architecture:?}, known are {}", names.join(", "));
            Error::new(ErrorKind::Unsupported, keys::ARCHITECTURE, detail)
        })
    }

    fn pairing(self) -> Pairing {
        match self {
            Self::Llama => Pairing::Neighbours,
            Self::Qwen2 | Self::Qwen3 => Pairing::Halves,
        }
    }
}

/// The sizes of a language model.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which family it is of.
    pub family: Family,
    /// Number of layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Width of the feed-forward layers.
    pub feed_forward: usize,
    /// How attention is split.
    pub heads: Heads,
    /// Tokens it was trained to look back on.
    pub context: usize,
    /// Tokens it knows.
    pub vocabulary: usize,
    /// Added to the mean square in norms.
    pub epsilon: f32,
    /// How positions turn queries and keys, before factors that a tensor of the file may hold.
    pub rotary: Rotary,
}

impl Config {
    pub(super) fn read(metadata: &Metadata) -> Result<Self> {
        let family = Family::of(metadata.require(keys::ARCHITECTURE)?)?;
        let keys = Keys::new(metadata, metadata.require(keys::ARCHITECTURE)?);
        let width = keys.positive("embedding_length")?;
        let count = keys.positive("attention.head_count")?;
        let kv_count = keys.get("attention.head_count_kv")?.unwrap_or(count);
        let len = keys.get("attention.key_length")?.unwrap_or(width / count);
        let heads = Heads { count, kv_count, len };
        check_heads(&keys, heads)?;
        Ok(Self {
            family,
            layers: keys.positive("block_count")?,
            width,
            feed_forward: keys.positive("feed_forward_length")?,
            heads,
            context: keys.positive("context_length")?,
            vocabulary: vocabulary(&keys)?,
            epsilon: keys.require("attention.layer_norm_rms_epsilon")?,
            rotary: rotary::read(&keys, family.pairing(), len)?,
        })
    }
}

/// The longest head. None of today's is longer than 512.
const MAX_HEAD_LEN: usize = 4096;

fn vocabulary(keys: &Keys<'_>) -> Result<usize> {
    let tokens: Option<&Strings> = keys.metadata().get("tokenizer.ggml.tokens")?;
    match tokens {
        Some(tokens) => Ok(tokens.len()),
        None => keys.positive("vocab_size"),
    }
}

fn check_heads(keys: &Keys<'_>, heads: Heads) -> Result<()> {
    if heads.kv_count == 0 || !heads.count.is_multiple_of(heads.kv_count) {
        let expected = format!("a divisor of the {} query heads", heads.count);
        return Err(Error::malformed(keys.name("attention.head_count_kv"), heads.kv_count, expected));
    }
    let value_len = keys.get("attention.value_length")?.unwrap_or(heads.len);
    if value_len != heads.len {
        let expected = format!("{}, the length of a key", heads.len);
        return Err(Error::malformed(keys.name("attention.value_length"), value_len, expected));
    }
    if !(2..=MAX_HEAD_LEN).contains(&heads.len) || !heads.len.is_multiple_of(2) {
        let expected = format!("an even number from 2 to {MAX_HEAD_LEN}");
        return Err(Error::malformed(keys.name("attention.key_length"), heads.len, expected));
    }
    if heads.count.checked_mul(heads.len).is_none() {
        return Err(Error::malformed(keys.name("attention.head_count"), heads.count, "fewer heads"));
    }
    Ok(())
}
