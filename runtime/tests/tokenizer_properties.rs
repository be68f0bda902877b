//! What holds for every text, every sequence of tokens and every broken file.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::LazyLock;

use lorgnette_quant::gguf::{Metadata, Strings, Value};
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::model::tokenizer::{Special, Tokenizer};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

const FAMILIES: [&str; 5] = ["smollm", "llama-bpe", "qwen2", "gpt-2", "default"];

static TOKENIZERS: LazyLock<Vec<Tokenizer>> =
    LazyLock::new(|| FAMILIES.iter().map(|family| common::tokenizers::tokenizer(family)).collect());
static METADATA: LazyLock<Vec<Metadata>> =
    LazyLock::new(|| FAMILIES.iter().map(|family| common::tokenizers::metadata(family)).collect());

/// Any characters, mixed with what tokenizers treat in their own ways.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[ \t\r\n\u{a0}\u{3000}]{1,6}",
        "[a-zA-Z']{1,8}",
        "[0-9]{1,6}",
        "\\p{L}\\p{M}{0,3}",
        prop::sample::select(vec!["<|im_end|>", "<|im_", "</s>", "<s>", "<think>", "👩‍👩‍👧", "'ll"])
            .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn text_comes_back_from_its_tokens(text in texts()) {
        for (tokenizer, family) in TOKENIZERS.iter().zip(FAMILIES) {
            let expected = match family {
                "qwen2" => text.nfc().collect(),
                "default" => text.replace('▁', " "),
                _ => text.clone(),
            };
            let decoded = tokenizer.decode(&tokenizer.encode(&text, Special::AsText));
            prop_assert_eq!(decoded, expected, "{}", family);
        }
    }

    #[test]
    fn a_shielded_text_is_plain_text(text in texts()) {
        let text = text.replace('\u{fdd0}', "");
        for (tokenizer, family) in TOKENIZERS.iter().zip(FAMILIES) {
            let shielded = tokenizer.encode(&tokenizer.shield(&text), Special::Parse);
            // SentencePiece puts a space before each part between special tokens, of which there are none here.
            prop_assert_eq!(tokenizer.encode(&text, Special::AsText), shielded, "{}", family);
        }
    }

    #[test]
    fn streamed_text_is_that_of_all_bytes_together(ids in prop::collection::vec(0u32..700, 0..60)) {
        for tokenizer in &TOKENIZERS[..4] {
            let bytes: Vec<u8> = ids.iter().flat_map(|id| tokenizer.token_bytes(*id)).collect();
            let mut decoder = tokenizer.decoder();
            let mut streamed: String = ids.iter().filter_map(|id| decoder.push(*id)).collect();
            streamed.extend(decoder.finish());
            prop_assert_eq!(streamed, String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn broken_keys_are_errors_or_harmless(
        family in 0..FAMILIES.len(),
        key in prop::sample::select(vec![
            "model", "pre", "tokens", "token_type", "scores", "merges", "bos_token_id", "eot_token_id",
            "add_bos_token", "add_space_prefix",
        ]),
        value in values(),
        text in texts(),
    ) {
        let mut metadata = METADATA[family].clone();
        let key = format!("tokenizer.ggml.{key}");
        match value {
            Some(value) => drop(metadata.set(key, value)),
            None => drop(metadata.remove(&key)),
        }
        if let Ok(tokenizer) = Tokenizer::from_metadata(&metadata) {
            let ids = tokenizer.encode(&text, Special::Parse);
            prop_assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocabulary_size()));
            tokenizer.decode(&ids);
        }
    }
}

/// Values that may stand where others should; `None` for a key that is missing.
fn values() -> impl Strategy<Value = Option<Value>> {
    let strings = prop::collection::vec(prop_oneof!["[ab ]{0,4}", Just("Ġ t".to_owned()), texts()], 0..5);
    prop_oneof![
        Just(None),
        any::<u32>().prop_map(|number| Some(number.into())),
        any::<bool>().prop_map(|bool| Some(bool.into())),
        texts().prop_map(|text| Some(text.into())),
        prop::sample::select(vec!["gpt2", "llama", "default"]).prop_map(|text| Some(text.into())),
        strings.prop_map(|texts| Some(texts.iter().collect::<Strings>().into())),
        prop::collection::vec(any::<f32>(), 900).prop_map(|scores| Some(scores.into())),
        prop::collection::vec(-1i32..8, 0..1000).prop_map(|types| Some(types.into())),
    ]
}

#[test]
fn errors_name_the_key_and_what_is_wrong_with_it() {
    let cases: [(&str, &str, Value, ErrorKind, &str); 7] = [
        (
            "gpt-2",
            "model",
            "bert".into(),
            ErrorKind::Unsupported,
            "found \"bert\", expected one of gpt2, llama",
        ),
        (
            "gpt-2",
            "pre",
            "tekken".into(),
            ErrorKind::Unsupported,
            "found \"tekken\", expected one of llama-bpe",
        ),
        (
            "gpt-2",
            "token_type",
            vec![1i32].into(),
            ErrorKind::Malformed,
            "found 1 elements, expected one for each",
        ),
        (
            "default",
            "scores",
            vec![0f32; 2].into(),
            ErrorKind::Malformed,
            "found 2 elements, expected one for each",
        ),
        (
            "gpt-2",
            "eos_token_id",
            100_000u32.into(),
            ErrorKind::Malformed,
            "found 100000, expected an id below 641",
        ),
        (
            "gpt-2",
            "merges",
            strings(&["ab"]),
            ErrorKind::Malformed,
            "found merge 0, \"ab\", expected two tokens",
        ),
        ("gpt-2", "tokens", strings(&["a", "a"]), ErrorKind::Malformed, "found \"a\" twice, as 0 and as 1"),
    ];
    for (family, key, value, kind, detail) in cases {
        let mut metadata = common::tokenizers::metadata(family);
        let key = format!("tokenizer.ggml.{key}");
        if key.ends_with(".tokens") {
            metadata.remove("tokenizer.ggml.token_type");
        }
        metadata.set(key.clone(), value);
        let error = Tokenizer::from_metadata(&metadata).err().unwrap();
        assert_eq!((error.kind(), error.field()), (kind, key.as_str()), "{error}");
        assert!(error.to_string().contains(detail), "{error}");
    }
    let mut metadata = common::tokenizers::metadata("gpt-2");
    metadata.set("tokenizer.ggml.merges", strings(&["Ġ t", "qq zz"]));
    let error = Tokenizer::from_metadata(&metadata).err().unwrap().to_string();
    assert!(error.contains("merge 1, \"qq zz\", with \"qq\", which is no token"), "{error}");
}

fn strings(texts: &[&str]) -> Value {
    texts.iter().collect::<Strings>().into()
}
