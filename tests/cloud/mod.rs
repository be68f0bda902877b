//! A server that completes chats on loopback, and counts its connections.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

/// What the model `planner` says.
const PLAN: &str =
    r#"{"parts": [{"role": "guide", "question": "Where?"}, {"role": "clock", "question": "When?"}]}"#;

/// A server whose model `planner` has two parts for agents, and whose others always say the same.
pub(crate) struct Cloud {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || serve(stream.unwrap()));
            }
        });
        Self { port, connections }
    }

    /// Its table in a configuration, to which more can be added.
    pub(crate) fn endpoint(&self) -> String {
        let port = self.port;
        format!("[[endpoint]]\nname = \"here\"\nurl = \"http://127.0.0.1:{port}/v1\"\nmodel = \"m\"\n")
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers each request of a connection.
fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let said = if body["model"] == "planner" { PLAN } else { "Miami." };
        let choice = json!({"delta": {"content": said}, "finish_reason": "stop"});
        let events = format!("data: {}\n\ndata: [DONE]\n\n", json!({"choices": [choice]}));
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
        let reply = format!("{head}content-length: {}\r\n\r\n{events}", events.len());
        stream.write_all(reply.as_bytes()).unwrap();
    }
}
