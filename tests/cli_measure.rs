//! The commands that measure, as processes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lorgnette")).args(arguments).current_dir(dir).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What a command prints that does its work and has nothing to complain of.
fn printed(arguments: &[&str], dir: &Path) -> String {
    let output = run(arguments, dir);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "{arguments:?}");
    text(&output.stdout).to_owned()
}

fn document(arguments: &[&str], dir: &Path) -> Value {
    serde_json::from_str(&printed(&[arguments, &["--json"]].concat(), dir)).unwrap()
}

/// A folder with `model.gguf`, `text.txt` and `short.txt`.
fn folder() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checkpoint = root.join("quant/tests/data/convert/Qwen2.5-tiny/model/Qwen2.5-tiny");
    let dir = tempfile::tempdir().unwrap();
    let written = document(&["convert", checkpoint.to_str().unwrap(), ".", "--outtype", "f32"], dir.path());
    fs::rename(dir.path().join(written["files"][0].as_str().unwrap()), dir.path().join("model.gguf"))
        .unwrap();
    fs::copy(root.join("LICENSE-MIT"), dir.path().join("text.txt")).unwrap();
    fs::write(dir.path().join("short.txt"), "Too short.\n").unwrap();
    dir
}

const BENCH: [&str; 11] = [
    "bench",
    "--model",
    "model.gguf",
    "--prompt",
    "24",
    "--generate",
    "3",
    "--repetitions",
    "2",
    "--threads",
    "2",
];

#[test]
fn bench_measures_each_row_as_often_as_told() {
    let dir = folder();
    let document = document(&BENCH, dir.path());
    assert_eq!((&document["backend"], &document["threads"]), (&json!("cpu"), &json!(2)));
    assert_eq!(document["model"]["architecture"], "qwen2");
    assert!(document["model"]["weights"].as_u64().unwrap() > 10_000);
    let tests = document["tests"].as_array().unwrap();
    let named: Vec<_> =
        tests.iter().map(|row| (row["test"].as_str().unwrap(), row["unit"].as_str().unwrap())).collect();
    assert_eq!(
        named,
        [("pp24", "tok/s"), ("tg3", "tok/s"), ("time to first token, 24", "ms"), ("cold start, 16", "ms")]
    );
    for row in tests {
        let samples: Vec<_> =
            row["samples"].as_array().unwrap().iter().map(|sample| sample.as_f64().unwrap()).collect();
        assert!(samples.len() == 2 && samples.iter().all(|&sample| sample > 0.0), "{row}");
        let mean = (samples[0] + samples[1]) / 2.0;
        assert!((row["median"].as_f64().unwrap() / mean - 1.0).abs() < 1e-9, "{row}");
    }
    if cfg!(target_os = "linux") {
        assert!(document["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    }
}

#[test]
fn bench_prints_a_table() {
    let dir = folder();
    let table = printed(&BENCH, dir.path());
    let rows: Vec<Vec<_>> = table
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows[0], ["model", "size", "params", "backend", "threads", "test", "result"]);
    assert_eq!(rows.len(), 2 + 4);
    for row in &rows[2..] {
        assert_eq!((row.len(), &row[3..5]), (7, &["cpu", "2"][..]), "{row:?}");
        assert!(row[6].contains(" ± "), "{row:?}");
    }
    assert!(table.contains("\npeak memory "));
}

#[test]
fn perplexity_against_itself_is_no_divergence() {
    let dir = folder();
    let common = ["perplexity", "--model", "model.gguf", "--file", "text.txt", "--context", "32"];
    let alone = document(&common, dir.path());
    // By runtime/tests/golden/perplexity.py.
    assert!((alone["perplexity"]["value"].as_f64().unwrap() - 303.0170).abs() < 1e-3, "{alone}");
    assert_eq!((&alone["tokens"], &alone["against"]), (&json!(450), &Value::Null));
    let against = [&common[..], &["--against", "model.gguf", "--threads", "1"]].concat();
    let document = document(&against, dir.path());
    assert_eq!((&document["perplexity"], &document["tokens"]), (&alone["perplexity"], &alone["tokens"]));
    assert_eq!(document["against"]["mean"]["value"], 0.0);
    assert_eq!(document["against"]["same_top"]["value"], 1.0);
    let shown = printed(&against, dir.path());
    assert!(shown.contains("perplexity   303.017") && shown.contains("same top     100.000"), "{shown}");
}

#[test]
fn texts_that_cannot_be_scored_are_refused() {
    let dir = folder();
    fs::write(dir.path().join("broken.txt"), b"\xff\xfe").unwrap();
    for (file, message) in [
        ("short.txt", "lorgnette: text: found "),
        ("none.txt", "lorgnette: none.txt: cannot read: No such file or directory"),
        ("broken.txt", "lorgnette: broken.txt: cannot read: stream did not contain valid UTF-8"),
    ] {
        let output = run(&["perplexity", "--model", "model.gguf", "--file", file], dir.path());
        assert_eq!(output.status.code(), Some(1), "{file}");
        assert!(text(&output.stderr).starts_with(message), "{}", text(&output.stderr));
    }
}

#[test]
fn logits_after_every_token_end_with_those_after_the_last() {
    let dir = folder();
    let last = document(&["logits", "--model", "model.gguf", "--tokens", "1,2,3"], dir.path());
    let every = document(&["logits", "--model", "model.gguf", "--tokens", "1,2,3", "--every"], dir.path());
    assert_eq!(every["rows"].as_array().unwrap().len(), 3);
    assert_eq!(every["rows"][2], last["logits"]);
    assert_ne!(every["rows"][1], last["logits"]);
}

#[test]
fn counts_that_make_no_sense_are_wrong_use() {
    let dir = folder();
    let model = ["--model", "model.gguf"];
    for (command, wrong) in [
        ("ask", ["--threads", "0"]),
        ("ask", ["--threads", "513"]),
        ("bench", ["--threads", "1.5"]),
        ("bench", ["--prompt", "0"]),
        ("bench", ["--repetitions", "0"]),
        ("perplexity", ["--context", "2"]),
    ] {
        let output = run(&[&[command][..], &model, &wrong].concat(), dir.path());
        assert_eq!(output.status.code(), Some(2), "{command} {wrong:?}");
        assert!(text(&output.stderr).contains(wrong[0]), "{}", text(&output.stderr));
    }
    let output = run(&["bench", "--model", "model.gguf", "--prompt", "1000000"], dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("context: 1000000 tokens asked for"), "{}", text(&output.stderr));
}
