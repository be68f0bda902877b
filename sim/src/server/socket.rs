//! The WebSocket: what happens goes out, what is done comes in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use lorgnette_device::camera::{Frame, Layout, PixelFormat};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::answer::Refusal;
use super::{Shared, api};
use crate::event::Happened;
use crate::glasses::Shot;
use crate::live::{Listener, Simulator};

/// Bytes of a message at most.
const MESSAGE: usize = 2 << 20;

/// Bytes that wait to be sent at most; more, and the socket is closed.
const BACKLOG: usize = 4 << 20;

/// Who does not take a message for so long is gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two pictures of what the glasses see.
const PICTURES: Duration = Duration::from_millis(100);

/// What binary messages begin with.
const PICTURE: u8 = 1;
const SOUND: u8 = 2;

/// Samples of a message of sound at most: a second.
const MOST_SAMPLES: usize = 16_000;

/// Pixels on a side of a browser's picture at most.
const LONGEST_SIDE: usize = 4096;

pub(super) async fn upgrade(State(shared): State<Arc<Shared>>, socket: WebSocketUpgrade) -> Response {
    let Ok(permit) = Arc::clone(&shared.sockets).try_acquire_owned() else {
        let error = format!("found {} sockets open, expected fewer", super::SOCKETS);
        return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error).into_response();
    };
    let number = shared.last.fetch_add(1, Ordering::Relaxed) + 1;
    let simulator = Arc::clone(&shared.simulator);
    socket
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .write_buffer_size(0)
        .max_write_buffer_size(BACKLOG)
        .on_upgrade(move |socket| talk(socket, simulator, number, permit))
}

/// Goes on until one of the two directions ends.
async fn talk(socket: WebSocket, simulator: Arc<Simulator>, number: u64, _: OwnedSemaphorePermit) {
    let (out, incoming) = socket.split();
    let (refusals, refused) = mpsc::channel(8);
    let listener = simulator.hub().listen();
    tokio::select! {
        () = tell(out, listener, refused, &simulator) => {}
        () = heed(incoming, refusals, &simulator, number) => {}
    }
}

async fn tell(
    mut out: SplitSink<WebSocket, Message>,
    listener: Listener,
    mut refused: mpsc::Receiver<String>,
    simulator: &Simulator,
) {
    let Listener { mut news, mut view } = listener;
    view.mark_changed();
    let mut next_picture = Instant::now();
    let now = simulator.now();
    let hello = simulator.with_hello(|hello| simulator.hub().envelope(hello, now));
    let mut next = vec![Message::Text(hello), Message::Text(state(simulator))];
    loop {
        for message in next.drain(..) {
            if !matches!(timeout(PATIENCE, out.send(message)).await, Ok(Ok(()))) {
                return;
            }
        }
        tokio::select! {
            event = news.recv() => match event {
                Ok(text) => next.push(Message::Text(text)),
                Err(RecvError::Lagged(_)) => next.push(Message::Text(state(simulator))),
                Err(RecvError::Closed) => return,
            },
            changed = seen(&mut view, next_picture) => {
                if !changed {
                    return;
                }
                next_picture = Instant::now() + PICTURES;
                let shot = view.borrow_and_update().clone();
                next.extend(shot.map(|shot| Message::Binary(picture(&shot))));
            }
            Some(error) = refused.recv() => {
                let refused = Happened::Refused { error };
                next.push(Message::Text(simulator.hub().envelope(&refused, simulator.now())));
            }
        }
    }
}

/// Waits until the view has changed, and it is time for another picture. Whether there will be more.
async fn seen(view: &mut watch::Receiver<Option<Shot>>, from: Instant) -> bool {
    sleep_until(from).await;
    view.changed().await.is_ok()
}

fn state(simulator: &Simulator) -> Utf8Bytes {
    simulator.hub().envelope(&simulator.state(), simulator.now())
}

fn picture(shot: &Shot) -> Bytes {
    [&[PICTURE], shot.jpeg()].concat().into()
}

async fn heed(
    mut incoming: SplitStream<WebSocket>,
    refusals: mpsc::Sender<String>,
    simulator: &Simulator,
    number: u64,
) {
    while let Some(Ok(message)) = incoming.next().await {
        let done = match message {
            Message::Text(text) => input(&text, simulator, number),
            Message::Binary(bytes) => sense(&bytes, simulator, number),
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        };
        if let Err(error) = done {
            // Who does not read what is wrong is not told of more.
            drop(refusals.try_send(error));
        }
    }
}

fn input(text: &str, simulator: &Simulator, number: u64) -> Result<(), String> {
    for input in api::inputs(text.as_bytes()).map_err(|refusal| refusal.to_string())? {
        simulator.input(&input, Some(number)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A picture or sound of the browser.
fn sense(bytes: &[u8], simulator: &Simulator, number: u64) -> Result<(), String> {
    if !simulator.is_browser(number) {
        return Ok(());
    }
    let (feed, jack) = simulator.desk().browser();
    match bytes.split_first() {
        Some((&PICTURE, jpeg)) => {
            check(jpeg)?;
            feed.show(Shot::new(jpeg), simulator.now());
        }
        Some((&SOUND, samples)) if samples.len() % 2 == 0 && samples.len() <= 2 * MOST_SAMPLES => {
            let (samples, _) = samples.as_chunks::<2>();
            jack.push(samples.iter().map(|bytes| f32::from(i16::from_le_bytes(*bytes)) / 32768.0));
        }
        first => {
            let found =
                first.map_or("nothing".to_owned(), |(kind, rest)| format!("{kind} and {} bytes", rest.len()));
            return Err(format!(
                "message: found {found}, expected 1 and a JPEG, or 2 and up to a second of sound"
            ));
        }
    }
    Ok(())
}

/// Whether that is a JPEG of a size that can be looked at.
fn check(jpeg: &[u8]) -> Result<(), String> {
    let mut frame = Frame::default();
    let layout = Layout::packed(PixelFormat::Mjpg, 1, 1).map_err(|error| error.to_string())?;
    frame.fill(layout, Default::default(), 0, jpeg).map_err(|error| error.to_string())?;
    let (width, height) = (frame.width(), frame.height());
    if width.max(height) > LONGEST_SIDE {
        return Err(format!("picture: found {width} x {height}, expected at most {LONGEST_SIDE} on a side"));
    }
    Ok(())
}
