//! From tokens to text while they arrive.

use std::sync::Arc;

use super::vocabulary::Vocabulary;
use crate::TokenId;

/// Turns tokens into text one by one. A character may be spread over several tokens, so text comes out when it is
/// whole; bytes that are no UTF-8 come out as U+FFFD, as [`String::from_utf8_lossy`] would have them in the whole.
///
/// Tokens that are not text, such as control tokens, come out as nothing. The space that SentencePiece puts before
/// every text does not come out.
#[derive(Clone)]
pub struct Decoder {
    vocabulary: Arc<Vocabulary>,
    /// Bytes of a character that is not complete.
    pending: Vec<u8>,
    /// Whether the next text has a space before it that is not part of it.
    skips_space: bool,
}

impl Decoder {
    pub(super) fn new(vocabulary: Arc<Vocabulary>, skips_space: bool) -> Self {
        Self { vocabulary, pending: Vec::new(), skips_space }
    }

    /// The text that `token` completes, if any. An id that is not in the vocabulary stands for nothing.
    pub fn push(&mut self, token: TokenId) -> Option<String> {
        let start = self.pending.len();
        self.vocabulary.push_bytes(token, &mut self.pending);
        if self.pending.len() > start && std::mem::take(&mut self.skips_space) {
            let space = self.vocabulary.starts_with_space(token);
            self.pending.drain(start..start + usize::from(space));
        }
        let text = self.take_complete();
        (!text.is_empty()).then_some(text)
    }

    /// What is left when no more tokens come: a character that was not completed is U+FFFD.
    pub fn finish(self) -> Option<String> {
        (!self.pending.is_empty()).then(|| String::from_utf8_lossy(&self.pending).into_owned())
    }

    /// Takes all but the start of a character that further bytes may complete.
    fn take_complete(&mut self) -> String {
        let open = self.pending.utf8_chunks().last().map_or(0, |chunk| open_len(chunk.invalid()));
        let rest = self.pending.split_off(self.pending.len() - open);
        let complete = std::mem::replace(&mut self.pending, rest);
        String::from_utf8(complete).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }
}

/// How many bytes of an invalid end are the start of a character: all or none.
fn open_len(invalid: &[u8]) -> usize {
    match std::str::from_utf8(invalid) {
        Err(e) if e.error_len().is_none() => invalid.len(),
        _ => 0,
    }
}
