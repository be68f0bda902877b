//! The tokenizer of a checkpoint as `tokenizer.*` keys.
//!
//! | in the directory | `tokenizer.ggml.model` | `tokenizer.ggml.pre` |
//! |---|---|---|
//! | `tokenizer.model` | `llama`, with scores | `default` |
//! | `tokenizer.json`: BPE with byte fallback (Llama 2) | `llama`, all scores -1000 | `default` |
//! | `tokenizer.json`: byte-level BPE | `gpt2`, with merges | `llama-bpe`, `qwen2` or `smollm`, by its pre-tokenizer |

mod byte_level;
mod chat_template;
mod names;
mod pre;
mod sentencepiece;
mod special;

use std::collections::HashSet;
use std::path::Path;

use self::names::TOKEN_KINDS;
use self::special::Special;
use super::json::{JsonFile, Node};
use crate::error::{Error, Result};
use crate::gguf::{Metadata, Strings};

/// The kinds of tokens, with llama.cpp's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
enum TokenType {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// A vocabulary, indexed by token id.
#[derive(Default)]
struct Vocabulary {
    tokens: Vec<String>,
    scores: Vec<f32>,
    types: Vec<TokenType>,
}

impl Vocabulary {
    /// `len` tokens that stand for nothing, as models have them that round their vocabulary up.
    fn unused(len: usize, score: f32) -> Self {
        let tokens = (0..len).map(|id| format!("[PAD{id}]")).collect();
        Self { tokens, scores: vec![score; len], types: vec![TokenType::Unused; len] }
    }

    fn set(&mut self, id: usize, token: String, score: f32, ty: TokenType) {
        self.tokens[id] = token;
        self.scores[id] = score;
        self.types[id] = ty;
    }
}

/// The files that describe a tokenizer.
struct Files<'a> {
    tokenizer: Option<Node<'a>>,
    /// `tokenizer_config.json`.
    settings: Option<Node<'a>>,
    model_config: &'a Node<'a>,
}

/// Sets the keys of the tokenizer in `dir` for a model of `vocab_size` tokens. `llama` says that the family has
/// Llama's conventions.
pub(super) fn set_keys(
    metadata: &mut Metadata,
    dir: &Path,
    model_config: &Node<'_>,
    vocab_size: u32,
    llama: bool,
) -> Result<()> {
    let tokenizer = JsonFile::read_if_there(dir, "tokenizer.json")?;
    let settings = JsonFile::read_if_there(dir, "tokenizer_config.json")?;
    let files = Files {
        tokenizer: tokenizer.as_ref().map(JsonFile::root),
        settings: settings.as_ref().map(JsonFile::root),
        model_config,
    };
    if let (true, Some(settings)) = (llama, &files.settings)
        && let Some(prefix) = settings.opt::<bool>("add_prefix_space")?
    {
        metadata.set("tokenizer.ggml.add_space_prefix", prefix);
    }

    let size = vocab_size as usize;
    if let Some(vocabulary) = sentencepiece::read(dir, &files, size)? {
        set_sentencepiece(metadata, &vocabulary);
        Special::read(dir, &files, Some(vocabulary.tokens.len()))?.set_keys(metadata);
    } else if let Some(tokenizer) = &files.tokenizer {
        set_byte_level(metadata, tokenizer, &files, size)?;
        Special::read(dir, &files, None)?.set_keys(metadata);
    } else {
        return Err(Error::missing("", "this file, or tokenizer.model").in_file(&dir.join("tokenizer.json")));
    }
    if llama && vocab_size == 49_152 {
        // The Granite and SmolLM vocabulary, whose tokenizers ask for a start token that the models never saw.
        metadata.set("tokenizer.ggml.add_bos_token", false);
    }
    Ok(())
}

fn set_sentencepiece(metadata: &mut Metadata, vocabulary: &Vocabulary) {
    metadata.set("tokenizer.ggml.model", "llama");
    metadata.set("tokenizer.ggml.pre", "default");
    metadata.set("tokenizer.ggml.tokens", vocabulary.tokens.iter().collect::<Strings>());
    metadata.set("tokenizer.ggml.scores", vocabulary.scores.clone());
    metadata.set("tokenizer.ggml.token_type", type_numbers(vocabulary));
}

fn set_byte_level(
    metadata: &mut Metadata,
    tokenizer: &Node<'_>,
    files: &Files<'_>,
    size: usize,
) -> Result<()> {
    let vocabulary = byte_level::vocabulary(tokenizer, files, size)?;
    metadata.set("tokenizer.ggml.model", "gpt2");
    metadata.set("tokenizer.ggml.pre", pre::name(tokenizer)?);
    metadata.set("tokenizer.ggml.tokens", vocabulary.tokens.iter().collect::<Strings>());
    metadata.set("tokenizer.ggml.token_type", type_numbers(&vocabulary));
    metadata.set("tokenizer.ggml.merges", byte_level::merges(tokenizer)?);
    Ok(())
}

fn type_numbers(vocabulary: &Vocabulary) -> Vec<i32> {
    vocabulary.types.iter().map(|ty| *ty as i32).collect()
}

/// A token beside the base vocabulary, from `added_tokens`.
struct AddedToken<'a> {
    id: usize,
    content: &'a str,
    special: bool,
}

fn added_tokens<'a>(tokenizer: &Node<'a>) -> Result<Vec<AddedToken<'a>>> {
    let Some(list) = tokenizer.get("added_tokens")? else { return Ok(Vec::new()) };
    list.items()?
        .map(|token| {
            Ok(AddedToken {
                id: token.need("id")?,
                content: token.need("content")?,
                special: token.opt("special")?.unwrap_or(false),
            })
        })
        .collect()
}

/// The texts that `tokenizer_config.json` names as special: start, end, padding and so on.
fn named_specials<'a>(files: &Files<'a>) -> Result<HashSet<&'a str>> {
    let Some(settings) = &files.settings else { return Ok(HashSet::new()) };
    let mut texts = HashSet::new();
    for kind in TOKEN_KINDS {
        texts.extend(settings.get(&format!("{kind}_token"))?.as_ref().and_then(token_text));
    }
    for list in ["additional_special_tokens", "extra_special_tokens"] {
        if let Some(list) = settings.get(list)?
            && let Ok(items) = list.items()
        {
            texts.extend(items.filter_map(|item| token_text(&item)));
        }
    }
    Ok(texts)
}

/// A token given as its text, or as an object with `content`.
fn token_text<'a>(node: &Node<'a>) -> Option<&'a str> {
    node.try_to().or_else(|| node.opt("content").ok().flatten())
}

/// Whether a token is a control token by its looks, though its file does not mark it as special.
fn looks_special(token: &str) -> bool {
    let between = |start, end| token.starts_with(start) && token.ends_with(end);
    ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(&token)
        || between("<|", "|>")
        || between("<｜", "｜>")
        || between("<unused", ">")
}

/// The type of an added token, and its text with the spaces that llama.cpp expects in user-defined ones.
fn classify_added(token: &str, special: bool) -> (TokenType, String) {
    if special || looks_special(token) {
        (TokenType::Control, token.to_owned())
    } else {
        (TokenType::UserDefined, token.replace('▁', " "))
    }
}
