//! What is computed: written once, for every backend.

pub mod decoder;
