use std::cell::RefCell;
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{Datelike, Timelike};
use lorgnette_quant::{Progress, Result};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{Answer, AnswerOptions, Conversation, Event, Finish, Shown, WhenFull};
use lorgnette_runtime::model::chat_template::{LocalTime, Message, Part, RenderOptions, Role};
use serde::Serialize;

use super::backend::{self, Command, Place};
use super::threads::Threads;
use super::{constraint, media, model, sampling};
use crate::console::{self, Outcome, Watch};

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
    finish: &'static str,
    prompt_tokens: usize,
    image_tokens: usize,
    audio_tokens: usize,
    vision_passes: usize,
    audio_passes: usize,
    answer_tokens: usize,
    forgotten_tokens: usize,
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
        Self {
            text: answer.text,
            finish,
            prompt_tokens: answer.prompt_tokens,
            image_tokens: answer.prefilled_image_tokens,
            audio_tokens: answer.prefilled_audio_tokens,
            vision_passes: answer.vision_passes,
            audio_passes: answer.audio_passes,
            answer_tokens: answer.answer_tokens,
            forgotten_tokens: answer.forgotten_tokens,
        }
    }
}

/// A question, and what was shown of its answer.
struct Question<'a> {
    arguments: &'a Arguments,
    options: AnswerOptions,
    prompt: [Message; 1],
    watch: Watch,
    shown: RefCell<Shown>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    let question = Question {
        arguments,
        options: options(arguments)?,
        prompt: [message(arguments)?],
        watch: Watch::start()?,
        shown: RefCell::default(),
    };
    arguments.backend.run(&question)
}

impl Command for Question<'_> {
    const ANSWERS: bool = true;

    fn run_on<B: Backend + 'static>(&self, backend: B, _: &Place) -> Outcome {
        self.shown.borrow_mut().again();
        self.answer(backend)
    }
}

impl Question<'_> {
    fn answer<B: Backend>(&self, backend: B) -> Outcome {
        let Self { arguments, options, prompt, watch, .. } = self;
        let model = Arc::new(arguments.model.load(backend)?);
        let needed = model.prompt(prompt, &options.render)?.slots().len().saturating_add(options.max_tokens);
        let capacity = arguments.context.unwrap_or_else(|| needed.min(model.decoder().config().context));
        let mut conversation = Conversation::new(model, capacity)?;
        let mut out = io::stdout().lock();
        let mut wrote = Ok(());
        let answer = conversation.answer(prompt, options, &mut |event| {
            if let (Event::Piece(text), false) = (event, arguments.json) {
                wrote =
                    out.write_all(self.shown.borrow_mut().news(text).as_bytes()).and_then(|()| out.flush());
            }
            if wrote.is_err() || watch.cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        wrote?;
        drop(out);
        watch.check()?;
        console::print(&Document::from(answer), arguments.json)
    }
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
