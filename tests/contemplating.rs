//! Contemplating from the command line, at a server that always says the same.

#![cfg(feature = "cloud")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cloud;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cloud::Cloud;
use lorgnette_quant::gguf::{Gguf, Metadata, TensorInfo, TensorShape, Writer};
use serde_json::Value;

/// A folder with a model, a configuration, and a count of the connections to the server that it names.
struct Desk {
    folder: tempfile::TempDir,
    model: PathBuf,
    cloud: Cloud,
}

impl Desk {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cloud = Cloud::start();
        fs::write(folder.path().join("cloud.toml"), format!("{more}\n{}", cloud.endpoint())).unwrap();
        let model = converted("Qwen2.5-tiny", folder.path()).swap_remove(0);
        Self { folder, model, cloud }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let config = self.folder.path().join("cloud.toml");
        let data = self.folder.path().join("data");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
        command.args(arguments).arg("--cloud").arg(config).env("XDG_DATA_HOME", data);
        command.output().unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        let model = self.model.to_str().unwrap();
        let ask = ["ask", "--model", model, "--max-tokens", "4", "Where to?"];
        let output = self.run(&[&ask, arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn connections(&self) -> usize {
        self.cloud.connections()
    }
}

/// A model of random weights, converted from a committed checkpoint into `folder`: its files.
fn converted(name: &str, folder: &Path) -> Vec<PathBuf> {
    let checkpoint = format!("{}/quant/tests/data/convert/{name}/model/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
    let output =
        command.args(["convert", &checkpoint]).arg(folder.join("models")).arg("--json").output().unwrap();
    let written: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = written["files"].as_array().unwrap();
    files.iter().map(|file| file.as_str().unwrap().into()).collect()
}

/// Writes the tower at `path` anew, with the last matrix of its projector cut to the width of the language models here.
fn fit(path: &Path) {
    let model = Gguf::open(path).unwrap();
    let mut metadata = Metadata::new();
    for (key, value) in model.metadata().iter() {
        metadata.set(key, value.clone());
    }
    metadata.set("clip.audio.projection_dim", 32_u32);
    let fitted = |info: &TensorInfo| match info.name() {
        name @ "mm.a.mlp.2.weight" => {
            let shape = TensorShape::new(&[info.shape().row_len(), 32]).unwrap();
            TensorInfo::new(name, shape, info.ty()).unwrap()
        }
        _ => info.clone(),
    };
    let infos: Vec<_> = model.tensors().map(|tensor| fitted(tensor.info)).collect();
    let mut writer = Writer::new(Vec::new(), &metadata, &infos).unwrap();
    for (tensor, info) in model.tensors().zip(&infos) {
        writer.write(&tensor.data[..info.bytes()]).unwrap();
    }
    fs::write(path, writer.finish().unwrap()).unwrap();
}

/// Half a second of a tone, as WAV.
fn sound() -> Vec<u8> {
    let samples = (0..8000).map(|i| ((f64::from(i) * 0.2).sin() * 8000.0) as i16);
    let mut bytes = b"RIFF\xa4\x3e\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes.extend(16_000_u32.to_le_bytes().into_iter().chain(32_000_u32.to_le_bytes()));
    bytes.extend(b"\x02\0\x10\0data\x80\x3e\0\0");
    bytes.extend(samples.flat_map(i16::to_le_bytes));
    bytes
}

fn text_of(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn with_consent_the_endpoint_answers_and_the_ledger_has_it() {
    let desk = Desk::new("");
    let output = desk.ask(&["--mode", "contemplating", "--consent", "text"]);
    assert_eq!(text(&output.stdout), "Miami.\n");
    assert!(text(&output.stderr).contains("lorgnette: writing\n"), "{}", text(&output.stderr));
    let ledger: Value = serde_json::from_slice(&desk.run(&["ledger", "--json"]).stdout).unwrap();
    let purposes: Vec<_> =
        ledger["sent"].as_array().unwrap().iter().map(|record| &record["purpose"]).collect();
    assert_eq!(purposes, ["planner", "agent", "writer"]);
    assert_eq!(ledger["sent"][0]["consent"], "text once");
    assert!(text(&desk.run(&["ledger"]).stdout).contains("  planner  text once  sent\n"));
    assert_eq!(text(&desk.run(&["ledger", "--clear"]).stdout), "3 records forgotten\n");
    assert_eq!(text(&desk.run(&["ledger"]).stdout), "Nothing left the device.\n");
}

#[test]
fn without_consent_the_device_answers_and_opens_no_connection() {
    let desk = Desk::new("");
    let device = desk.ask(&["--json"]);
    let device: Value = serde_json::from_slice(&device.stdout).unwrap();
    let output = desk.ask(&["--mode", "contemplating", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["text"], &document["source"]), (&device["text"], &"device".into()));
    assert_eq!(document["note"], "the device answered by itself: there is no consent for text");
    assert_eq!(desk.connections(), 0);
}

#[test]
fn a_spoken_question_leaves_as_what_the_device_wrote_down_and_with_consent_for_that() {
    let desk = Desk::new("");
    let [mmproj] = converted("ultravox-v0_5-tiny", desk.folder.path()).try_into().unwrap();
    let [model] = converted("Llama-3.2-tiny-Instruct", desk.folder.path()).try_into().unwrap();
    fit(&mmproj);
    let wav = desk.folder.path().join("question.wav");
    fs::write(&wav, sound()).unwrap();
    let [model, mmproj, wav] = [&model, &mmproj, &wav].map(|path| path.to_str().unwrap());
    let ask = |arguments: &[&str]| {
        let files = ["--model", model, "--mmproj", mmproj, "--audio", wav];
        let ask = ["ask", "--max-tokens", "4", "--mode", "contemplating"];
        desk.run(&[&ask[..], &files, arguments].concat())
    };
    let output = ask(&["--consent", "text", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["note"], "the device answered by itself: there is no consent for transcript");
    assert_eq!(desk.connections(), 0);
    let output = ask(&["--consent", "transcript"]);
    assert_eq!(text(&output.stdout), "Miami.\n", "{}", text(&output.stderr));
    let ledger: Value = serde_json::from_slice(&desk.run(&["ledger", "--json"]).stdout).unwrap();
    assert_eq!(ledger["sent"][0]["consent"], "transcript once");
    let output = ask(&["And when?"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("in text or in sound, not in both"));
}

#[test]
fn instant_opens_no_connection_whatever_is_allowed() {
    let desk = Desk::new("[consent]\nalways = [\"text\", \"picture\"]");
    desk.ask(&[]);
    desk.ask(&["--mode", "instant", "--consent", "text"]);
    assert_eq!(desk.connections(), 0);
}

#[test]
fn a_scenario_asks_the_cloud_that_is_named_and_what_left_is_in_the_ledger() {
    let desk = Desk::new("");
    let scenario = desk.folder.path().join("one.toml");
    let steps = "title = \"one\"\nscript = [\"Orlando.\"]\n[[step]]\nat = 0.2\nmode = \"contemplating\"\n\
                [[step]]\nat = 0.5\ntype = \"Where to?\"\n[[expect.turn]]\nanswer = \"^Miami.$\"\n\
                [expect.total]\nrequests = 3\n";
    fs::write(&scenario, steps).unwrap();
    let sim = ["sim", "--headless", "--scenario", scenario.to_str().unwrap()];
    let output = desk.run(&sim);
    assert_eq!(output.status.code(), Some(1), "there is no consent: {}", text_of(&output));
    assert_eq!(desk.connections(), 0);
    let output = desk.run(&[&sim[..], &["--consent", "text"]].concat());
    assert!(output.status.success(), "{}", text_of(&output));
    assert!(text(&desk.run(&["ledger"]).stdout).contains("  planner  text conversation  sent\n"));
}

#[test]
fn what_is_wrong_with_the_configuration_is_named() {
    let desk = Desk::new("strategy = \"guess\"");
    let output = desk.run(&["ledger"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("cloud.toml: line 1: unknown variant `guess`"), "{said}");
}
