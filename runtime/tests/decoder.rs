//! Language models say what Hugging Face transformers says: `golden/decoder.json`, made by the script beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::models::converted;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::decoder::{Decoder, Sequence, Wanted};
use lorgnette_runtime::{ErrorKind, TokenId};
use serde_json::Value;

/// How far a logit may be from the reference's: both sum in f32, in different orders.
const F32_TOLERANCE: f32 = 2e-5;

/// How far a logit may be from that of keys and values in f32.
const F16_TOLERANCE: f32 = 2e-3;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/decoder.json")).unwrap()
}

fn numbers<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(read).collect()
}

fn ids(value: &Value) -> Vec<TokenId> {
    numbers(value, |v| v.as_u64().unwrap() as TokenId)
}

fn load(name: &str) -> Decoder<Cpu> {
    Decoder::load(Cpu, &converted(name)).unwrap()
}

fn argmax(logits: &[f32]) -> TokenId {
    let largest = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
    largest.0 as TokenId
}

#[test]
fn logits_are_the_references() {
    let golden = golden();
    let tokens = ids(&golden["tokens"]);
    for (name, case) in golden["models"].as_object().unwrap() {
        let model = load(name);
        let logits = model.forward(&mut model.exact_sequence(64).unwrap(), &tokens, Wanted::All).unwrap();
        let rows: Vec<_> = logits.chunks(model.config().vocabulary).collect();
        for (position, expected) in ids(&golden["positions"]).iter().zip(case["rows"].as_array().unwrap()) {
            let expected = numbers(expected, |v| v.as_f64().unwrap() as f32);
            let furthest = rows[*position as usize]
                .iter()
                .zip(&expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(furthest < F32_TOLERANCE, "{name}, position {position}: {furthest}");
        }
    }
}

#[test]
fn greedy_continuations_are_the_references() {
    let golden = golden();
    for (name, case) in golden["models"].as_object().unwrap() {
        let model = load(name);
        let mut sequence = model.exact_sequence(64).unwrap();
        let mut next = ids(&golden["tokens"]);
        let mut made = Vec::new();
        for _ in 0..case["greedy"].as_array().unwrap().len() {
            let token = argmax(&model.forward(&mut sequence, &next, Wanted::Last).unwrap());
            made.push(token);
            next = vec![token];
        }
        assert_eq!(made, ids(&case["greedy"]), "{name}");
    }
}

#[test]
fn keys_and_values_in_f16_are_half_as_large_and_change_little() {
    let golden = golden();
    let tokens = ids(&golden["tokens"]);
    for name in golden["models"].as_object().unwrap().keys() {
        let model = load(name);
        let exact = model.forward(&mut model.exact_sequence(64).unwrap(), &tokens, Wanted::All).unwrap();
        let halved = model.forward(&mut model.sequence(64).unwrap(), &tokens, Wanted::All).unwrap();
        let furthest = exact.iter().zip(&halved).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest > 0.0 && furthest < F16_TOLERANCE, "{name}: {furthest}");
        let config = model.config();
        assert_eq!(model.kv_bytes(10), 10 * config.layers * 2 * config.heads.kv_count * config.heads.len * 2);
    }
}

#[test]
fn a_sequence_in_pieces_is_the_sequence() {
    let golden = golden();
    let tokens = ids(&golden["tokens"]);
    let model = load("qwen3-0.6b");
    let whole = model.forward(&mut model.sequence(64).unwrap(), &tokens, Wanted::Last).unwrap();
    for cut in 1..tokens.len() {
        let mut sequence = model.sequence(tokens.len()).unwrap();
        // What is forgotten must leave no trace.
        model.forward(&mut sequence, &[9, 8, 7], Wanted::Last).unwrap();
        sequence.truncate(0);
        model.forward(&mut sequence, &tokens[..cut], Wanted::Last).unwrap();
        let last = model.forward(&mut sequence, &tokens[cut..], Wanted::Last).unwrap();
        assert_eq!(last, whole, "cut at {cut}");
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let model = load("qwen3-0.6b");
    let mut sequence = model.sequence(4).unwrap();
    model.forward(&mut sequence, &[1, 2, 3], Wanted::Last).unwrap();
    for wrong in [&[][..], &[4, 5], &[1_000_000]] {
        let error = model.forward(&mut sequence, wrong, Wanted::Last).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "tokens"));
    }
    assert_eq!(sequence.len(), 3);
    assert_eq!(model.sequence(1 << 40).err().unwrap().kind(), ErrorKind::Argument);
}

#[test]
fn several_sequences_in_one_pass_are_each_as_if_alone() {
    for name in ["qwen3-0.6b", "Llama-3.2-tiny-Instruct", "SmolVLM2-tiny-Video-Instruct"] {
        let model = load(name);
        let beginnings: [&[TokenId]; 3] = [&[3, 1, 4, 1, 5], &[9, 2], &[6]];
        let begin = |tokens: &&[TokenId]| {
            let mut sequence = model.sequence(16).unwrap();
            model.forward(&mut sequence, tokens, Wanted::Last).unwrap();
            sequence
        };
        let mut alone = beginnings.each_ref().map(begin);
        let mut together = alone.each_ref().map(|sequence| model.branch(sequence, 12).unwrap());
        for tokens in [[7, 8, 9], [1, 1, 2]] {
            let mut sequences: Vec<_> = together.iter_mut().collect();
            let logits = model.advance_each(&mut sequences, &tokens).unwrap();
            let logits = model.backend().download(logits).unwrap();
            for (i, row) in logits.chunks(model.config().vocabulary).enumerate() {
                let expected = model.forward(&mut alone[i], &tokens[i..=i], Wanted::Last).unwrap();
                let furthest = row.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(furthest < F32_TOLERANCE, "{name}, sequence {i}: {furthest}");
            }
        }
        assert_eq!(together.each_ref().map(Sequence::len), [7, 4, 3]);
    }
}

#[test]
fn a_pass_of_several_sequences_that_cannot_be_changes_none() {
    let model = load("qwen3-0.6b");
    let mut full = model.sequence(2).unwrap();
    model.forward(&mut full, &[1, 2], Wanted::Last).unwrap();
    let mut free = model.branch(&full, 9).unwrap();
    let too_many = model.config().vocabulary as TokenId;
    for tokens in [&[1, 1][..], &[1], &[1, too_many], &[]] {
        let error = model.advance_each(&mut [&mut free, &mut full], tokens).err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "tokens"));
    }
    assert!(model.advance_each(&mut [], &[]).is_err());
    assert_eq!((free.len(), full.len()), (2, 2));
    assert!(model.branch(&free, 1).is_err(), "no room for what it has");
}
