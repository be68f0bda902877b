//! Tokens that are found in a text before it is cut into words: the longest of the leftmost.

use std::borrow::Cow;
use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use lorgnette_quant::{Error, Result};

use super::Special;
use super::vocabulary::{TokenType, Vocabulary};
use crate::TokenId;

/// Set inside the text of a control token, so that it is not found there. A noncharacter of Unicode.
pub(super) const GUARD: char = '\u{fdd0}';

/// An automaton over the texts of tokens.
pub(super) struct Matcher {
    automaton: AhoCorasick,
    ids: Vec<TokenId>,
}

impl Matcher {
    /// User-defined tokens, and with [`Special::Parse`] control tokens and the unknown token.
    pub(super) fn new(vocabulary: &Vocabulary, special: Special) -> Result<Self> {
        let is_found = |ty| match ty {
            TokenType::UserDefined => true,
            TokenType::Control | TokenType::Unknown => special == Special::Parse,
            TokenType::Normal | TokenType::Unused | TokenType::Byte => false,
        };
        let tokens = vocabulary.iter().filter(|(_, text, ty)| !text.is_empty() && is_found(*ty));
        let (ids, texts): (Vec<TokenId>, Vec<&str>) = tokens.map(|(id, text, _)| (id, text)).unzip();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&texts)
            .map_err(|e| Error::malformed("tokenizer.ggml.tokens", e, "fewer or shorter special tokens"))?;
        Ok(Self { automaton, ids })
    }

    /// Where tokens stand in `text`, from left to right.
    pub(super) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (Range<usize>, TokenId)> + 'a {
        self.automaton.find_iter(text).map(|found| (found.range(), self.ids[found.pattern()]))
    }

    /// `text` with a mark inside each control token, and behind the start of one that what follows may complete. A
    /// token of one character cannot be broken and is left out.
    pub(super) fn shield<'t>(&self, text: &'t str, vocabulary: &Vocabulary) -> Cow<'t, str> {
        let is_hidden = |id: TokenId| vocabulary.token_type(id) != Some(TokenType::UserDefined);
        let plain: Cow<'t, str> = match text.contains(GUARD) {
            true => text.replace(GUARD, "").into(),
            false => text.into(),
        };
        let mut shielded = String::new();
        let mut at = 0;
        // Tokens may overlap: after one is broken, the search goes on behind its first character.
        while let Some(found) = self.automaton.find(Input::new(&*plain).range(at..)) {
            let first = plain[found.start()..].chars().next().map_or(0, char::len_utf8);
            let hidden = is_hidden(self.ids[found.pattern()]);
            let broken = found.start() + first;
            match hidden {
                true if broken == found.end() => shielded.push_str(&plain[at..found.start()]),
                true => shielded.extend([&plain[at..broken], GUARD.encode_utf8(&mut [0; 4])]),
                false => shielded.push_str(&plain[at..found.end()]),
            }
            at = if hidden { broken } else { found.end() };
        }
        let mut hidden = self.ids.iter().filter(|id| is_hidden(**id));
        let open = hidden.any(|id| vocabulary.text(*id).is_some_and(|token| ends_inside(&plain, token)));
        if at == 0 && !open {
            return plain;
        }
        shielded.push_str(&plain[at..]);
        shielded.extend(open.then_some(GUARD));
        shielded.into()
    }
}

/// Whether the end of `text` is the start of `token`, and not all of it.
pub(super) fn ends_inside(text: &str, token: &str) -> bool {
    token.char_indices().skip(1).any(|(at, _)| text.ends_with(&token[..at]))
}
