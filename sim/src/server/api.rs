//! What is asked over HTTP.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use lorgnette_runtime::live::write_perfetto;
use serde_json::json;

use super::Shared;
use super::answer::{Refusal, json, typed};
use super::guard::query;
use crate::input::Input;
use crate::live::PROTOCOL;
use crate::scenario::written;
use crate::source;

type Answer = Result<Response, Refusal>;
type Here = State<Arc<Shared>>;

/// The scene that a picture becomes which somebody drops.
const DROPPED: &str = "dropped";

pub(super) async fn ping(State(shared): Here) -> Response {
    let time = shared.simulator.now().since_start().as_secs_f64();
    json(&json!({ "lorgnette": env!("CARGO_PKG_VERSION"), "protocol": PROTOCOL, "time": time }))
}

pub(super) async fn hello(State(shared): Here) -> Response {
    let simulator = &shared.simulator;
    let text = simulator.with_hello(|hello| simulator.hub().envelope(hello, simulator.now()));
    typed("application/json", text.as_str().to_owned())
}

pub(super) async fn state(State(shared): Here) -> Response {
    let simulator = &shared.simulator;
    let text = simulator.hub().envelope(&simulator.state(), simulator.now());
    typed("application/json", text.as_str().to_owned())
}

pub(super) async fn input(State(shared): Here, body: Bytes) -> Answer {
    let inputs = inputs(&body)?;
    for input in &inputs {
        shared.simulator.input(input, None)?;
    }
    Ok(json(&json!({ "done": inputs.len() })))
}

/// One input, or an array of them.
pub(super) fn inputs(json: &[u8]) -> Result<Vec<Input>, Refusal> {
    let malformed = |error: serde_json::Error| {
        let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        Refusal::new(status, format!("input: {error}"))
    };
    if json.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(json).map_err(malformed)
    } else {
        serde_json::from_slice(json).map(|input| vec![input]).map_err(malformed)
    }
}

pub(super) async fn events(State(shared): Here, uri: Uri) -> Answer {
    let since = match query(&uri, "since") {
        Some(since) => since.parse().map_err(|_| {
            Refusal::new(StatusCode::BAD_REQUEST, format!("since: found {since:?}, expected a number"))
        })?,
        None => 0,
    };
    let (events, next) = shared.simulator.hub().since(since);
    // They are JSON already.
    let events = events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(",");
    Ok(typed("application/json", format!("{{\"next\":{next},\"events\":[{events}]}}")))
}

pub(super) async fn screenshot(State(shared): Here) -> Answer {
    let png = shared.simulator.glasses().with_display(|display| display.png())?;
    Ok(typed("image/png", png))
}

pub(super) async fn view(State(shared): Here) -> Answer {
    let view = shared.simulator.glasses().view();
    let shot = view.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "the glasses see nothing"))?;
    Ok(typed("image/jpeg", shot.jpeg().to_vec()))
}

pub(super) async fn scenes(State(shared): Here) -> Response {
    shared.simulator.with_hello(|hello| json(&hello.scenes))
}

pub(super) async fn scene_picture(State(shared): Here, Path(name): Path<String>) -> Answer {
    let desk = shared.simulator.desk();
    let scene = desk.scenes().scene(&name);
    let scene = scene.map_err(|error| Refusal::new(StatusCode::NOT_FOUND, error.to_string()))?;
    Ok(typed("image/jpeg", scene.shot.jpeg().to_vec()))
}

pub(super) async fn drop_picture(State(shared): Here, body: Bytes) -> Answer {
    // Decoding a large picture takes a while, in which others are served.
    let shot = blocking(move || source::picture(DROPPED, &body)).await?;
    let simulator = &shared.simulator;
    simulator.desk().scenes_mut().put(DROPPED, shot);
    simulator.input(&Input::Show(DROPPED.to_owned()), None)?;
    Ok(json(&json!({ "show": DROPPED })))
}

pub(super) async fn drop_sound(State(shared): Here, body: Bytes) -> Answer {
    let samples = blocking(move || source::sound(DROPPED, &body)).await?;
    let seconds = samples.len() as f64 / 16_000.0;
    let simulator = &shared.simulator;
    simulator.desk().scenes_mut().put_spoken(DROPPED, "", samples);
    simulator.input(&Input::Say(DROPPED.to_owned()), None)?;
    Ok(json(&json!({ "seconds": seconds })))
}

pub(super) async fn scenario(State(shared): Here) -> Response {
    let simulator = &shared.simulator;
    let seconds = simulator.now().since_start().as_secs_f64() + 1.0;
    let text = written("What was done on the page", seconds, simulator.desk().steps());
    typed("application/toml", text)
}

pub(super) async fn trace(State(shared): Here) -> Answer {
    let mut out = Vec::new();
    let written = write_perfetto(&shared.simulator.traces(), &mut out);
    written.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(typed("application/json", out))
}

pub(super) async fn ledger(State(shared): Here) -> Response {
    json(&shared.simulator.ledger())
}

pub(super) async fn recordings(State(shared): Here) -> Response {
    json(&shared.simulator.sessions())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let worked = tokio::task::spawn_blocking(work).await;
    let broke = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "decoding broke down");
    Ok(worked.map_err(broke)??)
}
