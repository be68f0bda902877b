//! The engine of lorgnette: what is computed, where, and what is remembered.
//!
//! Errors are those of [`lorgnette_quant`]: they name the file, the field, what was found and what was expected.

pub mod backend;
#[cfg(feature = "pico")]
pub mod bundled;
pub mod conversation;
pub mod live;
pub mod measure;
pub mod mode;
pub mod model;
pub mod tool;

pub use lorgnette_quant::{Error, ErrorKind, Result};

/// The number of a token in a vocabulary.
pub type TokenId = u32;
