//! What the machine senses: frames, sound and power, from hardware or from recordings.
//!
//! Each sense is a narrow trait with real, recorded and made implementations behind it. All times are [`Timestamp`]s
//! of one [`clock::Clock`] that is passed in, so that a recording replays at any speed with the same results.

pub mod camera;
pub mod clock;
pub mod error;
pub mod gate;
pub mod microphone;
pub mod power;

pub use clock::Timestamp;
pub use error::{Error, ErrorKind, Result};
