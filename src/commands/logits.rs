use std::fmt;

use lorgnette_runtime::TokenId;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::model::decoder::{Decoder, Wanted};
use serde::Serialize;

use super::backend::{self, Command, Place};
use super::model::Language;
use super::threads::Threads;
use crate::console::{self, Outcome};

/// Print the logits that follow tokens, for comparing with other runtimes
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: Language,
    /// Token numbers: 1,2,3
    #[arg(long, value_delimiter = ',', required = true)]
    tokens: Vec<TokenId>,
    /// Print what follows each of the tokens, and not only the last
    #[arg(long)]
    every: bool,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
    /// Print all of them as one JSON document, in full precision
    #[arg(long)]
    json: bool,
}

/// The logits after the last of `tokens`, or after each of them.
#[derive(Serialize)]
#[serde(untagged)]
enum Logits<'a> {
    Last { tokens: &'a [TokenId], logits: Vec<f32> },
    Every { tokens: &'a [TokenId], rows: Vec<Vec<f32>> },
}

/// Tokens that people are shown.
const SHOWN: usize = 10;

impl fmt::Display for Logits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last { logits, .. } => show_largest(f, logits),
            Self::Every { tokens, rows } => tokens.iter().zip(rows).try_for_each(|(token, logits)| {
                writeln!(f, "after {token}")?;
                show_largest(f, logits)
            }),
        }
    }
}

fn show_largest(f: &mut fmt::Formatter<'_>, logits: &[f32]) -> fmt::Result {
    let mut order: Vec<_> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    order.iter().take(SHOWN).try_for_each(|&token| writeln!(f, "{token:>8}  {:.4}", logits[token]))
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    arguments.backend.run(arguments)
}

impl Command for Arguments {
    fn run_on<B: Backend + 'static>(&self, backend: B, _: &Place) -> Outcome {
        print(self, backend)
    }
}

fn print<B: Backend>(arguments: &Arguments, backend: B) -> Outcome {
    let model = arguments.model.open()?;
    let decoder = Decoder::load(backend, &model)?;
    let tokens = &arguments.tokens;
    let mut sequence = decoder.exact_sequence(tokens.len())?;
    let logits = if arguments.every {
        let logits = decoder.forward(&mut sequence, tokens, Wanted::All)?;
        let rows = logits.chunks(decoder.config().vocabulary).map(<[f32]>::to_vec).collect();
        Logits::Every { tokens, rows }
    } else {
        Logits::Last { tokens, logits: decoder.forward(&mut sequence, tokens, Wanted::Last)? }
    };
    console::print(&logits, arguments.json)
}
