//! How hard to think, from the command line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
    command.args(arguments).current_dir(folder).env("XDG_CONFIG_HOME", folder).output().unwrap()
}

fn document(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder with `model.gguf`.
fn folder() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checkpoint = root.join("quant/tests/data/convert/Qwen2.5-tiny/model/Qwen2.5-tiny");
    let folder = tempfile::tempdir().unwrap();
    let written =
        document(folder.path(), &["convert", checkpoint.to_str().unwrap(), ".", "--outtype", "f32"]);
    let from = folder.path().join(written["files"][0].as_str().unwrap());
    fs::rename(from, folder.path().join("model.gguf")).unwrap();
    folder
}

const ASK: [&str; 7] = ["ask", "--model", "model.gguf", "--max-tokens", "6", "What is it?", "--backend=cpu"];

#[test]
fn chains_vote_and_say_how_many_agreed() {
    let folder = folder();
    let thinking = ["--mode", "thinking", "--budget", "12"];
    let one = document(folder.path(), &[&ASK[..], &thinking].concat());
    assert_eq!(one["votes"], 1);
    let several = document(folder.path(), &[&ASK[..], &thinking, &["--chains", "3"]].concat());
    assert!((1..=3).contains(&several["votes"].as_u64().unwrap()), "{several}");
    assert!(document(folder.path(), &ASK).get("votes").is_none(), "an answer at once is no vote");
}

#[test]
fn auto_says_what_it_decided_and_obeys_its_rules() {
    let folder = folder();
    let rule = |bias: f32| json!({"weights": [0, 0, 0, 0, 0], "bias": bias, "threshold": 0});
    for (thinking, contemplating, expected) in [
        (-1.0, -1.0, "answered at once"),
        (1.0, -1.0, "thinking first"),
        (-1.0, 1.0, "there are none: thinking first"),
    ] {
        let rules = json!({"thinking": rule(thinking), "contemplating": rule(contemplating)});
        fs::write(folder.path().join("router.json"), rules.to_string()).unwrap();
        let arguments = [&ASK[..], &["--mode", "auto", "--budget", "5", "--router", "router.json"]].concat();
        let output = run(folder.path(), &arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && told.contains(expected), "{told}");
    }
    // A hidden state of 3 numbers is another model's.
    let rules = json!({
        "thinking": {"weights": [0, 0, 0, 0, 0], "state_weights": [1, 2, 3], "bias": 0, "threshold": 0},
        "contemplating": rule(0.0),
    });
    fs::write(folder.path().join("router.json"), rules.to_string()).unwrap();
    let output = run(folder.path(), &[&ASK[..], &["--mode", "auto", "--router", "router.json"]].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && told.contains("hidden state of 3"), "{told}");
    fs::write(folder.path().join("router.json"), "{}").unwrap();
    let output = run(folder.path(), &[&ASK[..], &["--mode", "auto", "--router", "router.json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("lorgnette: router.json: calibration: "));
}

#[test]
fn a_router_is_fitted_judged_and_used() {
    let folder = folder();
    let said = document(folder.path(), &ASK)["text"].as_str().unwrap().to_owned();
    // Questions of which the model knows some answers: what it says to the first one, and what nobody would say.
    let question = |number: usize| {
        let text = if number % 4 < 2 { "What is it?".to_owned() } else { format!("What is {number}?") };
        let answer = match number % 8 {
            0 | 1 => said.as_str(),
            6 | 7 => "<contemplate>",
            _ => "nobody would say so",
        };
        json!({"text": text, "answer": answer}).to_string()
    };
    let questions = (0..32).map(question).collect::<Vec<_>>().join("\n");
    fs::write(folder.path().join("questions.jsonl"), questions).unwrap();
    let router = ["router", "--model", "model.gguf", "--questions", "questions.jsonl", "--max-tokens", "6"];
    let fitted = ["--budget", "4", "--output", "router.json", "--backend", "cpu"];
    let report = document(folder.path(), &[&router[..], &fitted].concat());
    assert_eq!((&report["questions"], &report["judged"]), (&json!(32), &json!(16)));
    assert_eq!((&report["own"], &report["to_hand_over"]), (&json!(12), &json!(4)));
    assert_eq!(report["right_at_once"], 4);
    let rules: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("router.json")).unwrap()).unwrap();
    for rule in ["thinking", "contemplating"] {
        for area in ["distribution_auc", "state_auc"] {
            assert!((0.0..=1.0).contains(&report[rule][area].as_f64().unwrap()), "{report}");
        }
        let has_state = rules[rule]["state_weights"].as_array().is_some_and(|weights| !weights.is_empty());
        assert_eq!(report[rule]["uses_state"], has_state, "{report}");
    }
    let used = run(folder.path(), &[&ASK[..], &["--mode", "auto", "--router", "router.json"]].concat());
    assert!(used.status.success(), "{}", String::from_utf8_lossy(&used.stderr));
}

#[test]
fn a_question_that_is_no_json_is_named() {
    let folder = folder();
    fs::write(folder.path().join("questions.jsonl"), "{\"answer\": \"a\"}\nno\n").unwrap();
    let output = run(folder.path(), &["router", "--model", "model.gguf", "--questions", "questions.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("lorgnette: questions.jsonl: line 2: "), "{told}");
}
