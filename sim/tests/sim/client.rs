//! A simulator that is served, and somebody who asks it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_sim::brain::Script;
use lorgnette_sim::cloud::Cloud;
use lorgnette_sim::desk::Desk;
use lorgnette_sim::glasses::{Glasses, Options};
use lorgnette_sim::live::{Simulator, Stopwatch, Threads};
use lorgnette_sim::server::Server;
use lorgnette_sim::source::Scenes;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// A simulator that answers by a script.
pub(crate) struct Served {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) address: SocketAddr,
    pub(crate) page: String,
    threads: Option<Threads>,
    _end: oneshot::Sender<()>,
}

/// What came for a request.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.simulator.stop();
        self.threads.take().into_iter().for_each(Threads::join);
    }
}

impl Served {
    pub(crate) async fn start(listen: &str, sessions: &Path) -> Self {
        Self::with_cloud(listen, sessions, Cloud::default()).await
    }

    /// One that asks agents in the mode `contemplating`.
    pub(crate) async fn with_cloud(listen: &str, sessions: &Path, cloud: Cloud) -> Self {
        let glasses = Glasses::new(Options::default(), Arc::new(Stopwatch::default()));
        let answers = vec!["Nordic Seeds, 39 g".to_owned()];
        let brain = Script::new(answers, Duration::ZERO, glasses.clock()).into_brain();
        let desk = Desk::new(glasses, Scenes::bundled().unwrap()).with_cloud(cloud);
        let (simulator, threads) = Simulator::start(desk, brain, sessions.to_owned()).unwrap();
        let server = Server::bind(listen.parse().unwrap(), Arc::clone(&simulator), None).await.unwrap();
        let (page, (end, ended)) = (server.address(), oneshot::channel::<()>());
        let address = page.strip_prefix("http://").unwrap().split('/').next().unwrap().parse().unwrap();
        tokio::spawn(server.serve(async move { drop(ended.await) }));
        Self { simulator, address, page, threads: Some(threads), _end: end }
    }

    /// A request with those headers beside the usual.
    pub(crate) async fn request(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let port = self.address.port();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut head = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        let usual = [("Host", format!("127.0.0.1:{port}")), ("Content-Length", body.len().to_string())];
        for (name, value) in usual.iter().filter(|(usual, _)| !headers.iter().any(|(name, _)| name == usual))
        {
            head += &format!("{name}: {value}\r\n");
        }
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        head += "\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever refuses a body need not read it.
        drop(stream.write_all(body).await);
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes).await);
        let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body: bytes[split + 4..].to_vec() }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request(&format!("GET {path}"), &[], b"").await
    }

    pub(crate) async fn input(&self, json: &str) -> Reply {
        self.request("POST /api/input", &[], json.as_bytes()).await
    }

    /// A WebSocket, as a page of `origin` would open it; the status where it is refused.
    pub(crate) async fn socket(&self, origin: &str) -> Result<WebSocketStream<TcpStream>, u16> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let mut request = format!("ws://{}/ws", self.address).into_client_request().unwrap();
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn own_socket(&self) -> WebSocketStream<TcpStream> {
        self.socket(&format!("http://{}", self.address)).await.unwrap()
    }

    /// Waits until an event comes that `wanted` wants.
    pub(crate) async fn await_event(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut since = 0;
        for _ in 0..3_000 {
            let events = self.get(&format!("/api/events?since={since}")).await.json();
            since = events["next"].as_u64().unwrap();
            if let Some(found) = events["events"].as_array().unwrap().iter().find(|event| wanted(event)) {
                return found.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never came");
    }
}
