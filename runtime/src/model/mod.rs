//! What is computed: written once, for every backend.

pub mod audio;
pub mod chat_template;
pub mod decoder;
mod encoder;
mod keys;
pub(crate) mod loader;
pub mod media;
mod projector;
pub mod tokenizer;
pub mod vision;
