//! What is computed: written once, for every backend.

pub mod chat_template;
pub mod tokenizer;
