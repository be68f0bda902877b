//! Perplexity is Hugging Face transformers': `golden/perplexity.json`, made by the script beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::models::converted;
use lorgnette_quant::Progress;
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::LanguageModel;
use lorgnette_runtime::measure::{divergence, perplexity};
use serde_json::Value;

/// Relative: the reference sums in f32 too, in another order.
const TOLERANCE: f64 = 1e-6;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/perplexity.json")).unwrap()
}

fn text() -> &'static str {
    include_str!("../../LICENSE-MIT").trim_end()
}

fn load(name: &str) -> LanguageModel<Cpu> {
    LanguageModel::load(Cpu, &converted(name)).unwrap()
}

#[test]
fn perplexity_is_the_references() {
    let golden = golden();
    let context = golden["context"].as_u64().unwrap() as usize;
    for (name, case) in golden["models"].as_object().unwrap() {
        let found = perplexity(&load(name), text(), context, &()).unwrap();
        let expected = case["perplexity"].as_f64().unwrap();
        assert!((found.perplexity.value / expected - 1.0).abs() < TOLERANCE, "{name}: {found:?}");
        assert!(found.perplexity.uncertainty > 0.0);
        assert_eq!(
            (found.tokens, found.chunks),
            (number(&case["tokens"]), number(&case["chunks"])),
            "{name}"
        );
    }
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

#[test]
fn a_model_does_not_diverge_from_itself() {
    let model = load("Qwen2.5-tiny");
    let (of_model, divergence) = divergence(&model, &model, text(), 150, &()).unwrap();
    assert_eq!(of_model, divergence.base);
    assert_eq!((divergence.mean.value, divergence.max, divergence.delta_p_rms), (0.0, 0.0, 0.0));
    assert_eq!(divergence.same_top.value, 1.0);
    // 74 positions of a chunk of 150 are scored, which is more than are computed at once.
    assert_eq!(of_model, perplexity(&model, text(), 150, &()).unwrap());
    assert_eq!(of_model.tokens, of_model.chunks * 74);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let model = load("Qwen2.5-tiny");
    for (text, context, field, detail) in [
        ("", 32, "text", "found 0 tokens, expected at least 64"),
        ("a b", 32, "text", "expected at least 64"),
        (text(), 2, "context", "expected at least 3"),
        (text(), usize::MAX, "text", "expected at least"),
        (&text().repeat(20), 2000, "context", "the model was trained for"),
    ] {
        let error = perplexity(&model, text, context, &()).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, field), "{error}");
        assert!(error.to_string().contains(detail), "{error}");
    }
    let error = divergence(&model, &load("Llama-3.2-tiny-Instruct"), text(), 32, &()).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "vocabulary"));
}

/// Wants an end after so many looks.
struct Impatient(AtomicUsize, Mutex<Vec<u64>>);

impl Progress for Impatient {
    fn advance(&self, _: &str, done: u64, total: u64) {
        assert!(done <= total);
        self.1.lock().unwrap().push(done);
    }

    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[test]
fn measuring_can_be_cancelled() {
    let model = load("Qwen2.5-tiny");
    // Two looks a chunk: before its first half and before the rest.
    let progress = Impatient(AtomicUsize::new(5), Mutex::default());
    let error = perplexity(&model, text(), 32, &progress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(*progress.1.lock().unwrap(), [0, 1, 2]);
}
