//! Connections to servers, and the threads they live on.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::service::{Peer, RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;

use super::ServerConfig;
use super::client::{Client, late, no_connection, tools};
use super::process::Process;
use super::served::Served;
use crate::tool::{Effect, Tool, ToolError, ToolErrorKind, block_on};

/// Bytes of a message of a server at most.
const LARGEST_MESSAGE: usize = 1 << 20;
/// Bytes that a server over stdio may send in its life.
const MOST_BYTES: u64 = 256 << 20;
/// For a connection to the address of a server.
const CONNECT_TIME: Duration = Duration::from_millis(1500);

/// Where connections to servers live. It stays as long as one of their tools.
#[derive(Clone)]
pub struct Host(Arc<Threads>);

struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        // Who drops the last tool may be a task, which must not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A server. Dropped, it is told to go, and killed if it is a child.
pub(super) struct Connection {
    // The connection is closed before the child is killed, and both before the threads go.
    service: RunningService<RoleClient, Client>,
    _process: Option<Process>,
    host: Host,
}

impl Connection {
    pub(super) fn peer(&self) -> Peer<RoleClient> {
        self.service.peer().clone()
    }

    pub(super) fn handle(&self) -> &Handle {
        self.host.handle()
    }
}

impl Host {
    /// One thread for all connections.
    ///
    /// # Errors
    /// [`ToolErrorKind::Unavailable`] when the system has none.
    pub fn new() -> Result<Self, ToolError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("mcp").enable_all().build();
        let runtime = runtime.map_err(|e| ToolError::new(ToolErrorKind::Unavailable, e.to_string()))?;
        Ok(Self(Arc::new(Threads(Some(runtime)))))
    }

    /// Connects to a server, within `time` (the thread waits), and returns the tools that its configuration names. A tool of a server that
    /// is not on this machine at least [sends](Effect::Sends), whatever the configuration says.
    ///
    /// # Errors
    /// [`ToolErrorKind::Unavailable`] when it does not start or answer, [`ToolErrorKind::TimedOut`],
    /// [`ToolErrorKind::Protocol`], and [`ToolErrorKind::Spec`] when it has not a tool that is named.
    pub fn connect(&self, config: &ServerConfig, time: Duration) -> Result<Vec<Arc<dyn Tool>>, ToolError> {
        let (host, config) = (self.clone(), config.clone());
        let name = config.name.clone();
        let connecting = async move {
            let connected = timeout(time, host.connected(&config)).await;
            connected.unwrap_or_else(|_| Err(late(time)))
        };
        let connected = block_on(self.handle().spawn(connecting));
        let connected = connected.map_err(|e| ToolError::new(ToolErrorKind::Unavailable, e.to_string()));
        connected.and_then(|connected| connected).map_err(|e| e.of(&name))
    }

    async fn connected(self, config: &ServerConfig) -> Result<Vec<Arc<dyn Tool>>, ToolError> {
        let connection = match config.command.is_empty() {
            true => self.over_http(config).await?,
            false => self.over_stdio(config).await?,
        };
        let offered = tools(&connection.peer()).await?;
        let mut offered: BTreeMap<_, _> =
            offered.into_iter().map(|tool| (tool.name.to_string(), tool)).collect();
        let connection = Arc::new(connection);
        let least = if config.is_local() { Effect::Reads } else { Effect::Sends };
        let taken = config.tools.iter().map(|(name, effect)| {
            let missing = || ToolError::new(ToolErrorKind::Spec, format!("it has no tool {name}"));
            let tool = offered.remove(name).ok_or_else(missing)?;
            Ok(Arc::new(Served::new(tool, least.max(*effect), connection.clone())) as Arc<dyn Tool>)
        });
        taken.collect()
    }

    async fn over_stdio(self, config: &ServerConfig) -> Result<Connection, ToolError> {
        let unavailable = |e: std::io::Error| ToolError::new(ToolErrorKind::Unavailable, e.to_string());
        let (process, stdin, stdout) = Process::start(config).map_err(unavailable)?;
        let stdin = ChildStdin::from_std(stdin).map_err(unavailable)?;
        let stdout = ChildStdout::from_std(stdout).map_err(unavailable)?.take(MOST_BYTES);
        let transport = AsyncRwTransport::new(stdout, stdin).with_max_line_length(LARGEST_MESSAGE);
        let service = Client.serve(transport).await.map_err(no_connection)?;
        Ok(Connection { service, _process: Some(process), host: self })
    }

    async fn over_http(self, config: &ServerConfig) -> Result<Connection, ToolError> {
        let mut transport = StreamableHttpClientTransportConfig::with_uri(config.url.as_str())
            .max_sse_event_size(LARGEST_MESSAGE)
            .reinit_on_expired_session(true);
        if let Some(name) = &config.token_env {
            let missing = |_| ToolError::new(ToolErrorKind::Unavailable, format!("{name} is not set"));
            transport = transport.auth_header(env::var(name).map_err(missing)?);
        }
        let transport = StreamableHttpClientTransport::with_client(http_client()?, transport);
        let service = Client.serve(transport).await.map_err(no_connection)?;
        Ok(Connection { service, _process: None, host: self })
    }

    fn handle(&self) -> &Handle {
        match &self.0.0 {
            Some(runtime) => runtime.handle(),
            None => unreachable!("it is taken when dropped"),
        }
    }
}

/// A client that goes nowhere but to the address it is given: no redirects, no proxies of the system.
fn http_client() -> Result<reqwest::Client, ToolError> {
    let unavailable = |detail: String| ToolError::new(ToolErrorKind::Unavailable, detail);
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let tls = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| unavailable(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIME)
        .build()
        .map_err(|e| unavailable(e.to_string()))
}
