//! Tokens with a meaning: where a text starts, where an answer ends.

use std::collections::BTreeSet;

use lorgnette_quant::gguf::Metadata;
use lorgnette_quant::{Error, Result};

use super::vocabulary::{TokenType, Vocabulary};
use crate::TokenId;

/// Texts that end an answer wherever a vocabulary has them, as llama.cpp's `special_eog_ids` has it: files name one
/// end token, models use several.
const END_TEXTS: [&str; 33] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
    // Between files and in their padding.
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "[PAD]",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<REPO>",
    "<reponame>",
    "<|file_sep|>",
];

/// The keys of tokens that end an answer.
const END_KEYS: [&str; 6] = ["eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"];

/// The special tokens of a vocabulary.
pub(super) struct SpecialTokens {
    pub(super) bos: Option<TokenId>,
    pub(super) eos: Option<TokenId>,
    pub(super) ends: BTreeSet<TokenId>,
    pub(super) add_bos: bool,
    pub(super) add_eos: bool,
}

/// What holds where the file does not say.
pub(super) struct Defaults {
    pub(super) bos: Option<TokenId>,
    pub(super) eos: Option<TokenId>,
    pub(super) add_bos: bool,
}

impl SpecialTokens {
    /// Reads ids and flags, and makes control tokens of those that end an answer by their text.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](lorgnette_quant::ErrorKind) when an id is not in the vocabulary.
    pub(super) fn from_metadata(
        metadata: &Metadata,
        vocabulary: &mut Vocabulary,
        defaults: &Defaults,
    ) -> Result<Self> {
        let len = vocabulary.len();
        let id = |name: &str| read_id(metadata, name, len);
        let in_range = |id: Option<TokenId>| id.filter(|id| (*id as usize) < len);
        let bos = id("bos")?.or(in_range(defaults.bos));
        let eos = id("eos")?.or(in_range(defaults.eos));
        let mut ends = BTreeSet::from_iter(eos);
        for name in END_KEYS {
            ends.extend(id(name)?);
        }
        for text in END_TEXTS {
            if let Some(id) = vocabulary.id_of(text) {
                vocabulary.set_type(id, TokenType::Control);
                ends.insert(id);
            }
        }
        let flag = |name: &str| metadata.get::<bool>(&format!("tokenizer.ggml.add_{name}_token"));
        Ok(Self {
            bos,
            eos,
            ends,
            add_bos: flag("bos")?.unwrap_or(defaults.add_bos),
            add_eos: flag("eos")?.unwrap_or(false),
        })
    }
}

fn read_id(metadata: &Metadata, name: &str, len: usize) -> Result<Option<TokenId>> {
    let key = format!("tokenizer.ggml.{name}_token_id");
    let id: Option<TokenId> = metadata.get(&key)?;
    match id {
        Some(id) if id as usize >= len => Err(Error::malformed(key, id, format!("an id below {len}"))),
        id => Ok(id),
    }
}
