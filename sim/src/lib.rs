//! Glasses on a desk: what their sensors give, what their display shows, and a page to see and drive them.
//!
//! Simulated [`glasses::Glasses`] are a camera and a microphone to the runtime, behind the traits of `lorgnette-device`.
//! What can be done to them is an [`Input`](input::Input), whoever does it: a [`scenario`], the page, or a program that
//! speaks HTTP to the [`server`]. They go by the clock that they are given, so that a scenario takes as long as it takes
//! to compute, and gives the same twice.

pub mod brain;
pub mod cloud;
pub mod desk;
pub mod error;
pub mod event;
pub mod glasses;
pub mod input;
pub mod link;
pub mod live;
pub mod record;
pub mod scenario;
pub mod server;
pub mod source;

pub use error::{Error, ErrorKind, Result};
