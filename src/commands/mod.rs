//! One file for each command: its arguments, and the call.

pub(crate) mod ask;
pub(crate) mod bench;
mod constraint;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod inspect;
pub(crate) mod logits;
mod media;
mod model;
pub(crate) mod perplexity;
pub(crate) mod quantize;
pub(crate) mod run;
mod sampling;
mod threads;
mod tools;
