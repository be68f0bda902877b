//! SentencePiece's BPE: merges by the score of what they make, spaces as U+2581, and bytes for what has no token.
//!
//! llama.cpp's `llm_tokenizer_spm_session` is the reference, with one difference: only normal tokens are made by
//! merging, so that nothing that is typed becomes a control token.

use lorgnette_quant::gguf::Metadata;
use lorgnette_quant::{Error, Result};

use super::merge::{Merge, Symbol, merge_all};
use super::vocabulary::{TokenType, Vocabulary, byte_of, check_len};
use crate::TokenId;

const SCORES: &str = "tokenizer.ggml.scores";

/// Scores, bytes and the space before the text.
pub(super) struct SentencePiece {
    /// The place of each token's score among all scores, the best first; equal scores share one.
    ranks: Vec<u32>,
    /// The token of each byte.
    bytes: [Option<TokenId>; 256],
    /// What stands for a byte that has no token.
    unknown: Option<TokenId>,
    /// Bytes of the longest token: no longer text needs to be looked up.
    longest: usize,
    /// Whether a text starts with a space that is not in it.
    pub(super) adds_space: bool,
}

impl SentencePiece {
    /// Reads the scores.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](lorgnette_quant::ErrorKind) when there is not one number for each token.
    pub(super) fn from_metadata(metadata: &Metadata, vocabulary: &Vocabulary) -> Result<Self> {
        let scores: &[f32] = metadata.require(SCORES)?;
        check_len(SCORES, scores.len(), vocabulary.len())?;
        let mut bytes = [None; 256];
        for (id, text, ty) in vocabulary.iter() {
            if let (TokenType::Byte, Some(byte)) = (ty, byte_of(text)) {
                bytes[usize::from(byte)].get_or_insert(id);
            }
        }
        Ok(Self {
            ranks: ranks(scores)?,
            bytes,
            unknown: vocabulary.iter().find(|(_, _, ty)| *ty == TokenType::Unknown).map(|(id, ..)| id),
            longest: vocabulary.iter().map(|(_, text, _)| text.len()).max().unwrap_or(0),
            adds_space: metadata.get("tokenizer.ggml.add_space_prefix")?.unwrap_or(true),
        })
    }

    /// Appends the tokens of `text`, which lies between two special tokens or ends of the whole.
    pub(super) fn encode(&self, text: &str, vocabulary: &Vocabulary, ids: &mut Vec<TokenId>) {
        if text.is_empty() {
            return;
        }
        let prefix = if self.adds_space { "▁" } else { "" };
        let text = format!("{prefix}{}", text.replace(' ', "▁"));
        let id_of = |span: &str| vocabulary.id_of_type(span, TokenType::Normal);
        let symbol = |(at, char): (usize, char)| {
            let span = at..at + char.len_utf8();
            Symbol { id: id_of(&text[span.clone()]), span }
        };
        let join = |a: &Symbol, b: &Symbol| {
            let span = a.span.start..b.span.end;
            let id = (span.len() <= self.longest).then(|| id_of(&text[span])).flatten()?;
            Some(Merge { rank: *self.ranks.get(id as usize)?, id })
        };
        for symbol in merge_all(text.char_indices().map(symbol).collect(), join) {
            match symbol.id {
                Some(id) => ids.push(id),
                None => self.encode_bytes(text[symbol.span].as_bytes(), ids),
            }
        }
    }

    fn encode_bytes(&self, bytes: &[u8], ids: &mut Vec<TokenId>) {
        let of_byte = |byte: &u8| self.bytes[usize::from(*byte)];
        match bytes.iter().map(of_byte).collect::<Option<Vec<_>>>() {
            Some(tokens) => ids.extend(tokens),
            None => ids.extend(self.unknown),
        }
    }
}

fn ranks(scores: &[f32]) -> Result<Vec<u32>> {
    if let Some((id, score)) = scores.iter().enumerate().find(|(_, score)| score.is_nan()) {
        return Err(Error::malformed(SCORES, format!("{score} for token {id}"), "a number"));
    }
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    sorted.dedup();
    let rank = |score: &f32| sorted.partition_point(|other| other > score) as u32;
    Ok(scores.iter().map(rank).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_share_a_rank_and_the_best_is_first() {
        assert_eq!(ranks(&[-1.0, 0.0, -0.0, -3.0, f32::INFINITY]).unwrap(), [2, 1, 1, 3, 0]);
        assert_eq!(ranks(&[0.0, f32::NAN]).unwrap_err().field(), SCORES);
    }
}
