//! A server that completes chats, or does not, on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// The text in pieces of four characters, an end, and the usage.
    Stream(String),
    /// As `Stream`, each piece after a wait.
    Slow(String, Duration),
    /// The whole answer as one document.
    Document(String),
    /// These events, and the end of the connection.
    Events(Vec<String>),
    /// A status with headers and a body.
    Status(u16, &'static [(&'static str, &'static str)], &'static str),
    /// The beginning of the text; then the connection closes within a chunk.
    Cut(String),
    /// The beginning of the text; then nothing more.
    Stall(String),
    /// Text without an end.
    Endless,
    /// An event without an end.
    EndlessLine,
    /// Comments without an end.
    EndlessComments,
    /// Headers, one byte at a time, without an end.
    SlowHeaders,
    /// Nothing.
    Silence,
    /// Bytes that are no HTTP.
    Noise,
    /// The connection closes.
    HangUp,
    /// Waits until so many requests wait here, then goes on.
    Together(usize, Box<Reaction>),
}

/// What a request was.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) head: String,
    pub(crate) body: Value,
    pub(crate) bytes: usize,
}

impl Seen {
    pub(crate) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap()
    }

    /// The text of the question.
    pub(crate) fn text(&self) -> String {
        let content = &self.body["messages"][1]["content"];
        content.as_str().or(content[0]["text"].as_str()).unwrap().to_owned()
    }
}

/// A port at which nobody listens.
pub(crate) fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

type Script = dyn Fn(&Seen, usize) -> Reaction + Send + Sync;

pub(crate) struct Server {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    script: Box<Script>,
    connections: AtomicUsize,
    open: watch::Sender<usize>,
    waiting: watch::Sender<usize>,
    seen: Mutex<Vec<Seen>>,
}

impl Server {
    /// A server that reacts as `script` says, which is told the request and its number, from 0.
    pub(crate) async fn start(script: impl Fn(&Seen, usize) -> Reaction + Send + Sync + 'static) -> Self {
        Self::start_at(0, script).await
    }

    /// As `start`, at a port that was used before.
    pub(crate) async fn start_at(
        port: u16,
        script: impl Fn(&Seen, usize) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            connections: AtomicUsize::new(0),
            open: watch::Sender::new(0),
            waiting: watch::Sender::new(0),
            seen: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { port, shared, accepting }
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Returns when so many connections are open.
    pub(crate) async fn until_open(&self, count: usize) {
        self.shared.open.subscribe().wait_for(|open| *open == count).await.unwrap();
    }

    /// Returns when so many requests came.
    pub(crate) async fn until_seen(&self, count: usize) {
        while self.seen().len() < count {
            sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        shared.open.send_modify(|open| *open += 1);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            serve(stream, &shared).await;
            shared.open.send_modify(|open| *open -= 1);
        });
    }
}

/// Serves a connection until either side ends it.
async fn serve(stream: TcpStream, shared: &Shared) {
    stream.set_nodelay(true).unwrap();
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(seen) = read_request(&mut reader).await {
        let number = {
            let mut all = shared.seen.lock().unwrap();
            all.push(seen.clone());
            all.len() - 1
        };
        let reaction = (shared.script)(&seen, number);
        // Who asked may go away at any time: then there is something to read, the end.
        let goes_on = tokio::select! {
            goes_on = react(reaction, &mut writer, shared) => goes_on.unwrap_or(false),
            _ = reader.fill_buf() => false,
        };
        if !goes_on {
            break;
        }
    }
}

async fn read_request(reader: &mut BufReader<tokio::net::tcp::OwnedReadHalf>) -> Option<Seen> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head.to_ascii_lowercase();
    let length = length.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.ok()?;
    let body = serde_json::from_slice(&body).unwrap();
    Some(Seen { at: Instant::now(), head, body, bytes: length })
}

/// Reacts; whether the connection can be used for another request.
async fn react(reaction: Reaction, out: &mut OwnedWriteHalf, shared: &Shared) -> std::io::Result<bool> {
    match reaction {
        Reaction::Stream(text) => stream(out, &text, Duration::ZERO).await?,
        Reaction::Slow(text, wait) => stream(out, &text, wait).await?,
        Reaction::Document(text) => {
            let choice = json!({"message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
            let body = json!({"choices": [choice]}).to_string();
            status(out, 200, &[("content-type", "application/json")], &body).await?;
        }
        Reaction::Events(events) => {
            head(out).await?;
            for event in events {
                chunk(out, &format!("data: {event}\n\n")).await?;
            }
            out.write_all(b"0\r\n\r\n").await?;
        }
        Reaction::Status(code, headers, body) => status(out, code, headers, body).await?,
        Reaction::Cut(text) => {
            head(out).await?;
            pieces(out, &text, Duration::ZERO).await?;
            out.write_all(b"100\r\ndata: {\"choices\": [{\"del").await?;
            return Ok(false);
        }
        Reaction::Stall(text) => {
            head(out).await?;
            pieces(out, &text, Duration::ZERO).await?;
            return std::future::pending().await;
        }
        Reaction::Endless => {
            head(out).await?;
            loop {
                chunk(out, &piece("and so on ")).await?;
                tokio::task::yield_now().await;
            }
        }
        Reaction::EndlessLine => {
            head(out).await?;
            loop {
                chunk(out, &"x".repeat(4096)).await?;
            }
        }
        Reaction::EndlessComments => {
            head(out).await?;
            loop {
                chunk(out, ": still here\n\n").await?;
                sleep(Duration::from_millis(5)).await;
            }
        }
        Reaction::SlowHeaders => {
            for byte in b"HTTP/1.1 200 OK\r\nx: ".iter().chain(std::iter::repeat(&b'x')) {
                out.write_all(&[*byte]).await?;
                sleep(Duration::from_millis(5)).await;
            }
        }
        Reaction::Silence => return std::future::pending().await,
        Reaction::Noise => {
            out.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await?;
            return Ok(false);
        }
        Reaction::HangUp => return Ok(false),
        Reaction::Together(count, reaction) => {
            shared.waiting.send_modify(|waiting| *waiting += 1);
            shared.waiting.subscribe().wait_for(|waiting| *waiting >= count).await.unwrap();
            return Box::pin(react(*reaction, out, shared)).await;
        }
    }
    Ok(true)
}

async fn stream(out: &mut OwnedWriteHalf, text: &str, wait: Duration) -> std::io::Result<()> {
    head(out).await?;
    pieces(out, text, wait).await?;
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 20});
    chunk(out, &event(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}))).await?;
    chunk(out, &event(&json!({"choices": [], "usage": usage}))).await?;
    chunk(out, "data: [DONE]\n\n").await?;
    out.write_all(b"0\r\n\r\n").await
}

async fn pieces(out: &mut OwnedWriteHalf, text: &str, wait: Duration) -> std::io::Result<()> {
    let characters: Vec<char> = text.chars().collect();
    for four in characters.chunks(4) {
        sleep(wait).await;
        chunk(out, &piece(&four.iter().collect::<String>())).await?;
    }
    Ok(())
}

pub(crate) fn piece(text: &str) -> String {
    event(&json!({"choices": [{"delta": {"content": text}}]}))
}

fn event(event: &Value) -> String {
    format!("data: {event}\n\n")
}

async fn head(out: &mut OwnedWriteHalf) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
    out.write_all(head.as_bytes()).await
}

async fn chunk(out: &mut OwnedWriteHalf, data: &str) -> std::io::Result<()> {
    out.write_all(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes()).await
}

async fn status(
    out: &mut OwnedWriteHalf,
    code: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<()> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head =
        format!("HTTP/1.1 {code} Some Reason\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
    out.write_all(head.as_bytes()).await
}
