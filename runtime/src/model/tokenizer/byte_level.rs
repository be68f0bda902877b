//! Byte-level BPE, as GPT-2 has it: tokens are written in an alphabet of 256 printable characters, one for each byte.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use lorgnette_quant::gguf::{Metadata, Strings};
use lorgnette_quant::{Error, Result};
use unicode_normalization::UnicodeNormalization;

use super::merge::{Merge, Symbol, merge_all};
use super::pre::PreTokenizer;
use super::vocabulary::{TokenType, Vocabulary};
use crate::TokenId;

const MERGES: &str = "tokenizer.ggml.merges";

/// Merges and the cut into words.
pub(super) struct ByteLevel {
    pub(super) pre: PreTokenizer,
    /// The token of each byte.
    bytes: [Option<TokenId>; 256],
    merges: HashMap<(TokenId, TokenId), Merge, RandomState>,
}

impl ByteLevel {
    /// Reads the pre-tokenizer's name and the merges.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](lorgnette_quant::ErrorKind) for an unknown pre-tokenizer;
    /// [`ErrorKind::Malformed`](lorgnette_quant::ErrorKind) for a merge that is not two tokens that make a third.
    pub(super) fn from_metadata(metadata: &Metadata, vocabulary: &Vocabulary) -> Result<Self> {
        let pre = PreTokenizer::new(metadata.get("tokenizer.ggml.pre")?.unwrap_or("default"))?;
        let bytes =
            std::array::from_fn(|byte| vocabulary.id_of(char_of(byte as u8).encode_utf8(&mut [0; 4])));
        let list: &Strings = metadata.require(MERGES)?;
        let mut merges = HashMap::with_capacity_and_hasher(list.len(), RandomState::default());
        let mut joined = String::new();
        for (rank, merge) in (0..).zip(list.iter()) {
            let (left, right) = parts(merge, rank)?;
            joined.clear();
            joined.extend([left, right]);
            let id_of = |text: &str| {
                vocabulary.id_of(text).ok_or_else(|| {
                    let found = format!("merge {rank}, {merge:?}, with {text:?}, which is no token");
                    Error::malformed(MERGES, found, "merges of two tokens that make a third")
                })
            };
            let (pair, id) = ((id_of(left)?, id_of(right)?), id_of(&joined)?);
            // Nothing that is typed becomes a control token.
            if vocabulary.token_type(id) != Some(TokenType::Control) {
                merges.entry(pair).or_insert(Merge { rank, id });
            }
        }
        Ok(Self { pre, bytes, merges })
    }

    /// Appends the tokens of `text`. A byte that no token stands for is left out, as the references do.
    pub(super) fn encode(&self, text: &str, vocabulary: &Vocabulary, ids: &mut Vec<TokenId>) {
        let composed: String;
        let text = match self.pre.composes && !text.is_ascii() {
            true => {
                composed = text.nfc().collect();
                &composed
            }
            false => text,
        };
        for word in self.pre.split(text) {
            match self.whole(word, vocabulary) {
                Some(id) => ids.push(id),
                None => self.encode_word(word, ids),
            }
        }
    }

    fn whole(&self, word: &str, vocabulary: &Vocabulary) -> Option<TokenId> {
        if !self.pre.whole_words {
            return None;
        }
        let written: String = word.bytes().map(char_of).collect();
        vocabulary.id_of_type(&written, TokenType::Normal)
    }

    fn encode_word(&self, word: &str, ids: &mut Vec<TokenId>) {
        let symbol = |(at, byte): (usize, u8)| Symbol { span: at..at + 1, id: self.bytes[usize::from(byte)] };
        let symbols = word.bytes().enumerate().map(symbol).filter(|symbol| symbol.id.is_some()).collect();
        let merged = merge_all(symbols, |a, b| self.merges.get(&(a.id?, b.id?)).copied());
        ids.extend(merged.iter().filter_map(|symbol| symbol.id));
    }
}

/// The two tokens of a merge. The first is one character at least, which may be a space.
fn parts(merge: &str, rank: u32) -> Result<(&str, &str)> {
    let first = merge.chars().next().map_or(0, char::len_utf8);
    let at = merge[first..].find(' ').map(|at| first + at);
    at.map(|at| (&merge[..at], &merge[at + 1..])).filter(|(_, right)| !right.is_empty()).ok_or_else(|| {
        Error::malformed(MERGES, format!("merge {rank}, {merge:?}"), "two tokens with a space between")
    })
}

/// The character that stands for `byte`: itself when it is printable, else the next one from U+0100 on.
const fn char_of(byte: u8) -> char {
    let code = match byte {
        0..=0x20 => 0x100 + byte as u32,
        0x7f..=0xa0 => 0x121 + (byte - 0x7f) as u32,
        0xad => 0x143,
        _ => byte as u32,
    };
    match char::from_u32(code) {
        Some(char) => char,
        None => char::REPLACEMENT_CHARACTER,
    }
}

/// The byte that `char` stands for.
fn byte_of(char: char) -> Option<u8> {
    let code = u32::from(char);
    let byte = match code {
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        _ => code,
    };
    u8::try_from(byte).ok().filter(|&byte| char_of(byte) == char)
}

/// Appends the bytes that `text` spells; a text that uses other characters stands for itself.
pub(super) fn push_bytes(text: &str, bytes: &mut Vec<u8>) {
    let before = bytes.len();
    for char in text.chars() {
        let Some(byte) = byte_of(char) else {
            bytes.truncate(before);
            bytes.extend(text.as_bytes());
            return;
        };
        bytes.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_gpt2s_and_reversible() {
        assert_eq!([0, b' ', b'!', 0x7f, 0xa0, 0xad, 0xff].map(char_of), ['Ā', 'Ġ', '!', 'ġ', 'ł', 'Ń', 'ÿ']);
        assert!((0..=255).all(|byte| byte_of(char_of(byte)) == Some(byte)));
        assert_eq!([' ', '▁', '\u{ad}', 'ń'].map(byte_of), [None; 4]);
    }

    #[test]
    fn text_outside_the_alphabet_stands_for_itself() {
        let mut bytes = b"x".to_vec();
        push_bytes("Ġa▁", &mut bytes);
        assert_eq!(bytes, "xĠa▁".as_bytes());
    }
}
