//! The tokenizers of `golden/tokenizer.json`.

use std::path::Path;

use lorgnette_quant::gguf::{Metadata, Strings};
use lorgnette_runtime::model::tokenizer::Tokenizer;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Golden {
    pub(crate) texts: Vec<String>,
    pub(crate) trained: Vec<Trained>,
    pub(crate) converted: Vec<Converted>,
}

/// A tokenizer made for the tests, and its cases, one for each text.
#[derive(Deserialize)]
pub(crate) struct Trained {
    metadata: Keys,
    pub(crate) cases: Vec<Cases>,
}

/// A committed checkpoint and its cases.
#[derive(Deserialize)]
pub(crate) struct Converted {
    pub(crate) checkpoint: String,
    pub(crate) cases: Vec<Cases>,
}

#[derive(Deserialize)]
pub(crate) struct Cases {
    pub(crate) parse: Vec<u32>,
    pub(crate) as_text: Vec<u32>,
    pub(crate) decoded: String,
}

#[derive(Deserialize)]
struct Keys {
    model: String,
    pre: String,
    tokens: Vec<String>,
    token_type: Vec<i32>,
    scores: Option<Vec<f32>>,
    merges: Option<Vec<String>>,
}

impl Golden {
    pub(crate) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    pub(crate) fn trained(&self, pre: &str) -> &Trained {
        self.trained.iter().find(|trained| trained.metadata.pre == pre).unwrap()
    }
}

impl Trained {
    pub(crate) fn metadata(&self) -> Metadata {
        let keys = &self.metadata;
        let mut metadata = Metadata::new();
        metadata.set("tokenizer.ggml.model", keys.model.as_str());
        metadata.set("tokenizer.ggml.pre", keys.pre.as_str());
        metadata.set("tokenizer.ggml.tokens", keys.tokens.iter().collect::<Strings>());
        metadata.set("tokenizer.ggml.token_type", keys.token_type.clone());
        if let Some(scores) = &keys.scores {
            metadata.set("tokenizer.ggml.scores", scores.clone());
        }
        if let Some(merges) = &keys.merges {
            metadata.set("tokenizer.ggml.merges", merges.iter().collect::<Strings>());
        }
        metadata
    }
}

pub(crate) fn metadata(pre: &str) -> Metadata {
    Golden::read().trained(pre).metadata()
}

pub(crate) fn tokenizer(pre: &str) -> Tokenizer {
    Tokenizer::from_metadata(&metadata(pre)).unwrap()
}
