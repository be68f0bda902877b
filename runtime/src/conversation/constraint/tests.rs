//! What a guide lets pass, seen in the mask.

use std::path::Path;
use std::time::{Duration, Instant};

use lorgnette_quant::gguf::{Gguf, Metadata, Strings};
use serde_json::json;

use super::compiler::Compiler;
use super::*;
use crate::conversation::{Sampler, Sampling};

const TOKENS: [&str; 8] = ["a", "b", "ab", "Ā", "<|im_end|>", "<|im_start|>", "", "c"];
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;

/// `gpt2` spells the byte 0 as `Ā`.
fn tokenizer_of(model: &str, tokens: &[&str]) -> Tokenizer {
    let mut metadata = Metadata::new();
    metadata.set("tokenizer.ggml.model", model);
    metadata.set("tokenizer.ggml.scores", vec![0_f32; tokens.len()]);
    metadata.set("tokenizer.ggml.pre", "smollm");
    metadata.set("tokenizer.ggml.tokens", tokens.iter().copied().collect::<Strings>());
    let types = tokens.iter().map(|token| if token.starts_with("<|") { CONTROL } else { NORMAL });
    metadata.set("tokenizer.ggml.token_type", types.collect::<Vec<_>>());
    metadata.set("tokenizer.ggml.merges", Strings::from_iter([""; 0]));
    Tokenizer::from_metadata(&metadata).unwrap()
}

fn guide(lark: &str, logits: usize) -> Result<Guide> {
    Compiler::new(&tokenizer_of("gpt2", &TOKENS), logits)
        .unwrap()
        .guide(&Constraint::Grammar(lark.to_owned()))
}

fn mask(guide: &Guide, logits: &mut [f32]) {
    let allowed = guide.allowed().unwrap();
    for (token, logit) in logits.iter_mut().enumerate() {
        if allowed.get(token / 32).is_none_or(|word| word >> (token % 32) & 1 == 0) {
            *logit = f32::NEG_INFINITY;
        }
    }
}

/// The tokens that can come next; there are `logits` of them in all.
fn next(guide: &Guide, logits: usize) -> Vec<&'static str> {
    let mut values = vec![0.0; logits];
    mask(guide, &mut values);
    let kept = values.iter().enumerate().filter(|(_, value)| **value == 0.0);
    kept.map(|(token, _)| TOKENS.get(token).copied().unwrap_or("none")).collect()
}

#[test]
fn tokens_go_along_the_grammar_and_the_end_only_where_it_may() {
    let mut guide = guide("start: \"ab\" \"a\"*\n", 8).unwrap();
    assert_eq!(next(&guide, 8), ["a", "ab"]);
    assert!(!guide.push(0).unwrap());
    assert_eq!(next(&guide, 8), ["b"]);
    assert!(!guide.push(1).unwrap());
    assert_eq!(next(&guide, 8), ["a", "<|im_end|>"]);
    let error = guide.push(7).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "grammar"));
}

#[test]
fn an_answer_that_nothing_can_follow_is_complete() {
    let mut guide = guide("start: \"ab\"\n", 8).unwrap();
    assert!(guide.push(2).unwrap());
}

#[test]
fn a_grammar_that_names_ids_gets_no_control_token_and_no_early_end() {
    let any = guide("start: <[0-7]> \"a\"\n", 8).unwrap();
    assert_eq!(next(&any, 8), ["a", "b", "ab", "Ā", "c"]);
    let error = guide("start: <|im_start|> \"a\"\n", 8).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Argument);
}

#[test]
fn logits_and_tokens_need_not_be_as_many() {
    let grammar = "start: \"a\" | \"c\" | \"b\"\n";
    assert_eq!(next(&guide(grammar, 100).unwrap(), 100), ["a", "b", "c"], "logits that are no token's");
    assert_eq!(next(&guide(grammar, 3).unwrap(), 3), ["a", "b"], "tokens without a logit");
    let error = guide("start: \"c\"\n", 3).err().unwrap();
    assert_eq!(error.to_string(), "grammar: no token of the vocabulary can come next");
}

#[test]
fn a_guide_that_is_free_changes_nothing() {
    assert_eq!(Guide::free().allowed(), None);
    assert!(!Guide::free().push(7).unwrap());
}

/// The limits of the trie are met before it panics, or takes for ever.
#[test]
fn a_vocabulary_that_means_harm_is_cut_or_refused() {
    let (allowed, long) = ("a".repeat(1000), "a".repeat(1001));
    // SentencePiece has two spellings of a space, and so many of a text of spaces.
    let spaces = |n: u32| (0..16).map(|bit| if n >> bit & 1 == 0 { ' ' } else { '▁' }).collect();
    let twins: Vec<String> = (0..1 << 16).map(spaces).collect();
    let tokens: Vec<_> =
        ["a", &allowed, "</s>", &long].into_iter().chain(twins.iter().map(String::as_str)).collect();
    let tokenizer = tokenizer_of("llama", &tokens);
    let next = |regex: &str| {
        let mut logits = vec![0.0; tokens.len()];
        let compiler = Compiler::new(&tokenizer, tokens.len()).unwrap();
        mask(&compiler.guide(&Constraint::Regex(regex.to_owned())).unwrap(), &mut logits);
        (0..).zip(logits).filter(|(_, logit)| *logit == 0.0).map(|(token, _)| token).collect::<Vec<usize>>()
    };
    assert_eq!(next("a+"), [0, 1]);
    assert_eq!(next(" +"), Vec::from_iter(4..12));

    let many: Vec<_> = (0..5000).map(|i| format!("{i:0>900}")).collect();
    let tokenizer = tokenizer_of("gpt2", &many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(Compiler::new(&tokenizer, many.len()).err().unwrap().kind(), ErrorKind::Unsupported);
}

/// Microseconds, on the vocabulary of a model file or of llama.cpp's `ggml-vocab-*.gguf`:
/// `LORGNETTE_VOCABULARY=FILE cargo test -p lorgnette-runtime --lib costs -- --ignored --nocapture`
#[test]
#[ignore = "measures, and needs a file"]
#[allow(clippy::print_stdout, reason = "says what it measured")]
fn what_a_constraint_costs() {
    let path = std::env::var("LORGNETTE_VOCABULARY").unwrap();
    let tokenizer = Tokenizer::from_metadata(Gguf::open(Path::new(&path)).unwrap().metadata()).unwrap();
    let len = tokenizer.vocabulary_size();
    let start = Instant::now();
    let compiler = Compiler::new(&tokenizer, len).unwrap();
    println!("{len} tokens: trie {} ms", start.elapsed().as_millis());
    let string = json!({"type": "string"});
    let person = json!({"type": "object", "required": ["name", "age", "tags"], "properties":
        {"name": string, "age": {"type": "integer", "minimum": 0, "maximum": 150},
         "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}, "maxItems": 5}}});
    let note = json!({"type": "string", "minLength": 100, "maxLength": 300});
    let words = Constraint::Regex(r"(\w+ )+\.".into());
    for constraint in [Constraint::JsonSchema(person), Constraint::JsonSchema(note), Constraint::Json, words]
    {
        let start = Instant::now();
        let mut guide = compiler.guide(&constraint).unwrap();
        let compiled = start.elapsed();
        let mut sampler = Sampler::new(Sampling { temperature: 1.0, ..Sampling::default() });
        let mut steps = Vec::new();
        while steps.len() < 500 {
            let mut logits: Vec<f32> = (0..len).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
            let start = Instant::now();
            mask(&guide, &mut logits);
            let masked = start.elapsed();
            let token = sampler.choose(&mut logits, &[]);
            let start = Instant::now();
            if tokenizer.is_end(token) || guide.push(token).unwrap() {
                guide = compiler.guide(&constraint).unwrap();
            }
            steps.push(masked + start.elapsed());
        }
        steps.sort();
        let mean = steps.iter().sum::<Duration>() / steps.len() as u32;
        let field = constraint.field();
        println!(
            "{field}: compile {compiled:?}, a token {mean:?}, median {:?}, 99 % {:?}",
            steps[250], steps[495]
        );
    }
}
