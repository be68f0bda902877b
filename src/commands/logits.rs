use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::TokenId;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::model::decoder::{Decoder, Wanted};
use serde::Serialize;

use crate::console::{self, Outcome};

/// Print the logits that follow tokens, for comparing with other runtimes
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The language model, or its first shard
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Token numbers: 1,2,3
    #[arg(long, value_delimiter = ',', required = true)]
    tokens: Vec<TokenId>,
    /// Print all of them as one JSON document, in full precision
    #[arg(long)]
    json: bool,
}

/// The logits after the last of `tokens`.
#[derive(Serialize)]
struct Logits<'a> {
    tokens: &'a [TokenId],
    logits: Vec<f32>,
}

/// Tokens that people are shown.
const SHOWN: usize = 10;

impl fmt::Display for Logits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut order: Vec<_> = (0..self.logits.len()).collect();
        order.sort_by(|&a, &b| self.logits[b].total_cmp(&self.logits[a]));
        order.iter().take(SHOWN).try_for_each(|&token| writeln!(f, "{token:>8}  {:.4}", self.logits[token]))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let model = Arc::new(Gguf::open(&arguments.model)?);
    let decoder = Decoder::load(Cpu, &model)?;
    let mut sequence = decoder.sequence(arguments.tokens.len())?;
    let logits = decoder.forward(&mut sequence, &arguments.tokens, Wanted::Last)?;
    console::print(&Logits { tokens: &arguments.tokens, logits }, arguments.json)
}
