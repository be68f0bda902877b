//! Compiles constraints for the vocabulary of one model.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::thread;

use llguidance::api::{GrammarWithLexer, TopLevelGrammar};
use llguidance::toktrie::{
    ApproximateTokEnv, INVALID_TOKEN, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie,
};
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value, json};

use super::{Constraint, Guide, Held, TokenSets, limits, refusal};
use crate::model::tokenizer::Tokenizer;
use crate::{Error, ErrorKind, Result, TokenId};

/// Bytes of a token at most: the trie has no room for longer ones, and they are never chosen.
const LONGEST_TOKEN: usize = 1000;
/// Tokens of the same bytes that can be chosen. A byte that is a character has two; a file that means harm has many,
/// and the trie is slow with them.
const MOST_TWINS: usize = 8;
/// Bytes of all tokens together that the trie has room for.
const LARGEST_TRIE: usize = 1 << 22;
/// Tokens that are looked at together, as most of a vocabulary is in a JSON string.
const SLICE: &str = r#"[^"\\\x00-\x1F\x7F]{1,10}"#;
/// Room for the recursion of llguidance on whatever [`limits`] lets through; memory that is not used is not taken.
const STACK: usize = 128 << 20;

/// The compiler of a model, made when the first answer needs it.
#[derive(Default)]
pub(in crate::conversation) struct LazyCompiler(OnceLock<Compiler>);

impl LazyCompiler {
    /// As [`Compiler::new`] and [`Compiler::guide`].
    pub(in crate::conversation) fn guide(
        &self,
        constraint: &Constraint,
        tokenizer: &Tokenizer,
        len: usize,
    ) -> Result<Guide> {
        if let Some(compiler) = self.0.get() {
            return compiler.guide(constraint);
        }
        let compiler = Compiler::new(tokenizer, len)?;
        self.0.get_or_init(|| compiler).guide(constraint)
    }
}

/// The trie of a vocabulary, and what compiles grammars for it.
pub(super) struct Compiler {
    factory: ParserFactory,
    sets: Arc<TokenSets>,
}

impl Compiler {
    /// A compiler for the tokens of `tokenizer` that are below `len`, the number of logits.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the vocabulary is too large.
    pub(super) fn new(tokenizer: &Tokenizer, len: usize) -> Result<Self> {
        let unsupported =
            |detail: String| Error::new(ErrorKind::Unsupported, "tokenizer.ggml.tokens", detail);
        let words = words(tokenizer, tokenizer.vocabulary_size().min(len));
        let bytes: usize = words.iter().map(Vec::len).sum();
        if bytes >= LARGEST_TRIE || words.len() >= LARGEST_TRIE {
            return Err(unsupported(format!(
                "found {bytes} bytes, expected less than {LARGEST_TRIE} for constrained answers"
            )));
        }
        let ends: Vec<_> = tokenizer.ends().filter(|&end| (end as usize) < words.len()).collect();
        let info = TokRxInfo::new(words.len() as u32, INVALID_TOKEN);
        let mut trie = TokTrie::from(&info, &words);
        if !ends.is_empty() {
            trie = trie.with_eos_tokens(&ends);
        }
        let sets = token_sets(&trie, &words, &ends);
        // Not canonical: no tokens are forced, the model chooses how a text is cut.
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new(&env, InferenceCapabilities::default(), &[SLICE.to_owned()])
            .map_err(|e| unsupported(e.to_string()))?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        Ok(Self { factory, sets: Arc::new(sets) })
    }

    /// What follows one answer through `constraint`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when it does not compile, or not within bounds.
    pub(super) fn guide(&self, constraint: &Constraint) -> Result<Guide> {
        let field = constraint.field();
        limits::check(constraint)?;
        let compile = || Matcher::new(self.factory.create_parser(grammar(constraint)));
        let matcher = thread::scope(|scope| {
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, compile)?;
            thread.join().map_err(|_| std::io::Error::other("panicked"))
        });
        let matcher = matcher.map_err(|e| Error::io("compile a constraint", e))?;
        match matcher.get_error() {
            Some(reason) => Err(refusal(field, reason)),
            None => Ok(Guide(Some(Held::new(field, matcher, self.sets.clone())?))),
        }
    }
}

/// The bytes of the first `len` tokens in the trie; none for those that are not text, or that it has no room for.
fn words(tokenizer: &Tokenizer, len: usize) -> Vec<Vec<u8>> {
    let mut twins = HashMap::new();
    let word = |token| {
        let bytes = tokenizer.token_bytes(token);
        let twins = twins.entry(bytes.clone()).or_insert(0);
        *twins += 1;
        let out = tokenizer.is_end(token) || bytes.len() > LONGEST_TOKEN || *twins > MOST_TWINS;
        if out { Vec::new() } else { bytes }
    };
    (0..).take(len).map(word).collect()
}

fn token_sets(trie: &TokTrie, words: &[Vec<u8>], ends: &[TokenId]) -> TokenSets {
    let mut text = trie.alloc_token_set();
    for (token, word) in (0..).zip(words) {
        // 0xFF is in no text; in the trie it marks tokens that a grammar names.
        if !word.is_empty() && !word.contains(&TokTrie::SPECIAL_TOKEN_MARKER) {
            text.allow_token(token);
        }
    }
    let mut end = trie.alloc_token_set();
    ends.iter().for_each(|&token| end.allow_token(token));
    TokenSets { text, ends: end }
}

fn grammar(constraint: &Constraint) -> TopLevelGrammar {
    let grammar = match constraint {
        Constraint::JsonSchema(schema) => GrammarWithLexer::from_json_schema(compact(schema.clone())),
        Constraint::Json => GrammarWithLexer::from_json_schema(compact(json!({"type": "object"}))),
        Constraint::Grammar(lark) => GrammarWithLexer::from_lark(lark.clone()),
        Constraint::Regex(regex) => GrammarWithLexer::from_regex(regex),
    };
    TopLevelGrammar::from_grammar(grammar)
}

/// With at most one space between the parts, unless the schema says otherwise.
fn compact(mut schema: Value) -> Value {
    if let Value::Object(keys) = &mut schema {
        keys.entry("x-guidance").or_insert_with(|| json!({"whitespace_pattern": " "}));
    }
    schema
}
