//! How fast a model is, and how good: what `bench` and `perplexity` print.

mod distribution;
mod divergence;
mod memory;
mod perplexity;
mod reader;
mod speed;
mod statistics;
mod towers;

pub use self::divergence::{Divergence, divergence};
pub use self::memory::peak_memory;
pub use self::perplexity::{Perplexity, perplexity};
pub use self::speed::{decode, first_token, prefill, tokens};
pub use self::statistics::{Estimate, Samples};
pub use self::towers::{encode_sound, encode_tile};
