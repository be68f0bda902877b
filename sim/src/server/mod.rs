//! The page, and the API by which it and others drive a simulator. `docs/sim-api.md` describes it.

mod answer;
mod api;
mod guard;
mod page;
mod socket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use self::guard::Guard;
use crate::live::Simulator;
use crate::{Error, Result};

/// Bytes of an input or another small request at most.
const BODY: usize = 64 << 10;

/// Bytes of a picture or a sound at most.
const UPLOAD: usize = 8 << 20;

/// WebSockets at the same time at most.
const SOCKETS: usize = 64;

/// A simulator that is served.
pub struct Server {
    listener: TcpListener,
    state: Arc<Shared>,
    guard: Guard,
}

/// What requests share.
struct Shared {
    simulator: Arc<Simulator>,
    /// The folder of the page, where it is not the one in the program.
    page: Option<PathBuf>,
    sockets: Arc<Semaphore>,
    /// The number of the last socket.
    last: AtomicU64,
}

impl Server {
    /// Listens on `address`; on other addresses than those of this machine alone only to those who have a token, which
    /// is made here. The page is that of the folder `page`, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when nobody can listen there.
    pub async fn bind(address: SocketAddr, simulator: Arc<Simulator>, page: Option<PathBuf>) -> Result<Self> {
        let cannot = |error| Error::io(address, "listen", &error);
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let guard = Guard::new(address)?;
        let sockets = Arc::new(Semaphore::new(SOCKETS));
        let state = Arc::new(Shared { simulator, page, sockets, last: AtomicU64::new(0) });
        Ok(Self { listener, state, guard })
    }

    /// The address of the page, with the token where one is needed.
    pub fn address(&self) -> String {
        self.guard.page()
    }

    /// Serves until `end` is over.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the system lets nobody in any more.
    pub async fn serve(self, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let upload = || DefaultBodyLimit::max(UPLOAD);
        let routes = Router::new()
            .route("/api/ping", get(api::ping))
            .route("/api/hello", get(api::hello))
            .route("/api/state", get(api::state))
            .route("/api/input", post(api::input))
            .route("/api/events", get(api::events))
            .route("/api/screenshot", get(api::screenshot))
            .route("/api/view", get(api::view))
            .route("/api/scenes", get(api::scenes))
            .route("/api/scenes/{name}/picture", get(api::scene_picture))
            .route("/api/picture", post(api::drop_picture).layer(upload()))
            .route("/api/sound", post(api::drop_sound).layer(upload()))
            .route("/api/scenario", get(api::scenario))
            .route("/api/trace", get(api::trace))
            .route("/api/ledger", get(api::ledger))
            .route("/api/recordings", get(api::recordings))
            .route("/ws", any(socket::upgrade))
            .fallback(get(page::file))
            .layer(DefaultBodyLimit::max(BODY))
            .layer(from_fn_with_state(Arc::new(self.guard), guard::check))
            .with_state(self.state);
        let served = axum::serve(self.listener, routes);
        // Sockets that are open when it ends are closed with the process; nobody waits for them.
        tokio::select! {
            served = served.into_future() => served.map_err(|error| Error::io("listener", "serve", &error)),
            () = end => Ok(()),
        }
    }
}
