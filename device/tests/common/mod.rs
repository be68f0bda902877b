//! What the tests of cameras share.

#![allow(dead_code, reason = "each test program uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub(crate) mod compliance;
pub(crate) mod made;
pub(crate) mod random;
