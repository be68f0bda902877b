use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{Datelike, Timelike};
use lorgnette_quant::{Progress, Result};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{Answer, AnswerOptions, Conversation, Event, Finish, WhenFull};
#[cfg(feature = "cloud")]
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::mode::thinking::{self, Thought};
use lorgnette_runtime::model::chat_template::{LocalTime, Message, Part, RenderOptions, Role};
use lorgnette_runtime::tool::local::Answered;
use serde::Serialize;

use super::backend::{self, Command};
use super::threads::Threads;
use super::{constraint, media, mode, model, sampling, tools};
use crate::console::{self, Outcome, Watch};

/// Room for what tools are, and for what came of them, beside question and answer.
const TOOL_TOKENS: usize = 8192;

/// Ask one question, about pictures and sounds or without, and stream the answer
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: model::Arguments,
    #[command(flatten)]
    media: media::Arguments,
    #[command(flatten)]
    sampling: sampling::Arguments,
    #[command(flatten)]
    constraint: constraint::Arguments,
    #[command(flatten)]
    mode: mode::Arguments,
    #[cfg(feature = "cloud")]
    #[command(flatten)]
    contemplate: super::contemplate::Arguments,
    #[command(flatten)]
    tools: tools::Arguments,
    /// Tokens of the answer at most
    #[arg(long, value_name = "N", default_value_t = 512)]
    max_tokens: usize,
    /// Tokens of question and answer at most; without it as many as they take and the model was trained for
    #[arg(long, value_name = "N")]
    context: Option<usize>,
    /// When that is full, forget the beginning of the answer and go on
    #[arg(long)]
    slide: bool,
    /// Ends the answer before this text
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
    /// Print the answer as one JSON document
    #[arg(long)]
    json: bool,
    /// The question; without one, and without a sound, it is read from standard input
    text: Option<String>,
}

/// An answer as a document.
#[derive(Serialize)]
struct Document {
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning: String,
    finish: &'static str,
    prompt_tokens: usize,
    image_tokens: usize,
    audio_tokens: usize,
    vision_passes: usize,
    audio_passes: usize,
    answer_tokens: usize,
    forgotten_tokens: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<tools::ToolCall>,
}

impl fmt::Display for Document {
    /// Only the end of the line: the text was shown as it came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)
    }
}

impl From<Thought> for Document {
    fn from(Thought { reasoning, answer, .. }: Thought) -> Self {
        Self {
            text: answer.text,
            reasoning,
            finish: finish(answer.finish),
            prompt_tokens: answer.prompt_tokens,
            image_tokens: answer.prefilled_image_tokens,
            audio_tokens: answer.prefilled_audio_tokens,
            vision_passes: answer.vision_passes,
            audio_passes: answer.audio_passes,
            answer_tokens: answer.answer_tokens,
            forgotten_tokens: answer.forgotten_tokens,
            tool_calls: Vec::new(),
        }
    }
}

impl From<Answered> for Document {
    /// Tokens and passes are those of all rounds; the prompt is the last one.
    fn from(answered: Answered) -> Self {
        let sum = |count: fn(&Answer) -> usize| answered.rounds.iter().map(count).sum();
        let [answer_tokens, image_tokens, audio_tokens, vision_passes, audio_passes, forgotten_tokens] = [
            sum(|round| round.answer_tokens),
            sum(|round| round.prefilled_image_tokens),
            sum(|round| round.prefilled_audio_tokens),
            sum(|round| round.vision_passes),
            sum(|round| round.audio_passes),
            sum(|round| round.forgotten_tokens),
        ];
        Self {
            text: answered.text,
            reasoning: String::new(),
            finish: finish(answered.finish),
            prompt_tokens: answered.rounds.last().map_or(0, |round| round.prompt_tokens),
            image_tokens,
            audio_tokens,
            vision_passes,
            audio_passes,
            answer_tokens,
            forgotten_tokens,
            tool_calls: answered.replies.into_iter().map(tools::ToolCall::from).collect(),
        }
    }
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::End => "end",
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ContextFull => "context_full",
        Finish::Cancelled => "cancelled",
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    arguments.backend.run(arguments)
}

impl Command for Arguments {
    fn run_on<B: Backend + 'static>(&self, backend: B) -> Outcome {
        answer(self, backend)
    }
}

fn answer<B: Backend + 'static>(arguments: &Arguments, backend: B) -> Outcome {
    let options = options(arguments)?;
    let prompt = [message(arguments)?];
    let tools = arguments.tools.are_given().then(|| arguments.tools.open()).transpose()?;
    let watch = Watch::start()?;
    let model = Arc::new(arguments.model.load(backend)?);
    let needed = model.prompt(&prompt, &options.render)?.slots().len().saturating_add(options.max_tokens);
    let needed = if tools.is_some() { needed.saturating_add(TOOL_TOKENS) } else { needed };
    let capacity = arguments.context.unwrap_or_else(|| needed.min(model.decoder().config().context));
    let mut conversation = Conversation::new(model, capacity)?;
    #[cfg(feature = "cloud")]
    if arguments.mode.mode() == Mode::Contemplating {
        let tools = tools.as_ref().map(tools::Tools::toolbox);
        return arguments.contemplate.answer(
            conversation,
            tools,
            &prompt[0],
            &options,
            &watch,
            arguments.json,
        );
    }
    let mut out = io::stdout().lock();
    let mut shown = Ok(());
    let mut hear = |event: Event<'_>| {
        if let (Event::Piece(text), false) = (event, arguments.json) {
            shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
        if shown.is_err() || watch.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let document: Document = match &tools {
        None => {
            thinking::answer(&mut conversation, &prompt, &options, arguments.mode.mode(), &mut hear)?.into()
        }
        Some(tools) => tools.answer(&mut conversation, &prompt, &options, &mut hear)?.into(),
    };
    shown?;
    drop(out);
    watch.check()?;
    console::print(&document, arguments.json)?;
    if let Some(tools) = tools {
        tools.wait(|| !watch.cancelled());
    }
    Ok(())
}

/// The question with what it is about.
fn message(arguments: &Arguments) -> std::result::Result<Message, Box<dyn std::error::Error>> {
    let mut parts = arguments.media.read()?;
    match &arguments.text {
        Some(text) => parts.push(Part::Text(text.clone())),
        None if arguments.media.has_sound() => {}
        None => parts.push(Part::Text(question()?)),
    }
    Ok(Message::parts(Role::User, parts))
}

fn question() -> io::Result<String> {
    if io::stdin().is_terminal() {
        writeln!(io::stderr(), "Your question, and Ctrl-D:")?;
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text.trim_end().to_owned())
}

fn options(arguments: &Arguments) -> Result<AnswerOptions> {
    let render = RenderOptions { add_generation_prompt: true, now: Some(now()), ..RenderOptions::default() };
    Ok(AnswerOptions {
        render,
        max_tokens: arguments.max_tokens,
        sampling: arguments.sampling.sampling(),
        stop: arguments.stop.clone(),
        opening: Vec::new(),
        constraint: arguments.constraint.read()?,
        when_full: if arguments.slide { WhenFull::Slide } else { WhenFull::Stop },
    })
}

/// The time on the wall, for templates that write the date.
fn now() -> LocalTime {
    let now = chrono::Local::now();
    LocalTime {
        year: now.year().unsigned_abs(),
        month: now.month(),
        day: now.day(),
        hour: now.hour(),
        minute: now.minute(),
        second: now.second(),
    }
}
