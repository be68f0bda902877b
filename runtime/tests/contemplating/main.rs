//! Contemplating against a server with faults: every fault a case, connections counted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says its seed"
)]

mod consent;
mod faults;
mod leaks;
mod ledger;
mod randomly;
mod server;
mod strategies;
mod tls;
mod tools;
mod wearer;
