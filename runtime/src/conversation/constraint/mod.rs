//! Holds an answer to a form: at each step, the tokens that cannot go on to it are taken from the sampler.
//!
//! The work is llguidance's: it compiles the form to a lexer of derivatives and an Earley parser, and walks a trie of
//! the vocabulary along it (<https://github.com/guidance-ai/llguidance>). Nothing is ever fetched: a schema that refers
//! to another document is refused.

mod compiler;
mod limits;

use std::fmt::Display;
use std::sync::Arc;

use llguidance::Matcher;
use llguidance::api::StopReason;
use llguidance::toktrie::SimpleVob;
use serde_json::Value;

pub(super) use self::compiler::LazyCompiler;
use crate::model::tokenizer::{Decoder, Tokenizer};
use crate::{Error, ErrorKind, Result, TokenId};

/// Characters of llguidance's messages that are passed on: they quote whole grammars.
const LONGEST_REASON: usize = 400;

/// The form of an answer. An answer that ends with [`Finish::End`](super::Finish::End) has it; one that is cut off
/// (by a stop string, by its length, by a full context) is the beginning of one that has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// JSON that fits this JSON Schema (draft 2020-12 and before). `$ref` reaches what is in the schema itself, and
    /// keywords that cannot be held, such as `not`, are refused. Keys come in the order of the schema, with at most one
    /// space between the parts, so that a model cannot fill its answer with blanks; `x-guidance` in the schema sets
    /// another `whitespace_pattern`.
    JsonSchema(Value),
    /// Any JSON object.
    Json,
    /// A grammar in [llguidance's Lark](https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md).
    Grammar(String),
    /// A regular expression in the syntax of the crate `regex`, without look-around; the whole answer matches it.
    Regex(String),
}

impl Constraint {
    /// What errors call it.
    fn field(&self) -> &'static str {
        match self {
            Self::JsonSchema(_) => "JSON schema",
            Self::Json => "JSON",
            Self::Grammar(_) => "grammar",
            Self::Regex(_) => "regex",
        }
    }
}

/// Follows one answer through its constraint, or lets everything pass.
pub(super) struct Guide(Option<Held>);

/// An answer that is held to a constraint.
struct Held {
    field: &'static str,
    matcher: Matcher,
    sets: Arc<TokenSets>,
    /// The tokens that can come next.
    allowed: SimpleVob,
}

/// Tokens of a vocabulary.
struct TokenSets {
    /// Those that stand for text.
    text: SimpleVob,
    /// Those that end an answer.
    ends: SimpleVob,
}

impl Guide {
    /// Lets everything pass.
    pub(super) fn free() -> Self {
        Self(None)
    }

    /// A decoder for the answer. What a constraint sees is what is shown: also the space that SentencePiece puts first.
    pub(super) fn decoder(&self, tokenizer: &Tokenizer) -> Decoder {
        if self.0.is_some() { tokenizer.exact_decoder() } else { tokenizer.decoder() }
    }

    /// The tokens that can come next, if not all: token `i` is bit `i % 32` of word `i / 32`.
    pub(super) fn allowed(&self) -> Option<&[u32]> {
        self.0.as_ref().map(|held| held.allowed.as_slice())
    }

    /// Goes on behind `token`, which was chosen. Whether the answer is then complete, and nothing can follow.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when `token` could not come next, no token can follow it, or finding out costs too much.
    pub(super) fn push(&mut self, token: TokenId) -> Result<bool> {
        let Some(held) = &mut self.0 else { return Ok(false) };
        held.matcher.consume_token(token).map_err(|e| refusal(held.field, e))?;
        let complete = held.matcher.is_stopped();
        if !complete {
            held.look_ahead()?;
        }
        Ok(complete)
    }
}

impl Held {
    /// At the start of an answer.
    fn new(field: &'static str, matcher: Matcher, sets: Arc<TokenSets>) -> Result<Self> {
        let mut held = Self { field, matcher, sets, allowed: SimpleVob::new() };
        held.look_ahead()?;
        Ok(held)
    }

    fn look_ahead(&mut self) -> Result<()> {
        let dead_end = "no token of the vocabulary can come next";
        self.allowed = self.matcher.compute_mask().map_err(|e| {
            let reason = e.to_string();
            let ends = reason.starts_with(&StopReason::NoExtensionBias.to_string());
            refusal(self.field, if ends { dead_end } else { &reason })
        })?;
        // A grammar can name tokens by their ids: those that are not text stay out, ends have their place at the end.
        self.allowed.and(&self.sets.text);
        if self.matcher.is_accepting().map_err(|e| refusal(self.field, e))? {
            self.allowed.or(&self.sets.ends);
        }
        if self.allowed.is_zero() { Err(refusal(self.field, dead_end)) } else { Ok(()) }
    }
}

/// The error that llguidance's `reason` makes: one line of bounded length.
fn refusal(field: &str, reason: impl Display) -> Error {
    let reason = reason.to_string();
    // What follows is the state of the parser, or a backtrace.
    let lines = reason.split("\n<").next().unwrap_or_default().split_whitespace();
    let line = lines.collect::<Vec<_>>().join(" ");
    Error::new(ErrorKind::Argument, field, line.chars().take(LONGEST_REASON).collect::<String>())
}

#[cfg(test)]
mod tests;
