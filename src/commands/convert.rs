use std::fmt;
use std::path::PathBuf;

use lorgnette_quant::convert::{ConvertOptions, OutType, convert};
use serde::Serialize;

use crate::console::{self, Outcome, Watch};

/// Turn a Hugging Face directory into GGUF, and an mmproj if it sees or hears
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Directory with config.json, tokenizer.json and safetensors
    hf_dir: PathBuf,
    /// Directory for the GGUF files; made if it is not there
    out_dir: PathBuf,
    /// What weights are stored as: f32, f16, bf16, q8_0, or auto for what the checkpoint has
    #[arg(long, value_name = "TYPE", default_value = "auto")]
    outtype: OutType,
    /// Print the written files as one JSON document
    #[arg(long)]
    json: bool,
}

/// The files a conversion wrote.
#[derive(Serialize)]
struct Written {
    files: Vec<PathBuf>,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| writeln!(f, "{}", file.display()))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut options = ConvertOptions::default();
    options.outtype = arguments.outtype;
    let files = convert(&arguments.hf_dir, &arguments.out_dir, &options, &Watch::start()?)?;
    console::print(&Written { files }, arguments.json)
}
