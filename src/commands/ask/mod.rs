mod document;

use std::cell::RefCell;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{Datelike, Timelike};
use lorgnette_quant::{Progress, Result};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, Event, Shown, WhenFull};
use lorgnette_runtime::mode::{Mode, thinking};
use lorgnette_runtime::model::chat_template::{LocalTime, Message, Part, RenderOptions, Role};

use self::document::Document;
use super::backend::{self, Command, Place};
use super::threads::Threads;
use super::tools::Tools;
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

/// A question, and what was shown of its answer.
struct Question<'a> {
    arguments: &'a Arguments,
    options: AnswerOptions,
    prompt: [Message; 1],
    tools: Option<Tools>,
    watch: Watch,
    shown: RefCell<Shown>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    let question = Question {
        arguments,
        options: options(arguments)?,
        prompt: [message(arguments)?],
        tools: arguments.tools.are_given().then(|| arguments.tools.open()).transpose()?,
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
    fn answer<B: Backend + 'static>(&self, backend: B) -> Outcome {
        let mut conversation = self.conversation(backend)?;
        let mode = match self.arguments.mode.mode() {
            Some(mode) => mode,
            None => self.route(&mut conversation)?,
        };
        #[cfg(feature = "cloud")]
        if mode == Mode::Contemplating {
            return once(self.contemplate(conversation));
        }
        match &self.tools {
            Some(tools) => once(self.answer_with(tools, conversation)),
            None => self.answer_alone(conversation, mode),
        }
    }

    /// What the router decides, which is said on stderr.
    fn route<B: Backend>(
        &self,
        conversation: &mut Conversation<B>,
    ) -> std::result::Result<Mode, Box<dyn std::error::Error>> {
        let Self { arguments, options, prompt, watch, .. } = self;
        #[cfg(feature = "cloud")]
        let has_cloud = arguments.contemplate.is_possible()?;
        #[cfg(not(feature = "cloud"))]
        let has_cloud = false;
        let router = arguments.mode.router(&arguments.model, has_cloud)?;
        let (_, routed) = router.route(conversation, prompt, options, &mut |_| match watch.cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })?;
        watch.check()?;
        let routed = routed.ok_or("the question was not looked at")?;
        console::warn(mode::describe(&routed));
        Ok(routed.mode)
    }

    fn conversation<B: Backend>(&self, backend: B) -> Result<Conversation<B>> {
        let Self { arguments, options, prompt, .. } = self;
        let model = Arc::new(arguments.model.load(backend)?);
        let needed = model.prompt(prompt, &options.render)?.slots().len().saturating_add(options.max_tokens);
        let needed = needed.saturating_add(self.beside());
        let capacity = arguments.context.unwrap_or_else(|| needed.min(model.decoder().config().context));
        Conversation::new(model, capacity)
    }

    /// Tokens that are wanted beside question and answer.
    fn beside(&self) -> usize {
        let tools = if self.tools.is_some() { TOOL_TOKENS } else { 0 };
        let needed = tools.saturating_add(self.arguments.mode.thoughts());
        #[cfg(feature = "cloud")]
        if matches!(self.arguments.mode.mode(), Some(Mode::Contemplating) | None) {
            return needed.saturating_add(super::contemplate::TOLD_TOKENS);
        }
        needed
    }

    #[cfg(feature = "cloud")]
    fn contemplate<B: Backend + 'static>(&self, conversation: Conversation<B>) -> Outcome {
        let Self { arguments, options, prompt: [question], watch, .. } = self;
        let tools = self.tools.as_ref().map(Tools::toolbox);
        arguments.contemplate.answer(conversation, tools, question, options, watch, arguments.json)
    }

    fn answer_with<B: Backend>(&self, tools: &Tools, mut conversation: Conversation<B>) -> Outcome {
        let mut shower = Shower::new(self);
        let answered =
            tools.answer(&mut conversation, &self.prompt, &self.options, &mut |e| shower.hear(e))?;
        shower.finish(answered.into())?;
        tools.wait(|| !self.watch.cancelled());
        Ok(())
    }

    fn answer_alone<B: Backend>(&self, mut conversation: Conversation<B>, mode: Mode) -> Outcome {
        let mut shower = Shower::new(self);
        let thought =
            thinking::answer(&mut conversation, &self.prompt, &self.options, mode, &mut |e| shower.hear(e))?;
        shower.finish(thought.into())
    }
}

/// What was called or sent must not be so a second time, on another device.
fn once(outcome: Outcome) -> Outcome {
    outcome.map_err(|error| error.to_string().into())
}

/// Writes an answer as it comes.
struct Shower<'a> {
    question: &'a Question<'a>,
    out: io::StdoutLock<'static>,
    wrote: io::Result<()>,
}

impl<'a> Shower<'a> {
    fn new(question: &'a Question<'a>) -> Self {
        Self { question, out: io::stdout().lock(), wrote: Ok(()) }
    }

    fn hear(&mut self, event: Event<'_>) -> ControlFlow<()> {
        let Question { arguments, watch, shown, .. } = self.question;
        if let (Event::Piece(text), false) = (event, arguments.json) {
            let mut shown = shown.borrow_mut();
            self.wrote = self.out.write_all(shown.news(text).as_bytes()).and_then(|()| self.out.flush());
        }
        if self.wrote.is_err() || watch.cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn finish(self, document: Document) -> Outcome {
        let Self { question, out, wrote } = self;
        wrote?;
        drop(out);
        question.watch.check()?;
        console::print(&document, question.arguments.json)
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
        chains: arguments.mode.chains(),
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
