//! `lorgnette run` on recordings and on what is not there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lorgnette"))
        .args(["run", "--senses", "--devices", "."])
        .args(arguments)
        .current_dir(folder)
        .env("ALSA_CONFIG_PATH", folder.join("asound.conf"))
        .output()
        .unwrap()
}

/// Twelve pictures of 8 x 8, the first six dark and the others with a bright half, at 10 a second.
fn video() -> Vec<u8> {
    let mut bytes = b"YUV4MPEG2 W8 H8 F10:1 C420\n".to_vec();
    for picture in 0..12 {
        bytes.extend(b"FRAME\n");
        let luma = |i: usize| if picture >= 6 && i % 8 >= 4 { 220 } else { 20 };
        bytes.extend((0..64).map(luma).chain([128; 32]));
    }
    bytes
}

/// 0.3 s of a square wave at a quarter of full scale, mono, 16 bits, 16 kHz.
fn sound() -> Vec<u8> {
    let samples = (0..4800).map(|i| if i % 40 < 20 { 8192_i16 } else { -8192 });
    let mut bytes = b"RIFF\xa4\x25\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes.extend(16_000_u32.to_le_bytes().into_iter().chain(32_000_u32.to_le_bytes()));
    bytes.extend(b"\x02\0\x10\0data\x80\x25\0\0");
    bytes.extend(samples.flat_map(i16::to_le_bytes));
    bytes
}

#[test]
fn recordings_are_counted_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("view.y4m"), video()).unwrap();
    fs::write(folder.path().join("voice.wav"), sound()).unwrap();
    let output = run(folder.path(), &["--camera", "view.y4m", "--microphone", "voice.wav", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let camera = &summary["camera"];
    let count = |key: &str| camera[key].as_u64().unwrap();
    assert_eq!((count("width"), count("damaged")), (8, 0));
    // A busy machine skips pictures, and may find the recording over while some of them were not counted.
    assert!((1..=12).contains(&(count("frames") + count("dropped"))), "{summary}");
    assert!((1..=count("frames").min(2)).contains(&count("let_through")), "{summary}");
    let microphone = &summary["microphone"];
    let number = |key: &str| microphone[key].as_f64().unwrap();
    assert!((number("seconds") - 0.3).abs() < 0.041, "{summary}");
    assert!((number("peak_dbfs") + 12.0).abs() < 1.5, "{summary}");
}

#[test]
fn one_sense_is_enough_and_none_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("voice.wav"), sound()).unwrap();
    let deaf = run(folder.path(), &["--microphone", "no such microphone"]);
    assert_eq!(deaf.status.code(), Some(1));
    assert!(deaf.stdout.is_empty());
    assert!(String::from_utf8_lossy(&deaf.stderr).starts_with("lorgnette: no camera; "));
    let blind = run(folder.path(), &["--microphone", "voice.wav"]);
    assert!(blind.status.success());
    assert!(String::from_utf8_lossy(&blind.stderr).contains("lorgnette: no camera"));
    assert!(String::from_utf8_lossy(&blind.stdout).starts_with("microphone  0.3 s, peak -1"));
}

/// A model of random weights and its mmproj, converted from a committed checkpoint.
fn model(folder: &Path) -> [PathBuf; 2] {
    let name = "SmolVLM2-tiny-Video-Instruct";
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("quant/tests/data/convert").join(name);
    let checkpoint = data.join("model").join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_lorgnette"))
        .args(["convert", checkpoint.to_str().unwrap(), ".", "--json"])
        .current_dir(folder)
        .output()
        .unwrap();
    let files: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    [0, 1].map(|i| PathBuf::from(files["files"][i].as_str().unwrap()))
}

/// Asks a typed question about a view, through `program`.
fn talk(folder: &Path, program: &[&str]) -> Output {
    let [first, rest @ ..] = program else { panic!("no program") };
    let mut command = Command::new(first);
    command.args(rest);
    talk_by(command, &[], folder)
}

fn talk_by(mut command: Command, options: &[&str], folder: &Path) -> Output {
    let [text, mmproj] = model(folder);
    fs::write(folder.join("view.y4m"), video()).unwrap();
    fs::write(folder.join("voice.wav"), sound()).unwrap();
    let mut child = command
        .args(["run", "--camera", "view.y4m", "--microphone", "voice.wav", "--max-tokens", "8"])
        .args(["--context", "400", "--trace", "trace.json", "--model"])
        .arg(text)
        .arg("--mmproj")
        .arg(mmproj)
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"what is this?\n").unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_typed_question_is_answered_and_leaves_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let output = talk(folder.path(), &[env!("CARGO_BIN_EXE_lorgnette")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.ends_with(b"\n"), "{:?}", String::from_utf8_lossy(&output.stdout));
    let trace = fs::read(folder.path().join("trace.json")).unwrap();
    let trace: serde_json::Value = serde_json::from_slice(&trace).unwrap();
    let names: Vec<_> = trace["traceEvents"].as_array().unwrap().iter().map(|event| &event["name"]).collect();
    for name in ["prefill", "decode", "question_end"] {
        assert!(names.iter().any(|found| *found == name), "{name} is missing: {names:?}");
    }
}

#[test]
fn a_whole_talk_works_without_any_network() {
    let unshare = ["unshare", "--net", "--map-root-user"];
    let allowed = Command::new(unshare[0]).args(&unshare[1..]).arg("true").output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        return left_out("this machine does not let us have a network of our own");
    }
    let folder = tempfile::tempdir().unwrap();
    let program = [&unshare[..], &[env!("CARGO_BIN_EXE_lorgnette")]].concat();
    let output = talk(folder.path(), &program);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.ends_with(b"\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_whole_talk_makes_no_call_for_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    for options in [&[][..], &["--think", "8"], &["--think", "8", "--chains", "2"], &["--route"]] {
        let output = talk_by(sealed::command(env!("CARGO_BIN_EXE_lorgnette")), options, folder.path());
        assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.ends_with(b"\n"));
    }
}

#[cfg(all(target_os = "linux", feature = "cloud"))]
#[test]
fn the_first_call_for_a_socket_is_noticed() {
    use std::os::unix::process::ExitStatusExt;
    let folder = tempfile::tempdir().unwrap();
    let [text, _] = model(folder.path());
    let cloud = "[[endpoint]]\nname = \"here\"\nurl = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n";
    fs::write(folder.path().join("cloud.toml"), cloud).unwrap();
    let mut command = sealed::command(env!("CARGO_BIN_EXE_lorgnette"));
    command.args(["ask", "--mode", "contemplating", "--consent", "text", "--cloud", "cloud.toml"]);
    command.args(["--max-tokens", "4", "What?", "--model"]).arg(text).current_dir(folder.path());
    let output = command.env("XDG_DATA_HOME", folder.path()).output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGSYS), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A program that the kernel ends at its first call for a socket: seccomp, which needs no rights.
#[cfg(target_os = "linux")]
mod sealed {
    use std::io;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// The calls that make a socket, or work without making one.
    const FORBIDDEN: [libc::c_long; 4] =
        [libc::SYS_socket, libc::SYS_socketpair, libc::SYS_connect, libc::SYS_io_uring_setup];

    pub(super) fn command(program: &str) -> Command {
        let mut command = Command::new(program);
        // SAFETY: between fork and exec only two system calls are made, with what lives on the stack.
        unsafe { command.pre_exec(seal) };
        command
    }

    fn seal() -> io::Result<()> {
        let rule =
            |code: u32, k: u32, unless: u8| libc::sock_filter { code: code as u16, jt: 0, jf: unless, k };
        let load = |offset: u32| rule(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0);
        let unless =
            |number: libc::c_long| rule(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number as u32, 1);
        let answer = |k: u32| rule(libc::BPF_RET | libc::BPF_K, k, 0);
        let end = libc::SECCOMP_RET_KILL_PROCESS;
        let [a, b, c, d] = FORBIDDEN;
        let mut rules = [
            load(0),
            unless(a),
            answer(end),
            unless(b),
            answer(end),
            unless(c),
            answer(end),
            unless(d),
            answer(end),
            answer(libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog { len: rules.len() as u16, filter: rules.as_mut_ptr() };
        // SAFETY: the program and its rules live through the calls, which copy them.
        let sealed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
        };
        if sealed { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[allow(clippy::print_stderr, reason = "a test says what it leaves out")]
fn left_out(why: &str) {
    eprintln!("left out: {why}");
}
