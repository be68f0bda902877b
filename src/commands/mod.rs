//! One file for each command: its arguments, and the call.

pub(crate) mod ask;
pub(crate) mod constraint;
pub(crate) mod convert;
pub(crate) mod inspect;
pub(crate) mod logits;
pub(crate) mod media;
pub(crate) mod model;
pub(crate) mod quantize;
pub(crate) mod sampling;
