//! What several test binaries need: golden tokenizers, and models.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod mmproj;
pub(crate) mod models;
pub(crate) mod multimodal;
pub(crate) mod tokenizers;
