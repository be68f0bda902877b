//! The simulator: its glasses, its scenarios, its server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../../device/tests/common/mod.rs"]
mod common;
#[path = "../../../device/tests/microphone/suite.rs"]
mod suite;
#[path = "../../../runtime/tests/common/mod.rs"]
mod tiny;

#[cfg(feature = "cloud")]
#[path = "../../../runtime/tests/contemplating/server.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod agents;

mod client;
mod compliance;
#[cfg(feature = "cloud")]
mod contemplating;
mod load;
mod model;
mod scenarios;
mod server;
mod sessions;
