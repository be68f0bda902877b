//! What inspecting says of converted checkpoints, and of files that hold no model.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{Raw, sample};
use lorgnette_quant::convert::{ConvertOptions, convert};
use lorgnette_quant::gguf::Gguf;
use lorgnette_quant::inspect::{Inspection, Kind, inspect};

/// Inspections of all files that the committed checkpoint `name` becomes.
fn converted(name: &str) -> Vec<Inspection> {
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/convert").join(name).join("model").join(name);
    let out = tempfile::tempdir().unwrap();
    let files = convert(&data, out.path(), &ConvertOptions::default(), &()).unwrap();
    files.iter().map(|file| inspect(file).unwrap()).collect()
}

#[test]
fn a_language_model_and_its_eyes() {
    let [text, eyes] = &converted("SmolVLM2-tiny-Video-Instruct")[..] else { unreachable!("two files") };
    assert_eq!((text.summary.kind, eyes.summary.kind), (Kind::Text, Kind::Mmproj));

    let shape = text.summary.text.as_ref().unwrap();
    assert_eq!((shape.context, shape.layers, shape.width, shape.heads, shape.kv_heads), (512, 1, 32, 4, 2));
    assert_eq!((shape.vocabulary, shape.tokenizer.as_deref()), (Some(288), Some("gpt2/smollm")));
    assert!(shape.chat_template);
    // One layer of two heads of eight, keys and values, two bytes each.
    assert_eq!(text.summary.memory.kv_per_token, 2 * 8 * 2 * 2);
    assert_eq!(text.summary.memory.total, text.summary.memory.weights + 512 * 64);

    let vision = eyes.summary.vision.as_ref().unwrap();
    assert_eq!(
        (vision.projector.as_str(), vision.image_size, vision.patch_size, vision.tokens),
        ("idefics3", 16, 4, 4)
    );
    assert!(eyes.summary.text.is_none() && eyes.summary.audio.is_none());
}

#[test]
fn ears() {
    let [ears] = &converted("ultravox-v0_5-tiny")[..] else { unreachable!("one file") };
    let audio = ears.summary.audio.as_ref().unwrap();
    assert_eq!((audio.projector.as_str(), audio.mel_bins), ("ultravox", 8));
    assert!(ears.summary.vision.is_none());
}

#[test]
fn every_tensor_is_counted_under_its_type() {
    for inspection in converted("Qwen2.5-tiny") {
        let total = |count: fn(&lorgnette_quant::inspect::TypeTotal) -> usize| {
            inspection.types.values().map(count).sum::<usize>()
        };
        assert_eq!(total(|t| t.tensors), inspection.tensors.len());
        assert_eq!(total(|t| t.weights), inspection.summary.weights);
        assert_eq!(total(|t| t.bytes), inspection.tensors.iter().map(|t| t.bytes).sum::<usize>());
    }
}

#[test]
fn long_values_are_cut_for_people_and_arrays_for_all() {
    let inspection = Inspection::of(&Gguf::from_bytes(sample(3)).unwrap()).unwrap();
    let value = |key: &str| &inspection.metadata.iter().find(|entry| entry.key == key).unwrap().value;
    assert_eq!(value("k.strings"), &serde_json::json!({"of": "str", "len": 3, "first": ["a", "", "Ġb"]}));
    assert_eq!(value("k.f32"), &serde_json::json!(1.5));
    assert_eq!(value("k.u64"), &serde_json::json!(u64::MAX));
    let [vocabulary, ..] = &converted("Qwen2.5-tiny")[..] else { unreachable!("one file") };
    let text = vocabulary.to_string();
    assert!(text.lines().all(|line| line.chars().count() < 200), "{text}");
    assert!(text.contains("304 str: ["), "{text}");
}

#[test]
fn other_files_are_called_what_they_are() {
    let kind = |raw: Raw| Inspection::of(&Gguf::from_bytes(raw.0).unwrap()).unwrap().summary.kind;
    let string = |text: &str| Raw::default().string(text).0;
    assert_eq!(kind(Raw::header(3, 0, 0)), Kind::Other);
    assert_eq!(kind(Raw::header(3, 0, 1).key("general.type", 8, &string("imatrix"))), Kind::Imatrix);
    assert_eq!(kind(Raw::header(3, 0, 1).key("general.type", 8, &string("adapter"))), Kind::Adapter);
    assert_eq!(kind(Raw::header(3, 0, 1).key("general.architecture", 8, &string("clip"))), Kind::Mmproj);
}

#[test]
fn a_key_of_the_wrong_type_is_named() {
    let raw = Raw::header(3, 0, 1).key("general.architecture", 4, &7u32.to_le_bytes());
    let error = Inspection::of(&Gguf::from_bytes(raw.0).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "general.architecture: found u32 7, expected a string");
}

#[test]
fn numbers_for_each_layer_are_summed() {
    let counts = Raw::default().u32(5).u64(2).bytes(&0i32.to_le_bytes()).bytes(&2i32.to_le_bytes()).0;
    let raw = Raw::header(3, 0, 5)
        .key("general.architecture", 8, &Raw::default().string("lfm2").0)
        .key("lfm2.block_count", 4, &2u32.to_le_bytes())
        .key("lfm2.attention.head_count", 4, &4u32.to_le_bytes())
        .key("lfm2.attention.head_count_kv", 9, &counts)
        .key("lfm2.embedding_length", 4, &32u32.to_le_bytes());
    let summary = Inspection::of(&Gguf::from_bytes(raw.0).unwrap()).unwrap().summary;
    assert_eq!(summary.text.unwrap().kv_heads, 2);
    assert_eq!(summary.memory.kv_per_token, 2 * 8 * 2 * 2, "one of the two layers has keys");
}

#[test]
fn what_cannot_be_made_out_is_a_note() {
    let raw = Raw::header(3, 0, 2).key("general.architecture", 8, &Raw::default().string("clip").0).key(
        "clip.has_vision_encoder",
        7,
        &[1],
    );
    let inspection = Inspection::of(&Gguf::from_bytes(raw.0).unwrap()).unwrap();
    assert_eq!(
        inspection.summary.notes,
        ["clip.vision.image_size: not found, expected an integer not below 0"]
    );
    assert!(inspection.to_string().contains("note: clip.vision.image_size"));
}

#[test]
fn impossible_sizes_do_not_overflow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge.gguf");
    let huge = u64::MAX.to_le_bytes();
    let raw = Raw::header(3, 0, 4)
        .key("general.architecture", 8, &Raw::default().string("x").0)
        .key("x.block_count", 10, &huge)
        .key("x.attention.head_count", 10, &huge)
        .key("x.context_length", 10, &huge);
    std::fs::write(&path, raw.0).unwrap();
    let memory = inspect(&path).unwrap().summary.memory;
    assert_eq!(memory.total, memory.kv_full_context, "numbers past the end of usize stay at its end");
}
