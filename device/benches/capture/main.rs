//! What capture costs, in milliseconds, as Markdown: `cargo bench -p lorgnette-device --bench capture`. `make
//! device-bench` puts it into docs/benchmarks.md.
//!
//! The camera is the fake of the tests, at the pace of a real one; what the fake does in the place of hardware (one
//! copy of each picture) is part of the figures. The consumer does what the live loop does: it takes the newest frame,
//! lets the gate judge it, and decodes it in colour if it is worth it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a program for developers")]

#[cfg(all(target_os = "linux", feature = "v4l"))]
#[path = "../../tests/common/mod.rs"]
mod common;
#[cfg(all(target_os = "linux", feature = "v4l"))]
#[path = "../../tests/v4l/fake/mod.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod fake;
#[cfg(all(target_os = "linux", feature = "v4l"))]
mod figures;
#[cfg(all(target_os = "linux", feature = "v4l"))]
#[path = "../../tests/gate/scene.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod scene;

fn main() {
    #[cfg(all(target_os = "linux", feature = "v4l"))]
    figures::main();
}
