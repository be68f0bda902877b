//! The bundled model, as the program carries it: what it is asked about the scenes of its own world.

#![cfg(feature = "pico")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

/// A question about a scene, with its answer.
#[derive(Deserialize)]
struct Question {
    picture: Option<PathBuf>,
    text: String,
    answer: String,
}

fn scenes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pico/scenes")
}

fn lorgnette(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    // From a folder without any file: the model is in the program.
    let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
    let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn said(arguments: &[&str]) -> String {
    let output = lorgnette(&[&["ask", "--backend", "cpu", "--max-tokens", "64"], arguments].concat());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn displays_in_large_print_are_read() {
    let questions = std::fs::read(scenes().join("scenes.json")).unwrap();
    let questions: Vec<Question> = serde_json::from_slice(&questions).unwrap();
    let displays = ["pressure.png", "thermometer.png", "glucose.png"].map(Path::new);
    let mut wrong = Vec::new();
    for question in questions {
        let Some(picture) = question.picture.filter(|picture| displays.contains(&&**picture)) else {
            continue;
        };
        let picture = scenes().join(picture);
        let answer = said(&["--image", picture.to_str().unwrap(), &question.text]);
        if answer != question.answer {
            wrong.push(format!("{}: {answer}, expected {}", question.text, question.answer));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn without_a_picture_it_greets_and_says_that_it_sees_none() {
    assert!(said(&["Hello"]).starts_with("Hello"));
    assert_eq!(said(&["What is the temperature?"]), "I don't see a picture.");
}

#[test]
fn it_can_be_measured_too() {
    let output = lorgnette(&[
        "bench",
        "--backend",
        "cpu",
        "--prompt",
        "8",
        "--generate",
        "2",
        "--repetitions",
        "1",
        "--json",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["tests"].as_array().unwrap().iter().any(|row| row["test"] == "tg2"), "{report}");
}

#[test]
fn its_own_rules_say_when_it_thinks_first() {
    let auto = ["ask", "--backend", "cpu", "--max-tokens", "64", "--mode", "auto", "Hello"];
    let told = String::from_utf8(lorgnette(&auto).stderr).unwrap();
    assert!(["answered at once", "thinking first"].iter().any(|route| told.contains(route)), "{told}");
}
