use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use lorgnette_quant::Progress;
use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{
    Answer, AnswerOptions, Conversation, Event, Finish, LanguageModel, Sampling,
};
use lorgnette_runtime::model::chat_template::{Message, Role};
use serde::Serialize;

use super::threads::Threads;
use crate::console::{self, Outcome, Watch};

/// Ask one question and stream the answer
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The language model, or its first shard
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Tokens of the answer at most
    #[arg(long, value_name = "N", default_value_t = 512)]
    max_tokens: usize,
    /// 0 always takes the likeliest token
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    temperature: f32,
    /// Only so many of the likeliest tokens; 0 for all
    #[arg(long, value_name = "N", default_value_t = 0)]
    top_k: usize,
    /// Only the likeliest tokens that together have this probability
    #[arg(long, value_name = "P", default_value_t = 1.0)]
    top_p: f32,
    /// Only tokens with this share of the likeliest one's probability
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    min_p: f32,
    /// Makes tokens that were said less likely
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    repetition_penalty: f32,
    /// Where the dice start
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Ends the answer before this text
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    #[command(flatten)]
    threads: Threads,
    /// Print the answer as one JSON document
    #[arg(long)]
    json: bool,
    /// The question; without one it is read from standard input
    text: Option<String>,
}

/// An answer as a document.
#[derive(Serialize)]
struct Document {
    text: String,
    finish: &'static str,
    prompt_tokens: usize,
    answer_tokens: usize,
}

impl fmt::Display for Document {
    /// Only the end of the line: the text was shown as it came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)
    }
}

impl From<Answer> for Document {
    fn from(answer: Answer) -> Self {
        let finish = match answer.finish {
            Finish::End => "end",
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::ContextFull => "context_full",
            Finish::Cancelled => "cancelled",
        };
        let Answer { text, prompt_tokens, answer_tokens, .. } = answer;
        Self { text, finish, prompt_tokens, answer_tokens }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    let question = question(arguments)?;
    let watch = Watch::start()?;
    let model = Arc::new(LanguageModel::load(Cpu, &Arc::new(Gguf::open(&arguments.model)?))?);
    let prompt = [Message::text(Role::User, question)];
    let options = options(arguments);
    let needed = model.prompt(&prompt, &options.render)?.len().saturating_add(options.max_tokens);
    let capacity = needed.min(model.decoder().config().context);
    let mut conversation = Conversation::new(model, capacity)?;
    let mut out = io::stdout().lock();
    let mut shown = Ok(());
    let answer = conversation.answer(&prompt, &options, &mut |event| {
        if let (Event::Piece(text), false) = (event, arguments.json) {
            shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
        if shown.is_err() || watch.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    shown?;
    drop(out);
    watch.check()?;
    console::print(&Document::from(answer), arguments.json)
}

fn question(arguments: &Arguments) -> io::Result<String> {
    match &arguments.text {
        Some(text) => Ok(text.clone()),
        None => {
            if io::stdin().is_terminal() {
                writeln!(io::stderr(), "Your question, and Ctrl-D:")?;
            }
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            Ok(text.trim_end().to_owned())
        }
    }
}

fn options(arguments: &Arguments) -> AnswerOptions {
    AnswerOptions {
        max_tokens: arguments.max_tokens,
        sampling: Sampling {
            temperature: arguments.temperature,
            top_k: arguments.top_k,
            top_p: arguments.top_p,
            min_p: arguments.min_p,
            repetition_penalty: arguments.repetition_penalty,
            seed: arguments.seed,
            ..Sampling::default()
        },
        stop: arguments.stop.clone(),
        ..AnswerOptions::default()
    }
}
