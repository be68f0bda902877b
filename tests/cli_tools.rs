//! The command line with tools. A model of random weights hardly ever calls one; what calls do is tested in the runtime.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
    command.args(arguments).current_dir(dir).env("XDG_DATA_HOME", dir).output().unwrap()
}

#[test]
fn tools_that_are_not_there_are_said_before_a_model_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let server = |command: &str| {
        format!("[[server]]\nname = \"shop\"\ncommand = [{command:?}]\ntools = {{ find = \"sends\" }}\n")
    };
    let cases = [
        ("tool = [\"timer\"]".to_owned(), "tools.toml: tools: TOML parse error"),
        (
            "tools = [\"teleport\"]".to_owned(),
            "tools: found \"teleport\", expected one of note, notes, timer",
        ),
        (server("/nowhere/at/all"), "shop: its server is not there: No such file"),
        (server("true"), "shop: its server is not there"),
    ];
    for (file, expected) in cases {
        fs::write(dir.path().join("tools.toml"), &file).unwrap();
        let output = run(&["ask", "--model", "no.gguf", "--tools", "tools.toml", "Hello"], dir.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{file}");
        assert!(said.contains(expected), "{file}: {said}");
    }
    let wrong = run(&["ask", "--model", "no.gguf", "--tool", "teleport", "Hello"], dir.path());
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_model_with_tools_answers() {
    let dir = tempfile::tempdir().unwrap();
    let checkpoint =
        concat!(env!("CARGO_MANIFEST_DIR"), "/quant/tests/data/convert/Qwen2.5-tiny/model/Qwen2.5-tiny");
    let converted = run(&["convert", checkpoint, "models", "--json"], dir.path());
    let converted: serde_json::Value = serde_json::from_slice(&converted.stdout).unwrap();
    let model = converted["files"][0].as_str().unwrap();
    let arguments = ["ask", "--model", model, "--max-tokens", "4", "--json", "Hello"];
    let without: serde_json::Value = serde_json::from_slice(&run(&arguments, dir.path()).stdout).unwrap();
    let arguments = [&arguments[..], &["--tool", "timers"]].concat();
    let output = run(&arguments, dir.path());
    let with: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let tokens = |answer: &serde_json::Value| answer["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(&with) > tokens(&without) + 50, "the model is told of the tools: {with}");
    let held = run(&[&arguments[..], &["--json-schema", "{}"]].concat(), dir.path());
    assert_eq!(held.status.code(), Some(1));
}
