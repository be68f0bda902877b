//! One file for each command: its arguments, and the call.

pub(crate) mod ask;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod inspect;
pub(crate) mod logits;
pub(crate) mod quantize;
