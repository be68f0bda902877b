//! A simulator of its own for each test, and what the browser's camera and microphone play.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// `lorgnette sim` on a free port.
pub(crate) struct Simulator {
    /// Of its page.
    pub(crate) address: String,
    program: Child,
    folder: TempDir,
}

impl Simulator {
    /// Starts one with those arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_lorgnette"))
            .args(["sim", "--listen", "127.0.0.1:0", "--sessions", "sessions"])
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(program.stdout.take().unwrap());
        let line = output.lines().map_while(Result::ok).find(|line| line.contains("http://")).unwrap();
        let address = line[line.find("http://").unwrap()..].split_whitespace().next().unwrap().to_owned();
        Self { address, program, folder }
    }

    /// What an HTTP request gets.
    pub(crate) fn get(&self, path: &str) -> String {
        let host = self.address.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Two seconds of a picture with a dark left half and a bright right half.
    pub(crate) fn video(&self) -> PathBuf {
        let mut bytes = b"YUV4MPEG2 W320 H240 F10:1 C420\n".to_vec();
        for _ in 0..20 {
            bytes.extend(b"FRAME\n");
            bytes.extend((0..320 * 240).map(|i| if i % 320 < 160 { 20 } else { 225 }));
            bytes.extend([128; 320 * 240 / 2]);
        }
        self.keep("view.y4m", &bytes)
    }

    /// A question, and two seconds of silence after it.
    pub(crate) fn sound(&self) -> PathBuf {
        let scenes = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pico/scenes");
        let mut bytes = fs::read(scenes.join("shelf.wav")).unwrap();
        bytes.resize(bytes.len() + 64_000, 0);
        let data = bytes.windows(4).position(|four| four == b"data").unwrap();
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[4..8].copy_from_slice(&(length - 8).to_le_bytes());
        bytes[data + 4..data + 8].copy_from_slice(&(length - data as u32 - 8).to_le_bytes());
        self.keep("question.wav", &bytes)
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}
