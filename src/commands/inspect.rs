use std::path::PathBuf;

use lorgnette_quant::inspect::inspect;

use crate::console::{self, Outcome};

/// Show what is in a GGUF file
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model, or its first shard
    file: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    console::print(&inspect(&arguments.file)?, arguments.json)
}
