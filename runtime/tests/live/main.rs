//! Talks: sound and frames in, answers out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod machine;
mod pace;
mod script;
mod talks;
mod views;
