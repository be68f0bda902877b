//! `lorgnette sim`, with a page and without.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn lorgnette(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lorgnette"));
    command.arg("sim").args(arguments).current_dir(folder).env("HOME", folder).env_remove("XDG_DATA_HOME");
    command
}

fn headless(folder: &Path, arguments: &[&str]) -> Output {
    lorgnette(folder, &["--headless"]).args(arguments).output().unwrap()
}

fn write_scenario(folder: &Path, answer: &str) {
    let text = format!(
        "title = \"one question\"\nscript = [\"Yes.\"]\n[[step]]\nat = 0.2\nshow = \"shelf\"\n[[step]]\nat = 0.5\n\
         type = \"really?\"\n[[expect.turn]]\nanswer = \"{answer}\"\n[expect.total]\nanswers = 1\n"
    );
    fs::write(folder.join("one.toml"), text).unwrap();
}

#[test]
fn a_scenario_that_comes_as_expected_is_done_and_leaves_reports() {
    let folder = tempfile::tempdir().unwrap();
    write_scenario(folder.path(), "^Yes");
    let play =
        |arguments: &[&str]| headless(folder.path(), &[&["--scenario", "one.toml"], arguments].concat());
    let output = play(&["--out", "reports", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["passed"], true);
    let read = |name: &str| fs::read(folder.path().join("reports").join(name)).unwrap();
    assert!(String::from_utf8(read("one.xml")).unwrap().contains("tests=\"2\" failures=\"0\""));
    assert!(read("one.png").starts_with(b"\x89PNG"));
    let trace: serde_json::Value = serde_json::from_slice(&read("one.trace.json")).unwrap();
    assert!(!trace["traceEvents"].as_array().unwrap().is_empty());
    let again: serde_json::Value = serde_json::from_slice(&play(&["--json"]).stdout).unwrap();
    assert_eq!(again["scenarios"][0]["trace_hash"], document["scenarios"][0]["trace_hash"]);
}

#[test]
fn a_scenario_that_comes_otherwise_fails_and_says_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    write_scenario(folder.path(), "^No");
    let output = headless(folder.path(), &["--scenario", "one.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("turn 1: answer: found Yes., expected /^No/"), "{text}");
}

#[test]
fn a_file_that_is_no_scenario_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.toml"), "title = \"a\"\n[[step]]\nat = 1\nfly = true\n").unwrap();
    for (file, said) in [("bad.toml", "fly"), ("none.toml", "none.toml")] {
        let output = headless(folder.path(), &["--scenario", file]);
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(said), "{error}");
    }
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_address_that_is_printed_is_that_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = lorgnette(folder.path(), &["--listen", "127.0.0.1:0"]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("The simulator is at http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("<!doctype html>"), "{reply}");
}
