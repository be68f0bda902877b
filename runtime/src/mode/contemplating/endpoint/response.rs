//! What comes back: whether it is an answer at all, and its pieces.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout, timeout_at};

use super::super::error::{Error, ErrorKind, Result};
use super::availability::retry_after;
use super::reply::{Finish, Reply, said};
use super::sse::Parser;

/// Bytes of an answer at most, with all that is around its text.
const MOST_BYTES: usize = 16 << 20;
/// Bytes of an error that are read, and for how long.
const ERROR_BYTES: usize = 8 << 10;
const ERROR_TIME: Duration = Duration::from_secs(2);
/// For how long the end of a stream is awaited after its last event, so that the connection can be used again.
const END: Duration = Duration::from_millis(100);
const DONE: &str = "[DONE]";

/// The response, if it is an answer. Otherwise `wait` is how long the server wants to be left alone.
pub(super) async fn accept(mut response: Response, wait: &mut Option<Duration>) -> Result<Response> {
    let status = response.status();
    if status.is_redirection() {
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        let host =
            to.and_then(|to| response.url().join(to).ok()).map(|url| url.origin().ascii_serialization());
        let detail = format!("{status}, on to {}", host.unwrap_or_default());
        return Err(Error::new(ErrorKind::Portal, detail));
    }
    if !status.is_success() {
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        *wait = header.and_then(retry_after);
        let detail = format!("{status}: {}", error_text(&mut response).await);
        return Err(Error::new(kind(status), detail.trim_end_matches([':', ' '])));
    }
    match media_type(&response) {
        "text/event-stream" | "application/json" => Ok(response),
        found => {
            let kind = if found == "text/html" { ErrorKind::Portal } else { ErrorKind::Malformed };
            Err(Error::new(kind, format!("content-type: found {found:?}, expected \"text/event-stream\"")))
        }
    }
}

fn kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        429 => ErrorKind::RateLimited,
        511 => ErrorKind::Portal,
        408 | 425 | 500..=599 => ErrorKind::Failing,
        _ => ErrorKind::Refused,
    }
}

fn media_type(response: &Response) -> &str {
    let value =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

async fn error_text(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk[..chunk.len().min(ERROR_BYTES - bytes.len())]);
            if bytes.len() == ERROR_BYTES {
                break;
            }
        }
    };
    // What came by then has to do.
    drop(timeout(ERROR_TIME, read).await);
    match serde_json::from_slice(&bytes) {
        Ok(json) => said(&json),
        Err(_) => said(&String::from_utf8_lossy(&bytes).into()),
    }
}

/// Reads an answer, piece by piece.
pub(super) struct Reader<'a> {
    response: &'a mut Response,
    streams: bool,
    stall: Duration,
    parser: Parser,
    events: std::vec::IntoIter<String>,
    bytes: usize,
    /// When something came last.
    last: Instant,
}

impl<'a> Reader<'a> {
    /// Gives an answer up when nothing comes for as long as `stall`.
    pub(super) fn new(response: &'a mut Response, stall: Duration) -> Self {
        let streams = media_type(response) == "text/event-stream";
        let (parser, events) = (Parser::default(), Vec::new().into_iter());
        Self { response, streams, stall, parser, events, bytes: 0, last: Instant::now() }
    }

    /// The text of the next event, which is added to `reply`; `None` at the end.
    pub(super) async fn next(&mut self, reply: &mut Reply) -> Result<Option<String>> {
        if !self.streams {
            return self.whole(reply).await;
        }
        // Who listened to the piece before may have taken long.
        self.last = Instant::now();
        loop {
            match self.events.next() {
                Some(event) if event == DONE => {
                    reply.finish.get_or_insert(Finish::End);
                    drop(timeout(END, self.response.chunk()).await);
                    return Ok(None);
                }
                Some(event) => return reply.push(&event).map(Some),
                None => {}
            }
            let Some(chunk) = self.chunk().await? else { return ended(reply) };
            let mut events = Vec::new();
            let too_long = |_| Error::new(ErrorKind::TooLong, "an event without an end");
            self.parser.push(&chunk, &mut events).map_err(too_long)?;
            self.events = events.into_iter();
        }
    }

    /// An answer that does not come in pieces, from a server that does not know how.
    async fn whole(&mut self, reply: &mut Reply) -> Result<Option<String>> {
        if reply.finish.is_some() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            bytes.extend_from_slice(&chunk);
            self.last = Instant::now();
        }
        let text = reply.push(&String::from_utf8_lossy(&bytes))?;
        reply.finish.get_or_insert(Finish::End);
        Ok(Some(text))
    }

    async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>>> {
        let stalled = |_| Error::new(ErrorKind::TimedOut, format!("nothing more within {:?}", self.stall));
        let chunk = timeout_at(self.last + self.stall, self.response.chunk()).await.map_err(stalled)?;
        let chunk = chunk.map_err(|e| Error::new(ErrorKind::Cut, cause(&e)))?;
        self.bytes += chunk.as_ref().map_or(0, |chunk| chunk.len());
        if self.bytes > MOST_BYTES {
            return Err(Error::new(ErrorKind::TooLong, format!("more than {MOST_BYTES} bytes")));
        }
        Ok(chunk)
    }
}

/// The connection closed: an end only when the model said so.
fn ended(reply: &Reply) -> Result<Option<String>> {
    match reply.finish {
        Some(_) => Ok(None),
        None => Err(Error::new(ErrorKind::Cut, "the stream ends without saying so")),
    }
}

/// What is at the bottom of an error.
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
