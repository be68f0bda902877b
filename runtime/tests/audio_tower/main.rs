//! Towers hear what Hugging Face transformers hears: `golden/audio_tower.json`, made by the script beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
#[path = "../common/mmproj.rs"]
#[allow(dead_code, reason = "other test binaries use it too")]
mod mmproj;
#[path = "../common/models.rs"]
mod models;
#[path = "../common/sounds.rs"]
mod sounds;
mod stream;

use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::audio::{AudioTower, Clip};
use serde::Deserialize;

use crate::sounds::clip;

/// How far an element may be from the reference's, by the largest of its clip: one sums in f32, the other in f64.
const F32_TOLERANCE: f32 = 1e-5;

#[derive(Deserialize)]
struct Golden {
    ultravox: Vec<Case>,
    qwen2a: Vec<Case>,
    voxtral: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    samples: usize,
    /// Frames of a block, for a tower that works in blocks.
    block: Option<usize>,
    /// `[tokens][width]`.
    rows: Vec<Vec<f32>>,
}

fn golden() -> [(&'static str, Vec<Case>); 3] {
    let golden: Golden = serde_json::from_str(include_str!("../golden/audio_tower.json")).unwrap();
    [("ultravox", golden.ultravox), ("qwen2a", golden.qwen2a), ("voxtral", golden.voxtral)]
}

fn load(model: &Arc<Gguf>) -> AudioTower<Cpu> {
    AudioTower::load(Cpu, model).unwrap().unwrap()
}

/// The golden tower `kind`, in blocks or not.
fn tower(kind: &str, block: Option<usize>) -> AudioTower<Cpu> {
    let tower = load(&mmproj::golden(kind));
    match block {
        Some(frames) => tower.with_blocks(frames).unwrap(),
        None => tower,
    }
}

fn encode(tower: &AudioTower<Cpu>, clip: &Clip) -> Vec<f32> {
    Cpu.download(tower.encode(clip).unwrap()).unwrap()
}

fn furthest(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn tokens_are_the_references() {
    for (kind, cases) in golden() {
        for Case { samples, block, rows } in cases {
            let tower = tower(kind, block);
            let name = format!("{kind}, {samples} samples, blocks of {block:?}");
            assert_eq!((tower.tokens(samples), tower.width()), (rows.len(), rows[0].len()), "{name}");
            let expected = rows.concat();
            let largest = expected.iter().copied().map(f32::abs).fold(0.0, f32::max);
            let error = furthest(&encode(&tower, &clip(samples, 0).unwrap()), &expected) / largest;
            assert!(error < F32_TOLERANCE, "{name}: {error:e}");
        }
    }
}

#[test]
fn every_clip_has_as_many_tokens_as_were_foretold() {
    for (kind, block) in [("ultravox", None), ("qwen2a", None), ("voxtral", None), ("qwen2a", Some(8))] {
        let tower = tower(kind, block);
        assert_eq!(tower.tokens(Clip::MIN_SAMPLES - 1), 0);
        for samples in (Clip::MIN_SAMPLES..9000).step_by(160) {
            let tokens = encode(&tower, &clip(samples, 0).unwrap()).len() / tower.width();
            assert_eq!(tower.tokens(samples), tokens, "{kind}, {samples} samples");
            assert!(tokens > 0);
        }
    }
}

#[test]
fn one_block_is_the_whole_clip_and_more_are_not() {
    let clip = clip(2560, 0).unwrap();
    for kind in ["ultravox", "qwen2a", "voxtral"] {
        let whole = encode(&tower(kind, None), &clip);
        assert_eq!(
            encode(&tower(kind, Some(20 + 4 * usize::from(kind == "voxtral"))), &clip),
            whole,
            "{kind}"
        );
        assert!(furthest(&encode(&tower(kind, Some(8)), &clip), &whole) > 1e-3, "{kind}");
    }
}
