//! The command line, as a process: exit codes, what goes to which stream, and what an interrupted run leaves.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use lorgnette_quant::TensorType;
use lorgnette_quant::gguf::{Metadata, TensorInfo, TensorShape, Writer};

fn lorgnette() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lorgnette"))
}

fn run(arguments: &[&str], dir: &Path) -> Output {
    lorgnette().args(arguments).current_dir(dir).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A folder with `in.gguf`: one weight of `rows` rows of 256.
fn folder(rows: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut metadata = Metadata::new();
    metadata.set("general.architecture", "llama");
    metadata.set("llama.block_count", 1u32);
    let info =
        TensorInfo::new("blk.0.attn_q.weight", TensorShape::new(&[256, rows]).unwrap(), TensorType::F16)
            .unwrap();
    let mut writer =
        Writer::new(fs::File::create(dir.path().join("in.gguf")).unwrap(), &metadata, &[info]).unwrap();
    // Exponents around one, with the sign of every other number turned: finite, and all different.
    let row: Vec<u8> = (0..256u16).flat_map(|i| (0x3800 + i * 7 + (i % 2) * 0x8000).to_le_bytes()).collect();
    (0..rows).for_each(|_| writer.write(&row).unwrap());
    writer.finish().unwrap();
    dir
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn wrong_use_is_2_and_failed_work_is_1() {
    let dir = folder(4);
    for wrong in [
        &["quantize"][..],
        &["quantize", "in.gguf", "out.gguf", "--type", "Q9"],
        &["quantize", "in.gguf", "out.gguf", "--type", "Q8_0", "--threads", "100000"],
        &["quantize", "in.gguf", "out.gguf", "--type", "Q8_0", "--tensor-type", "attn_q"],
        &["convert", "a", "b", "--outtype", "q9"],
        &["polish", "in.gguf"],
        &["ask", "--model", "in.gguf", "--json-schema", "{}", "--grammar", "in.lark", "Hello"],
    ] {
        let output = run(wrong, dir.path());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{wrong:?}");
    }
    for (failing, message) in [
        (&["inspect", "none.gguf"][..], "lorgnette: none.gguf: cannot open: No such file or directory"),
        (&["quantize", "none.gguf", "out.gguf", "--type", "Q8_0"], "lorgnette: none.gguf: cannot open"),
        (&["quantize", "in.gguf", "no/out.gguf", "--type", "Q8_0"], "lorgnette: no/out.gguf: cannot create"),
        (&["convert", ".", "out"], "config.json"),
    ] {
        let output = run(failing, dir.path());
        assert_eq!(output.status.code(), Some(1), "{failing:?}");
        assert!(output.stdout.is_empty(), "{failing:?}");
        assert!(text(&output.stderr).contains(message), "{failing:?}: {}", text(&output.stderr));
    }
}

#[test]
fn json_is_one_document_on_stdout() {
    let dir = folder(4);
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = run(arguments, dir.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let report = json(&["quantize", "in.gguf", "out.gguf", "--type", "q4_k_m", "--json"]);
    assert_eq!(report["mix"], "Q4_K_M");
    assert_eq!(report["tensors"][0]["to"], "Q4_K");
    let inspection = json(&["inspect", "out.gguf", "--json"]);
    assert_eq!(inspection["summary"]["kind"], "text");
    assert_eq!(inspection["summary"]["mix"], "Q4_K_M");
    assert_eq!(inspection["types"]["Q4_K"]["weights"], 1024);
    assert_eq!(inspection["metadata"][0]["value"], "llama");
}

/// A language model of random weights, converted from a committed checkpoint into `dir`.
fn language_model(dir: &Path) -> String {
    let checkpoint =
        concat!(env!("CARGO_MANIFEST_DIR"), "/quant/tests/data/convert/Qwen2.5-tiny/model/Qwen2.5-tiny");
    let output = run(&["convert", checkpoint, "models", "--json"], dir);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let written: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    written["files"][0].as_str().unwrap().to_owned()
}

#[test]
fn ask_streams_what_its_document_holds() {
    let dir = tempfile::tempdir().unwrap();
    let model = language_model(dir.path());
    let ask = |more: &[&str]| {
        let common =
            ["ask", "--model", &model, "--temperature", "1.5", "--seed", "3", "--max-tokens", "24", "Hello"];
        let output = run(&[&common[..], more].concat(), dir.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    };
    let document: serde_json::Value = serde_json::from_slice(&ask(&["--json"])).unwrap();
    assert_eq!((&document["finish"], &document["answer_tokens"]), (&"length".into(), &24.into()));
    assert_eq!(text(&ask(&[])), format!("{}\n", document["text"].as_str().unwrap()));
}

#[test]
fn ask_holds_answers_to_a_schema_or_a_grammar() {
    let dir = tempfile::tempdir().unwrap();
    let model = language_model(dir.path());
    let schema = r#"{"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"],
        "additionalProperties": false}"#;
    fs::write(dir.path().join("sure.json"), schema).unwrap();
    fs::write(dir.path().join("yes.lark"), "start: \"yes\" | \"no\"\n").unwrap();
    fs::write(dir.path().join("half.json"), "{\"type\":").unwrap();
    let ask = |more: &[&str]| {
        let output = run(&[&["ask", "--model", &model, "Hello"], more].concat(), dir.path());
        (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
    };
    let (code, from_file, _) = ask(&["--json-schema", "sure.json"]);
    let answer: serde_json::Value = serde_json::from_str(&from_file).unwrap();
    assert!(code == Some(0) && answer["sure"].is_boolean(), "{from_file}");
    assert_eq!(ask(&["--json-schema", schema]).1, from_file);
    let (_, answer, _) = ask(&["--grammar", "yes.lark"]);
    assert!(["yes\n", "no\n"].contains(&answer.as_str()), "{answer}");
    for (arguments, message) in [
        (["--json-schema", "none.json"], "lorgnette: none.json: cannot read: No such file or directory"),
        (["--json-schema", "half.json"], "lorgnette: half.json: JSON schema: EOF while parsing"),
        (["--json-schema", "{\"type\": \"objekt\"}"], "lorgnette: JSON schema: Invalid type: objekt"),
        (["--grammar", "sure.json"], "lorgnette: grammar: 1(1): expecting rule"),
    ] {
        let (code, answer, said) = ask(&arguments);
        assert_eq!((code, answer.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn logits_are_printed_whole_or_the_largest() {
    let dir = tempfile::tempdir().unwrap();
    let model = language_model(dir.path());
    let output = run(&["logits", "--model", &model, "--tokens", "1,2,3", "--json"], dir.path());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["tokens"], serde_json::json!([1, 2, 3]));
    let logits: Vec<f64> =
        document["logits"].as_array().unwrap().iter().map(|l| l.as_f64().unwrap()).collect();
    let output = run(&["logits", "--model", &model, "--tokens", "1,2,3"], dir.path());
    let first: usize = text(&output.stdout).split_whitespace().next().unwrap().parse().unwrap();
    assert!(logits.iter().all(|&logit| logit <= logits[first]));
    assert_eq!(logits.len(), 304);
}

#[test]
fn a_model_that_cannot_be_run_is_said_so() {
    let dir = folder(4);
    fs::write(dir.path().join("text.gguf"), "not a model").unwrap();
    for (model, message) in [
        ("text.gguf", "lorgnette: text.gguf: magic: found \"not \", expected \"GGUF\""),
        ("in.gguf", "in.gguf: llama.embedding_length: not found"),
    ] {
        let output = run(&["ask", "--model", model, "Hello"], dir.path());
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let dir = folder(4);
    let mut child = lorgnette()
        .args(["inspect", "in.gguf"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_no_half_file() {
    let dir = folder(1 << 17);
    let mut child = lorgnette()
        .args(["quantize", "in.gguf", "out.gguf", "--type", "Q5_K_M", "--threads", "1"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while names(dir.path()).len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(1));
    }
    // The shell's own kill: a bare system has no other.
    Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "lorgnette: in.gguf: cancelled\n");
    assert_eq!(names(dir.path()), ["in.gguf"]);
}

/// Needs a file system of its own, which an unprivileged user namespace gives; where there is none the test says so.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_half_file() {
    let dir = folder(1 << 13);
    let script = "mount -t tmpfs -o size=1m none small && \"$0\" quantize in.gguf small/out.gguf --type Q8_0; \
                  echo \"exit $?\"; ls -A small";
    fs::create_dir(dir.path().join("small")).unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_lorgnette")])
        .current_dir(dir.path())
        .output();
    let Ok(output) = output else { return eprintln!("skipped: there is no unshare here") };
    if text(&output.stderr).contains("unshare: ") || text(&output.stderr).contains("mount: ") {
        return eprintln!("skipped: no file system can be mounted here: {}", text(&output.stderr));
    }
    assert_eq!(text(&output.stdout), "exit 1\n");
    let expected = "small/out.gguf: cannot write: No space left on device";
    assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
}
