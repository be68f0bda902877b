use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::Error;
use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::LanguageModel;
use lorgnette_runtime::measure::{Divergence, Estimate, Perplexity, divergence, perplexity};
use serde::Serialize;

use super::backend::{self, Command, Place};
use super::model::Language;
use super::threads::Threads;
use crate::console::{self, Outcome, Watch};

/// Measure how surprised a model is by a text, and how far it is from the one it was made of
///
/// The numbers are those of llama-perplexity.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: Language,
    /// The text, in UTF-8
    #[arg(long, value_name = "TEXT")]
    file: PathBuf,
    /// Tokens of a chunk, of which the second half is scored
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(3..))]
    context: u32,
    /// The model it was made of: its divergence from that one is measured too
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    perplexity: Perplexity,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Divergence>,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Perplexity { perplexity, context, chunks, tokens } = self.perplexity;
        writeln!(f, "perplexity   {}", Plain(perplexity))?;
        if let Some(against) = &self.against {
            writeln!(f, "of the base  {}", Plain(against.base.perplexity))?;
            writeln!(f, "divergence   {} nats", Plain(against.mean))?;
            writeln!(f, "  median     {:.6}", against.median)?;
            writeln!(f, "  99 %       {:.6}", against.percentile_99)?;
            writeln!(f, "  largest    {:.6}", against.max)?;
            writeln!(f, "same top     {}", Percent(against.same_top))?;
            writeln!(f, "mean Δp      {}", Percent(against.delta_p))?;
            writeln!(f, "rms Δp       {:.3} %", 100.0 * against.delta_p_rms)?;
        }
        writeln!(f, "{tokens} tokens scored, in {chunks} chunks of {context}")
    }
}

struct Plain(Estimate);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} ± {:.6}", self.0.value, self.0.uncertainty)
    }
}

struct Percent(Estimate);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ± {:.3} %", 100.0 * self.0.value, 100.0 * self.0.uncertainty)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    arguments.backend.run(arguments)
}

impl Command for Arguments {
    fn run_on<B: Backend + 'static>(&self, backend: B, _: &Place) -> Outcome {
        measure(self, &backend)
    }
}

fn measure<B: Backend>(arguments: &Arguments, backend: &B) -> Outcome {
    let text = read(&arguments.file)?;
    let load = |file: &Arc<Gguf>| LanguageModel::load(backend.clone(), file);
    let model = load(&arguments.model.open()?)?;
    let base = arguments.against.as_deref().map(|path| load(&Arc::new(Gguf::open(path)?))).transpose()?;
    let (watch, context) = (Watch::start_steps()?, arguments.context as usize);
    let document = match &base {
        None => {
            let perplexity = perplexity(&model, &text, context, &watch)?;
            Document { perplexity, against: None }
        }
        Some(base) => {
            let (perplexity, divergence) = divergence(&model, base, &text, context, &watch)?;
            Document { perplexity, against: Some(divergence) }
        }
    };
    console::print(&document, arguments.json)
}

/// The text of a file but for a line break at its end, which llama.cpp does not read either.
fn read(path: &Path) -> lorgnette_runtime::Result<String> {
    let mut text = fs::read_to_string(path).map_err(|e| Error::io("read", e).in_file(path))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
