//! What files and samples become, against Hugging Face transformers; and what damaged ones become.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audio;
mod common;
mod hostile_pictures;
mod hostile_sounds;
#[path = "../common/sounds.rs"]
mod sounds;
mod vision;
