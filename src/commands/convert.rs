use std::path::PathBuf;

use crate::console::Outcome;

/// Turn a Hugging Face directory into GGUF
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Directory with config.json, tokenizer.json and safetensors
    hf_dir: PathBuf,
    /// Directory for the GGUF files
    out_dir: PathBuf,
}

pub(crate) fn run(_arguments: &Arguments) -> Outcome {
    Ok(())
}
