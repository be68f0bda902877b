//! One file for each command: its arguments, and the call.

pub(crate) mod ask;
mod backend;
pub(crate) mod bench;
mod constraint;
#[cfg(feature = "cloud")]
mod contemplate;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod inspect;
#[cfg(feature = "cloud")]
pub(crate) mod ledger;
pub(crate) mod logits;
mod media;
mod mode;
mod model;
pub(crate) mod perplexity;
pub(crate) mod quantize;
pub(crate) mod router;
pub(crate) mod run;
mod sampling;
pub(crate) mod sim;
mod threads;
mod tools;
