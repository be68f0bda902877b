//! What contemplating costs, as Markdown: `cargo bench --workspace --bench contemplating`.
//! `make cloud-bench` puts it into docs/benchmarks.md.
//!
//! The server is that of the tests, on loopback, in the same thread: what it takes is part of the figures.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a program for developers")]

#[path = "../tests/contemplating/server.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod server;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lorgnette_runtime::Result;
use lorgnette_runtime::mode::contemplating::{
    Asked, Config, Consents, Contemplator, Event, Events, Kind, Ledger, Source, Term,
};
use serde_json::json;
use server::{Reaction, Seen, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// What the server waits before each piece of four characters.
const WAIT: Duration = Duration::from_millis(20);
/// Fifty pieces: a second.
const PIECES: usize = 50;
const ROUNDS: usize = 5;
const REQUESTS: usize = 200;
const AT_ONCE: usize = 50;

fn main() {
    alone(speed());
    alone(overhead());
    alone(crowd());
    alone(cancel());
}

/// A part of the figures, with nothing left of the others.
fn alone(part: impl Future<Output = ()>) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(part);
}

async fn speed() {
    println!("### Four agents, {PIECES} pieces of text each, one every {} ms\n", WAIT.as_millis());
    println!(
        "| agents | first text of an agent | first text of the answer | whole answer |\n|---|---|---|---|"
    );
    for (name, at_once) in [("one after the other", 1), ("at the same time", 8)] {
        let mut times: Vec<_> = Vec::new();
        for _ in 0..ROUNDS {
            times.push(latency(at_once).await);
        }
        let cell = |i: usize| format!("{:.2} s", median(times.iter().map(|times| times[i])).as_secs_f64());
        println!("| {name} | {} | {} | {} |", cell(0), cell(1), cell(2));
    }
}

/// Until an agent's first text, the answer's first text, the end.
async fn latency(at_once: usize) -> [Duration; 3] {
    let server = Server::start(|seen, _| slowly(seen)).await;
    let folder = tempfile::tempdir().unwrap();
    let contemplator = contemplator(server.port, 4, at_once, folder.path());
    let (events, mut heard) = Events::channel();
    let start = Instant::now();
    let asked = asked();
    let answering = async { contemplator.contemplate(&asked, Box::new(local), &{ events }).await.unwrap() };
    let listening = async {
        let [mut partial, mut piece] = [None; 2];
        while let Some(event) = heard.recv().await {
            match event {
                Event::Partial { .. } => partial.get_or_insert(start.elapsed()),
                Event::Piece { .. } => piece.get_or_insert(start.elapsed()),
                _ => continue,
            };
        }
        [partial, piece].map(Option::unwrap)
    };
    let (outcome, [partial, piece]) = tokio::join!(answering, listening);
    assert_eq!(outcome.source, Source::Cloud { shortfall: None });
    [partial, piece, start.elapsed()]
}

/// What a request takes beside what the server and the network do.
async fn overhead() {
    let server = Server::start(|_, _| Reaction::Stream("Yes.".to_owned())).await;
    let mut bare = Vec::new();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for _ in 0..REQUESTS {
        let start = Instant::now();
        bare_request(&mut stream).await;
        bare.push(start.elapsed());
    }
    println!("\n### One request, median of {REQUESTS}\n");
    println!("| | time |\n|---|---|");
    println!("| bytes over a socket, nothing else | {:.2} ms |", milliseconds(median(bare)));
    for (name, folder) in [
        ("ledger in memory", tempfile::tempdir_in("/dev/shm")),
        ("ledger on disk", tempfile::tempdir_in(".")),
    ] {
        let folder = folder.unwrap();
        // A single agent, and the writer: two requests.
        let contemplator = contemplator(server.port, 1, 8, folder.path());
        let mut ours = Vec::new();
        for _ in 0..REQUESTS / 2 {
            let start = Instant::now();
            let outcome =
                contemplator.contemplate(&asked(), Box::new(local), &Events::unheard()).await.unwrap();
            assert_eq!(outcome.spending.requests, 2);
            ours.push(start.elapsed() / 2);
        }
        println!("| of a contemplation with two, {name} | {:.2} ms |", milliseconds(median(ours)));
    }
}

async fn bare_request(stream: &mut TcpStream) {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "?"}, {"role": "user", "content": "?"}]});
    let body = body.to_string();
    let request = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"0\r\n\r\n") {
        assert!(stream.read_buf(&mut response).await.unwrap() > 0);
    }
}

async fn crowd() {
    println!("\n### {AT_ONCE} contemplations at the same time, six requests each\n");
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let server = Server::start(|seen, _| slowly(seen)).await;
    let folder = tempfile::tempdir().unwrap();
    let contemplator = Arc::new(contemplator(server.port, 4, 1000, folder.path()));
    let mut all = JoinSet::new();
    let start = Instant::now();
    for _ in 0..AT_ONCE {
        let contemplator = Arc::clone(&contemplator);
        all.spawn(async move {
            contemplator.contemplate(&asked(), Box::new(local), &Events::unheard()).await.unwrap()
        });
    }
    let outcomes = all.join_all().await;
    let whole = outcomes.iter().filter(|outcome| outcome.source == Source::Cloud { shortfall: None }).count();
    println!("| whole answers | time for all | requests | connections |\n|---|---|---|---|");
    let (time, requests) = (start.elapsed().as_secs_f64(), server.seen().len());
    println!("| {whole} | {time:.2} s | {requests} | {} |\n", server.connections());
    drop(contemplator);
    server.until_open(0).await;
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let left = tokio::runtime::Handle::current().metrics().num_alive_tasks() - tasks;
    println!("Afterwards no connection is open, and {left} tasks more than before are alive.");
}

/// From giving up to the last connection closed, as the server sees it.
async fn cancel() {
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        let server = Server::start(|seen, _| match seen.model() {
            "agent" => Reaction::Silence,
            _ => slowly(seen),
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let contemplator = contemplator(server.port, 4, 8, folder.path());
        let (asked, unheard) = (asked(), Events::unheard());
        tokio::select! {
            _ = contemplator.contemplate(&asked, Box::new(local), &unheard) => panic!("nobody answers"),
            () = server.until_seen(5) => {}
        }
        let start = Instant::now();
        server.until_open(0).await;
        longest = longest.max(start.elapsed());
    }
    println!("\n### To cancel\n");
    println!(
        "Until the server saw the last of four requests closed: {:.2} ms, the longest of 20.",
        milliseconds(longest)
    );
}

fn slowly(seen: &Seen) -> Reaction {
    let part = |number: usize| json!({"role": "expert", "question": number.to_string()});
    let parts: Vec<_> = (0..4).map(part).collect();
    match seen.model() {
        "planner" => Reaction::Stream(json!({"parts": parts}).to_string()),
        _ => Reaction::Slow("word".repeat(PIECES), WAIT),
    }
}

fn contemplator(port: u16, agents: usize, at_once: usize, folder: &Path) -> Contemplator {
    let text = format!(
        "no_critic = true\n[budget]\nagents = {agents}\n[[endpoint]]\nname = \"here\"\nurl = \"http://127.0.0.1:{port}/v1\"\n\
         model = \"agent\"\nmodels = {{ planner = \"planner\", writer = \"writer\" }}\nat_once = {at_once}\n"
    );
    let path = folder.join("cloud.toml");
    std::fs::write(&path, text).unwrap();
    let consents = Consents::default();
    consents.allow(Kind::Text, Term::Always);
    let ledger = Ledger::open(&folder.join("ledger.sqlite")).unwrap();
    Contemplator::new(&Config::read(&path).unwrap(), Arc::new(consents), ledger).unwrap()
}

fn asked() -> Asked {
    Asked { words: "Plan a weekend in Florida.".to_owned(), ..Asked::default() }
}

fn local(on: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<()> {
    let _ = on("The device's answer.");
    Ok(())
}

fn median(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
