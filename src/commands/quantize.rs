use std::path::PathBuf;

use lorgnette_quant::TensorType;
use lorgnette_quant::quantize::{Importance, Mix, Options, parse_override, quantize};
use regex_lite::Regex;

use crate::console::{self, Outcome, Watch};

/// Make a smaller file out of a GGUF, and report what it cost
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model or mmproj to read (F32, F16 or BF16), or its first shard
    input: PathBuf,
    /// The file to write
    output: PathBuf,
    /// The mix of types: F16, BF16, Q4_0, Q4_K_S, Q4_K_M, Q5_K_M, Q6_K, Q8_0, ...
    #[arg(long = "type", value_name = "MIX")]
    mix: Mix,
    /// Importance matrix: llama.cpp's GGUF, or its older .dat
    #[arg(long, value_name = "FILE")]
    imatrix: Option<PathBuf>,
    /// Another type for tensors whose name matches: 'attn_v=q8_0', 'blk\.0\.ffn_down=Q6_K'
    #[arg(long, value_name = "PATTERN=TYPE", value_parser = parse_override)]
    tensor_type: Vec<(Regex, TensorType)>,
    /// Quantize what is quantized already, at a loss
    #[arg(long)]
    allow_requantize: bool,
    /// Threads [default: one on each core]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(u16).range(..=512))]
    threads: u16,
    /// Print the report as one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let options = Options {
        mix: arguments.mix,
        importance: arguments.imatrix.as_deref().map(Importance::open).transpose()?,
        overrides: arguments.tensor_type.clone(),
        allow_requantize: arguments.allow_requantize,
        threads: arguments.threads.into(),
    };
    let report = quantize(&arguments.input, &arguments.output, &options, &Watch::start()?)?;
    console::print(&report, arguments.json)
}
