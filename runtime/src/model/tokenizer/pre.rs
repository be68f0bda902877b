//! Pre-tokenizers: how a text is cut into the words that merges do not cross.
//!
//! Each is a few stages; a stage cuts the pieces of the one before at the matches of an expression, and what lies
//! between matches is a piece too. The expressions are those of llama.cpp's `llm_tokenizer_bpe`, which are those of
//! the `tokenizer.json` of each family.

use lorgnette_quant::{Error, ErrorKind, Result};
use regex_automata::Input;
use regex_automata::meta::Regex;

/// GPT-2's expression, less what it does with white space.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+";

/// Llama 3's expression with the most digits in one piece, less what it does with white space.
macro_rules! llama3 {
    ($digits:literal) => {
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
            $digits,
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        )
    };
}

/// A cut by `Words`, the expression followed by `\s+(?!\S)|\s+`, or by the expression alone.
#[derive(Clone, Copy)]
enum Cut {
    Words(&'static str),
    Matches(&'static str),
}

/// Names that share a row mean the same.
struct Known {
    names: &'static [&'static str],
    cuts: &'static [Cut],
    /// The families whose tokenizers compose characters (NFC) first. GGUF has no key for it.
    composes: bool,
    /// The families that take a word that is a token whole, whatever the merges would make of it.
    whole_words: bool,
}

const KNOWN: [Known; 5] = [
    Known {
        names: &["llama-bpe", "llama3", "llama-v3"],
        cuts: &[Cut::Words(llama3!("{1,3}"))],
        composes: false,
        whole_words: true,
    },
    Known { names: &["qwen2"], cuts: &[Cut::Words(llama3!(""))], composes: true, whole_words: false },
    Known {
        names: &["smollm"],
        cuts: &[Cut::Matches(r"\p{N}"), Cut::Words(GPT2)],
        composes: false,
        whole_words: false,
    },
    Known { names: &["gpt-2"], cuts: &[Cut::Words(GPT2)], composes: false, whole_words: false },
    Known {
        names: &["default"],
        cuts: &[
            Cut::Matches(r"[\p{P}\$\+<=>\^~\|]+"),
            Cut::Words(GPT2),
            Cut::Matches(r"\p{N}+"),
            Cut::Matches("[0-9][0-9][0-9]"),
        ],
        composes: false,
        whole_words: false,
    },
];

/// The pattern of a stage that stands for `\s+(?!\S)|\s+`.
const WHITE_SPACE: usize = 1;

/// A compiled pre-tokenizer.
pub(super) struct PreTokenizer {
    stages: Vec<Regex>,
    /// Whether the text is to be composed (NFC) before it is cut.
    pub(super) composes: bool,
    /// Whether a word that is a token is taken whole.
    pub(super) whole_words: bool,
}

impl PreTokenizer {
    /// The pre-tokenizer that `tokenizer.ggml.pre` calls `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] with the names that are known.
    pub(super) fn new(name: &str) -> Result<Self> {
        let unsupported = |detail: String| Error::new(ErrorKind::Unsupported, "tokenizer.ggml.pre", detail);
        let known = KNOWN.iter().find(|known| known.names.contains(&name)).ok_or_else(|| {
            let names: Vec<&str> = KNOWN.iter().flat_map(|known| known.names).copied().collect();
            unsupported(format!("found {name:?}, expected one of {}", names.join(", ")))
        })?;
        let compile = |cut: &Cut| {
            let regex = match cut {
                Cut::Words(expression) => Regex::new_many(&[expression, r"\s+"]),
                Cut::Matches(expression) => Regex::new(expression),
            };
            regex.map_err(|e| unsupported(format!("{name:?}: {e}")))
        };
        let stages = known.cuts.iter().map(compile).collect::<Result<_>>()?;
        Ok(Self { stages, composes: known.composes, whole_words: known.whole_words })
    }

    /// Whether llama.cpp adds a start token for this name when the file does not say.
    pub(super) fn adds_bos(&self) -> bool {
        self.whole_words
    }

    /// The pieces of `text` in order; together they are the text.
    pub(super) fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        self.stages.iter().fold(vec![text], |pieces, stage| {
            let mut finer = Vec::with_capacity(pieces.len());
            pieces.into_iter().for_each(|piece| cut(stage, piece, &mut finer));
            finer
        })
    }
}

fn cut<'t>(stage: &Regex, text: &'t str, pieces: &mut Vec<&'t str>) {
    let mut at = 0;
    while let Some(found) = stage.search(&Input::new(text).range(at..)) {
        let mut end = found.end();
        if found.pattern().as_usize() == WHITE_SPACE {
            end = leave_one_space(text, found.start(), end);
        }
        pieces.extend([&text[at..found.start()], &text[found.start()..end]].iter().filter(|p| !p.is_empty()));
        at = end;
    }
    pieces.extend((at < text.len()).then(|| &text[at..]));
}

/// Where `\s+(?!\S)|\s+` ends, given where `\s+` does: the last of several spaces goes with the word behind them.
fn leave_one_space(text: &str, start: usize, end: usize) -> usize {
    match text[start..end].char_indices().next_back() {
        Some((last, _)) if last > 0 && end < text.len() => start + last,
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
        PreTokenizer::new(name).unwrap().split(text)
    }

    #[test]
    fn the_last_of_several_spaces_goes_with_the_word() {
        assert_eq!(split("gpt-2", "a   b  "), ["a", "  ", " b", "  "]);
        assert_eq!(split("llama3", "a \n  b\t\u{a0}c"), ["a", " \n", " ", " b", "\t", "\u{a0}c"]);
    }

    #[test]
    fn digits_stand_alone_in_threes_or_together() {
        assert_eq!(split("smollm", "a 1234"), ["a", " ", "1", "2", "3", "4"]);
        assert_eq!(split("llama-bpe", "a 1234"), ["a", " ", "123", "4"]);
        assert_eq!(split("gpt-2", "a 1234"), ["a", " 1234"]);
        assert_eq!(split("default", "x 12345 $(y)"), ["x", " ", "123", "45", " ", "$(", "y", ")"]);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = PreTokenizer::new("tekken").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("\"tekken\"") && error.to_string().contains("smollm"), "{error}");
    }
}
