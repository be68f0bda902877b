//! The page: files that are in the program.

use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

use super::Shared;
use super::answer::{Refusal, typed};

static PAGE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/page");

pub(super) async fn file(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    match find(path, shared.page.as_deref()) {
        Some(bytes) => typed(media_type(path), bytes),
        None => Refusal::new(StatusCode::NOT_FOUND, "there is no such file").into_response(),
    }
}

fn find(path: &str, folder: Option<&Path>) -> Option<Vec<u8>> {
    // Names of files and of nothing else: none leads out of the folder.
    let plain = |part: &str| {
        !part.starts_with('.') && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if !path.split('/').all(plain) {
        return None;
    }
    match folder {
        Some(folder) => std::fs::read(folder.join(path)).ok(),
        None => PAGE.get_file(path).map(|file| file.contents().to_vec()),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
