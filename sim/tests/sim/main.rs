//! The simulator: its glasses, its scenarios, its server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../../device/tests/common/mod.rs"]
mod common;
#[path = "../../../device/tests/microphone/suite.rs"]
mod suite;
#[path = "../../../runtime/tests/common/mod.rs"]
mod tiny;

mod client;
mod compliance;
mod load;
mod model;
mod scenarios;
mod server;
mod sessions;
