//! The vision tower makes of pixels what Hugging Face transformers makes of them: `golden/vision_tower.json`, made by the
//! script beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::models::{converted, converted_with_towers};
use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::decoder::{Decoder, Input, Wanted};
use lorgnette_runtime::model::vision::{Place, Tile, VisionTower};
use serde::Deserialize;

/// How far a number may be from the reference's: both sum in f32, in different orders.
const F32_TOLERANCE: f32 = 2e-5;

const SIDE: usize = 16;

#[derive(Deserialize)]
struct Golden {
    model: String,
    before: Vec<u32>,
    after: Vec<u32>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    seed: u32,
    rows: Vec<Vec<f32>>,
    logits: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/vision_tower.json")).unwrap()
}

/// The pixels that the script draws.
fn tile(mut seed: u32) -> Tile {
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let values = (0..3 * SIDE * SIDE).map(|_| next()).collect();
    Tile { place: Place::Overview, side: SIDE, values }
}

fn tower(mmproj: &Arc<Gguf>) -> VisionTower<Cpu> {
    VisionTower::load(Cpu, mmproj).unwrap().unwrap()
}

fn furthest(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn rows_and_what_the_model_makes_of_them_are_the_references() {
    let golden = golden();
    let (model, mmproj) = converted_with_towers(&golden.model);
    let (decoder, tower) = (Decoder::load(Cpu, &model).unwrap(), tower(&mmproj));
    assert_eq!((tower.tokens(), tower.width()), (4, decoder.config().width));
    for case in &golden.cases {
        let rows = tower.encode(&tile(case.seed)).unwrap();
        let mut sequence = decoder.exact_sequence(64).unwrap();
        let inputs = [Input::Tokens(&golden.before), Input::Rows(&rows, 0..4), Input::Tokens(&golden.after)];
        let logits = decoder.forward_inputs(&mut sequence, &inputs, Wanted::Last).unwrap();
        let error = furthest(&logits, &case.logits);
        assert!(error < F32_TOLERANCE, "logits of {}: {error}", case.seed);
        assert_eq!(sequence.len(), golden.before.len() + 4 + golden.after.len());

        let values = lorgnette_runtime::backend::Backend::download(&Cpu, rows).unwrap();
        let error = furthest(&values, &case.rows.concat());
        assert!(error < F32_TOLERANCE, "rows of {}: {error}", case.seed);
    }
}

#[test]
fn pictures_that_do_not_fit_are_refused() {
    let (_, mmproj) = converted_with_towers(&golden().model);
    let small = Tile { place: Place::Overview, side: 8, values: vec![0.0; 3 * 8 * 8] };
    let error = tower(&mmproj).encode(&small).map(drop).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "picture"));
}

#[test]
fn a_file_without_a_vision_tower_has_none() {
    assert!(VisionTower::load(Cpu, &converted("Qwen2.5-tiny")).unwrap().is_none());
}

#[test]
fn sizes_that_no_tower_has_are_refused_before_anything_is_made_room_for() {
    let (model, mmproj) = converted_with_towers(&golden().model);
    let edited = |model: &Gguf, keys: &[(&str, u64)]| {
        let mut parts = common::mmproj::parts(model);
        keys.iter().for_each(|(key, value)| drop(parts.0.set(*key, *value)));
        common::mmproj::write(&parts)
    };
    let sizes = [("clip.vision.image_size", 256), ("clip.vision.patch_size", 1)];
    let error = VisionTower::load(Cpu, &edited(&mmproj, &sizes)).err().unwrap();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, "clip.vision.image_size"));
    let error = VisionTower::load(Cpu, &edited(&mmproj, &[("clip.vision.embedding_length", 1 << 62)]));
    assert_eq!(error.err().unwrap().field(), "clip.vision.embedding_length");
    for length in [1_u64 << 32, (1 << 63) - 2] {
        let keys = ["attention.key_length", "attention.value_length", "rope.dimension_count"];
        let names = keys.map(|key| format!("llama.{key}"));
        let lengths: Vec<_> = names.iter().map(|name| (name.as_str(), length)).collect();
        let error = Decoder::load(Cpu, &edited(&model, &lengths)).err().unwrap();
        assert_eq!(error.field(), "llama.attention.key_length");
    }
}
