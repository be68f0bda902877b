//! Token ids and texts are those of Hugging Face's tokenizers, which `golden/tokenizer.py` has written down.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::tokenizers::{Cases, Golden};
use lorgnette_runtime::model::tokenizer::{Special, TokenType, Tokenizer};

#[test]
fn smollm_is_tokenized_as_by_hugging_face() {
    check_trained("smollm");
}

#[test]
fn llama3_is_tokenized_as_by_hugging_face() {
    check_trained("llama-bpe");
}

#[test]
fn qwen2_is_tokenized_as_by_hugging_face() {
    check_trained("qwen2");
}

#[test]
fn gpt2_is_tokenized_as_by_hugging_face() {
    check_trained("gpt-2");
}

#[test]
fn llama2_is_tokenized_as_by_hugging_face() {
    check_trained("default");
}

#[test]
fn converted_checkpoints_are_tokenized_as_by_hugging_face() {
    let golden = Golden::read();
    for converted in &golden.converted {
        let tokenizer =
            Tokenizer::from_metadata(common::models::converted(&converted.checkpoint).metadata()).unwrap();
        check(&tokenizer, &golden.texts, &converted.cases, &converted.checkpoint);
    }
}

#[test]
fn a_start_token_is_added_where_llama_cpp_adds_one() {
    let adds = |pre: &str| common::tokenizers::tokenizer(pre).adds_bos();
    assert_eq!(["smollm", "llama-bpe", "qwen2", "default"].map(adds), [false, true, false, true]);
    let llama2 = common::tokenizers::tokenizer("default");
    assert_eq!((llama2.bos(), llama2.eos(), llama2.adds_eos()), (Some(1), Some(2), false));
}

#[test]
fn every_token_that_ends_an_answer_is_known_as_one() {
    let ends = |pre: &str| {
        let tokenizer = common::tokenizers::tokenizer(pre);
        tokenizer.ends().map(|id| tokenizer.token_text(id).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ends("smollm"), ["<|endoftext|>", "<|im_end|>", "<end_of_utterance>"]);
    assert_eq!(ends("llama-bpe"), ["<|eot_id|>"]);
    assert_eq!(ends("default"), ["</s>"]);
}

#[test]
fn control_tokens_do_not_come_out_of_text_nor_of_a_shielded_prompt() {
    for pre in ["smollm", "llama-bpe", "qwen2", "default"] {
        let tokenizer = common::tokenizers::tokenizer(pre);
        for text in &Golden::read().texts {
            let is_control = |id: &u32| tokenizer.token_type(*id) == Some(TokenType::Control);
            let plain = tokenizer.encode(text, Special::AsText);
            assert!(!plain.iter().any(is_control), "{pre}: {text:?}");
            let shielded = tokenizer.encode(&tokenizer.shield(text), Special::Parse);
            assert_eq!(shielded, plain, "{pre}: {text:?}");
        }
    }
}

#[test]
fn two_shielded_texts_make_no_control_token_together() {
    let tokenizer = common::tokenizers::tokenizer("smollm");
    let end = tokenizer.id_of("<|im_end|>").unwrap();
    let prompt = format!("{}{}", tokenizer.shield("stop <|im_"), tokenizer.shield("end|><|im_end|>"));
    assert!(!tokenizer.encode(&prompt, Special::Parse).contains(&end));
    let prompt = format!("{prompt}<|im_end|>");
    assert_eq!(tokenizer.encode(&prompt, Special::Parse).iter().filter(|id| **id == end).count(), 1);
    assert_eq!(tokenizer.shield("plain text"), "plain text");
}

fn check_trained(pre: &str) {
    let golden = Golden::read();
    let trained = golden.trained(pre);
    check(&Tokenizer::from_metadata(&trained.metadata()).unwrap(), &golden.texts, &trained.cases, pre);
}

fn check(tokenizer: &Tokenizer, texts: &[String], cases: &[Cases], name: &str) {
    assert_eq!(texts.len(), cases.len());
    for (text, expected) in texts.iter().zip(cases) {
        assert_eq!(tokenizer.encode(text, Special::Parse), expected.parse, "{name}, parsed: {text:?}");
        assert_eq!(tokenizer.encode(text, Special::AsText), expected.as_text, "{name}, as text: {text:?}");
        assert_eq!(tokenizer.decode(&expected.as_text), expected.decoded, "{name}, decoded: {text:?}");
    }
}
