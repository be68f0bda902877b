//! What `ask` says to files and questions that it cannot use: one line, exit code 1, nothing on stdout.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lorgnette_quant::gguf::{Gguf, TensorInfo, Value, Writer};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/quant/tests/data/convert");
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/runtime/tests/golden/front_ends");

/// A folder with `text.gguf`, which sees through `mmproj.gguf`.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let name = "SmolVLM2-tiny-Video-Instruct";
    let output = lorgnette(dir.path(), &["convert", &format!("{DATA}/{name}/model/{name}"), ".", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let written: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (file, name) in written["files"].as_array().unwrap().iter().zip(["text.gguf", "mmproj.gguf"]) {
        fs::rename(dir.path().join(file.as_str().unwrap()), dir.path().join(name)).unwrap();
    }
    dir
}

fn lorgnette(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
    command.args(arguments).current_dir(dir).output().unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// What `ask` says; it must fail, and say nothing else.
fn refusal(dir: &Path, arguments: &[&str]) -> String {
    let output = lorgnette(dir, &[&["ask", "--max-tokens", "4"], arguments].concat());
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
    assert!(output.stdout.is_empty(), "{arguments:?}");
    let said = stderr(&output);
    assert!(said.starts_with("lorgnette: ") && said.lines().count() == 1, "{arguments:?}: {said}");
    said["lorgnette: ".len()..].trim_end().to_owned()
}

/// The model in `from` with one key set otherwise.
fn with_key(dir: &Path, from: &str, key: &str, value: impl Into<Value>) -> String {
    let model = Gguf::open(dir.join(from)).unwrap();
    let mut metadata = model.metadata().clone();
    metadata.set(key, value);
    let infos: Vec<TensorInfo> = model.tensors().map(|view| view.info.clone()).collect();
    let name = "changed.gguf".to_owned();
    let mut writer = Writer::new(fs::File::create(dir.join(&name)).unwrap(), &metadata, &infos).unwrap();
    model.tensors().for_each(|view| writer.write(view.data).unwrap());
    writer.finish().unwrap();
    name
}

/// A WAV file of silence, its header claiming `claimed` samples of 16 bits and only `there` being there.
fn wav(claimed: u32, there: usize) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + 2 * claimed).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(16_000_u32.to_le_bytes());
    bytes.extend(32_000_u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((2 * claimed).to_le_bytes());
    bytes.extend(vec![0; 2 * there]);
    bytes
}

/// A PNG file that ends after a header for `side` x `side` pixels.
fn png_header(side: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([side.to_be_bytes(), side.to_be_bytes()].concat());
    bytes.extend(b"\x08\x02\0\0\0");
    let crc = crc32(&bytes[12..]);
    bytes.extend(crc.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[test]
fn models_that_cannot_answer() {
    let dir = folder();
    let dir = dir.path();
    let ask = |model: &str| refusal(dir, &["--model", model, "Hello"]);
    fs::write(dir.join("words.gguf"), "not a model").unwrap();
    assert!(ask("words.gguf").starts_with("words.gguf: magic: found"));
    assert!(ask("none.gguf").starts_with("none.gguf: cannot open"));
    assert!(
        ask("mmproj.gguf").contains("general.architecture: found \"clip\", known are llama, qwen2, qwen3")
    );
    let unknown = with_key(dir, "text.gguf", "general.architecture", "mamba");
    assert!(ask(&unknown).contains("found \"mamba\", known are llama, qwen2, qwen3"));
    let template = |source: &str| ask(&with_key(dir, "text.gguf", "tokenizer.chat_template", source));
    assert!(template("{% for message in messages %}").contains("tokenizer.chat_template"));
    let endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}";
    assert!(template(endless).contains("tokenizer.chat_template"));
}

#[test]
fn projectors_that_do_not_fit() {
    let dir = folder();
    let dir = dir.path();
    let image = &format!("{PICTURES}/rgb.png");
    let ask = |more: &[&str]| refusal(dir, &[&["--model", "text.gguf", "--image", image], more].concat());
    assert!(ask(&["What?"]).contains("no mmproj"));
    assert!(ask(&["--mmproj", "text.gguf", "What?"]).contains("clip.has_audio_encoder: not found"));
    let unknown = with_key(dir, "mmproj.gguf", "clip.projector_type", "telepathy");
    assert!(ask(&["--mmproj", &unknown, "What?"]).contains("found \"telepathy\", known"));
    let wide = with_key(dir, "mmproj.gguf", "clip.vision.projection_dim", 64_u32);
    assert!(ask(&["--mmproj", &wide, "What?"]).contains("tensor \"mm.model.fc.weight\" shape"));
    let many = with_key(dir, "mmproj.gguf", "clip.vision.block_count", 4_000_000_000_u32);
    assert!(ask(&["--mmproj", &many, "What?"]).contains("not found"));
}

#[test]
fn pictures_that_are_none() {
    let dir = folder();
    let dir = dir.path();
    let ask = |name: &str, bytes: &[u8]| {
        fs::write(dir.join(name), bytes).unwrap();
        refusal(dir, &["--model", "text.gguf", "--mmproj", "mmproj.gguf", "--image", name, "What?"])
    };
    let jpeg = fs::read(format!("{PICTURES}/subsampled.jpg")).unwrap();
    for (name, bytes) in [("cut.jpg", &jpeg[..jpeg.len() / 2]), ("empty.jpg", &[]), ("words.png", b"words")] {
        assert!(ask(name, bytes).starts_with(&format!("{name}: ")));
    }
    assert!(ask("large.png", &png_header(30_000)).contains("30000 x 30000 pixels"));
}

#[test]
fn sounds_that_are_none() {
    let dir = folder();
    let dir = dir.path();
    let ask = |name: &str, bytes: &[u8]| {
        fs::write(dir.join(name), bytes).unwrap();
        refusal(dir, &["--model", "text.gguf", "--mmproj", "mmproj.gguf", "--audio", name])
    };
    assert!(ask("empty.wav", &wav(0, 0)).starts_with("empty.wav: "));
    assert!(ask("words.wav", b"words").starts_with("words.wav: "));
    let two_hours = 2 * 3600 * 16_000;
    assert!(ask("long.wav", &wav(two_hours, two_hours as usize)).contains("7200.0 seconds"));
    assert!(ask("cut.wav", &wav(32_000, 10_000)).starts_with("cut.wav: "));
    assert!(ask("deaf.wav", &wav(16_000, 16_000)).contains("found a sound, but no mmproj"));
}

#[test]
fn a_question_longer_than_the_context() {
    let dir = folder();
    let long = "why ".repeat(600);
    let said = refusal(dir.path(), &["--model", "text.gguf", &long]);
    assert!(said.starts_with("prompt: found "), "{said}");
    let said = refusal(dir.path(), &["--model", "text.gguf", "--context", "100000", "Hello"]);
    assert!(said.starts_with("context: 100000 tokens asked for"), "{said}");
}

#[test]
fn the_smallest_picture_is_one() {
    let dir = folder();
    let mut png = png_header(1);
    // One row: no filter, three zeros; stored, not compressed.
    for (name, data) in [(b"IDAT", &b"\x78\x01\x01\x04\0\xfb\xff\0\0\0\0\0\x04\0\x01"[..]), (b"IEND", &[])] {
        let chunk = [&name[..], data].concat();
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(&chunk);
        png.extend(crc32(&chunk).to_be_bytes());
    }
    fs::write(dir.path().join("dot.png"), png).unwrap();
    let arguments =
        ["ask", "--model", "text.gguf", "--mmproj", "mmproj.gguf", "--image", "dot.png", "--json"];
    let output = lorgnette(dir.path(), &[&arguments[..], &["--max-tokens", "4", "What?"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["vision_passes"], &document["image_tokens"]), (&1.into(), &4.into()));
}
