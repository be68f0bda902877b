//! Servers that complete chats: how they are asked, what can go wrong, and which is asked next.

mod availability;
mod key;
mod pool;
mod reply;
mod response;
mod settings;
mod sse;
mod tls;

use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, Url};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::availability::Availability;
pub use self::availability::OFFLINE;
use self::key::Key;
pub use self::key::KeySource;
pub use self::pool::Endpoints;
pub(super) use self::reply::{ProposedCall, Reply};
pub use self::settings::{Settings, Structured};
use super::budget::{Meter, Reservation, Tokens};
use super::error::{Error, ErrorKind, Result};
use super::event::Voice;
use super::ledger::{Entry, Ledger, State};
use super::request::Request;

/// For how long a connection may take to come about, name and TLS included.
pub const CONNECT: Duration = Duration::from_millis(1500);
/// For how long a connection that is not used is kept.
const IDLE: Duration = Duration::from_secs(60);
/// Without an answer to what was sent the system gives a connection up.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A server.
#[derive(Debug)]
struct Endpoint {
    settings: Settings,
    url: Url,
    /// Scheme, host and port.
    destination: String,
    key: Option<Key>,
    client: Client,
    slots: Semaphore,
    availability: Availability,
}

/// What a request is sent with.
#[derive(Clone, Copy, Debug)]
struct Errand<'a> {
    request: &'a Request,
    ledger: &'a Ledger,
    meter: &'a Meter,
    voice: &'a Voice,
}

impl Endpoint {
    /// `folder` is that of the files it names.
    fn new(settings: Settings, folder: &Path) -> crate::Result<Self> {
        let url = settings.checked_url()?;
        let key = settings.key.as_ref().map(|source| Key::read(source, folder)).transpose()?;
        let ca = settings.ca.as_ref().map(|path| folder.join(path));
        Ok(Self {
            destination: url.origin().ascii_serialization(),
            url,
            key,
            client: client(ca.as_deref())?,
            slots: Semaphore::new(settings.at_once),
            availability: Availability::default(),
            settings,
        })
    }

    /// Sends a request once, and reads the answer into `reply`, which may hold the beginning of it already.
    async fn send(&self, errand: Errand<'_>, reply: &mut Reply) -> Result<()> {
        let mut wait = None;
        let outcome = self.exchange(errand, reply, &mut wait).await;
        let outcome = outcome.map_err(|e| self.without_key(e).at(&self.settings.name));
        self.availability.learn(outcome.as_ref().map(|_| ()).map_err(Error::kind), wait);
        outcome
    }

    async fn exchange(
        &self,
        errand: Errand<'_>,
        reply: &mut Reply,
        wait: &mut Option<Duration>,
    ) -> Result<()> {
        let closed = |_| Error::new(ErrorKind::Offline, "closed");
        let _slot = self.slots.acquire().await.map_err(closed)?;
        let mut reservation =
            errand.meter.reserve(self.settings.price, errand.request.tokens(&self.settings))?;
        if reply.is_empty() {
            *reply = Reply::of_at_most(reservation.output());
        }
        let response = self.post(errand, &mut reservation, &reply.text).await?;
        let accepted = response::accept(response, wait).await;
        // Who refuses, reads nothing.
        accepted.as_ref().err().inspect(|_| reservation.spend(Tokens::default()));
        let mut response = accepted?;
        let before = reply.bytes;
        let count = |reply: &Reply, reservation: &mut Reservation| {
            let written = u32::try_from((reply.bytes - before).div_ceil(3)).unwrap_or(u32::MAX);
            let estimate = Tokens { input: reservation.input(), output: written };
            reservation.spend(reply.usage.unwrap_or(estimate));
        };
        let stall = Duration::from_secs_f64(self.settings.stall_seconds);
        let mut reader = response::Reader::new(&mut response, stall);
        while let Some(text) = reader.next(reply).await? {
            count(reply, &mut reservation);
            if !text.is_empty() {
                errand.voice.say(&text).await;
            }
        }
        Ok(())
    }

    /// Records the request, and sends it.
    async fn post(
        &self,
        errand: Errand<'_>,
        reservation: &mut Reservation,
        resumed: &str,
    ) -> Result<Response> {
        let refused = |e: crate::Error| Error::new(ErrorKind::Refused, e.to_string());
        let body = errand.request.body(&self.settings, reservation.output(), resumed).map_err(refused)?;
        let body = serde_json::to_vec(&body).map_err(|e| Error::new(ErrorKind::Refused, e.to_string()))?;
        let id = errand.ledger.record(self.entry(errand.request, body.len())).await?;
        if errand.request.question.is_revoked() {
            errand.ledger.settle(id, State::Unsent).await;
            return Err(Error::new(ErrorKind::Revoked, ""));
        }
        reservation.spend(Tokens { input: reservation.input(), output: 0 });
        let mut post = self.client.post(self.url.clone()).body(body);
        post = post.header(CONTENT_TYPE, "application/json").header(ACCEPT, "text/event-stream");
        if let Some(authorization) = self.authorization() {
            post = post.header(AUTHORIZATION, authorization);
        }
        let first_byte = Duration::from_secs_f64(self.settings.first_byte_seconds);
        match timeout(first_byte, post.send()).await {
            Ok(Ok(response)) => {
                errand.ledger.settle(id, State::Sent).await;
                Ok(response)
            }
            Ok(Err(e)) if e.is_connect() => {
                reservation.forget();
                errand.ledger.settle(id, State::Unsent).await;
                Err(Error::new(ErrorKind::Offline, response::cause(&e)))
            }
            // Whether it left is not known: the entry stands as begun.
            Ok(Err(e)) => Err(Error::new(ErrorKind::Cut, response::cause(&e))),
            Err(_) => Err(Error::new(ErrorKind::TimedOut, format!("nothing within {first_byte:?}"))),
        }
    }

    fn entry(&self, request: &Request, bytes: usize) -> Entry {
        let kinds = request.kinds(&self.settings);
        let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        Entry {
            destination: self.destination.clone(),
            kinds: names.join(","),
            bytes,
            purpose: request.role.name().to_owned(),
            consent: request.question.consent_for(&kinds),
        }
    }

    fn authorization(&self) -> Option<HeaderValue> {
        // The key is visible ASCII, which every header takes.
        let mut value = HeaderValue::from_str(&self.key.as_ref()?.bearer()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The same error, should the server have repeated the key in it.
    fn without_key(&self, error: Error) -> Error {
        match &self.key {
            Some(key) => error.map_detail(|detail| key.redact(detail)),
            None => error,
        }
    }
}

/// Asks servers directly, follows no redirect, and sends nothing twice on its own.
fn client(ca: Option<&Path>) -> crate::Result<Client> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls::config(ca)?)
        .user_agent(concat!("lorgnette/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .tcp_keepalive(UNACKNOWLEDGED);
    #[cfg(target_os = "linux")]
    let builder = builder.tcp_user_timeout(UNACKNOWLEDGED);
    builder.build().map_err(|e| crate::Error::new(crate::ErrorKind::Unsupported, "HTTP", response::cause(&e)))
}
