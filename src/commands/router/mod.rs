//! Fits the rules of `--mode auto` to a model.

mod choice;
mod report;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::{Error, Progress, Result};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, LanguageModel};
use lorgnette_runtime::mode::router::{Calibration, Evidence, look};
use lorgnette_runtime::mode::{Mode, thinking};
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::Detail;
use serde::Deserialize;

use self::choice::{Choice, handed_over, wrong_at_once};
use self::report::Report;
use super::backend::{self, Command, Place};
use super::threads::Threads;
use super::{media, mode, model};
use crate::console::{self, Outcome, Watch};

/// Find out when a model should think first, from questions whose answers are known, for --mode auto
///
/// Each question is answered at once and after thinking. Every second one is what the rules are fitted to, and the others
/// are what they are judged by. A rule goes by the distribution of the first token, and by the hidden state too where
/// that does better in cross-validation. What is thought about is what thinking gains by: a model that it helps not at all
/// never does.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: model::Arguments,
    /// JSON lines with `answer`, and `text`, `image` and `audio` (files beside it), of which some may be missing. The
    /// answer to what is to be handed over is `<contemplate>`
    #[arg(long, value_name = "FILE")]
    questions: PathBuf,
    /// Write the rules here
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Tokens of reasoning at most
    #[arg(long, value_name = "TOKENS", default_value_t = 256)]
    budget: usize,
    /// Tokens of an answer at most
    #[arg(long, value_name = "N", default_value_t = 64)]
    max_tokens: usize,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
    /// Print what was found as one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Question {
    text: Option<String>,
    image: Option<PathBuf>,
    audio: Option<PathBuf>,
    answer: String,
}

/// What became of a question.
struct Tried {
    evidence: Evidence,
    hand_over: bool,
    right_at_once: bool,
    right_after_thinking: bool,
}

/// How an answer says that the question is for others.
const HAND_OVER: &str = "<contemplate>";

struct Fit<'a> {
    arguments: &'a Arguments,
    questions: Vec<Question>,
    watch: Watch,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    let questions = read(&arguments.questions)?;
    arguments.backend.run(&Fit { arguments, questions, watch: Watch::start()? })
}

fn read(path: &Path) -> Result<Vec<Question>> {
    let text = fs::read_to_string(path).map_err(|e| Error::io("read", e).in_file(path))?;
    let question = |(number, line): (usize, &str)| {
        let refused = |e| Error::malformed(format!("line {}", number + 1), e, "a JSON object with `answer`");
        serde_json::from_str(line).map_err(|e| refused(e).in_file(path))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(question).collect()
}

impl Command for Fit<'_> {
    fn run_on<B: Backend + 'static>(&self, backend: B, _: &Place) -> Outcome {
        let model = Arc::new(self.arguments.model.load(backend)?);
        let mut tried = Vec::new();
        for question in &self.questions {
            self.watch.check()?;
            tried.push(self.try_out(&model, question)?);
        }
        let (calibration, report) = judge(tried);
        if let Some(path) = &self.arguments.output {
            let text = serde_json::to_string_pretty(&calibration)? + "\n";
            fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        console::print(&report, self.arguments.json)
    }
}

impl Fit<'_> {
    fn try_out<B: Backend>(&self, model: &Arc<LanguageModel<B>>, question: &Question) -> Result<Tried> {
        let Arguments { budget, max_tokens, .. } = *self.arguments;
        let options = AnswerOptions { max_tokens, ..AnswerOptions::default() };
        let messages = [Message::parts(Role::User, self.parts(question)?)];
        let needed =
            model.prompt(&messages, &options.render)?.slots().len() + budget + mode::MARKS + max_tokens;
        let mut conversation =
            Conversation::new(Arc::clone(model), needed.min(model.decoder().config().context))?;
        let on = &mut |_: lorgnette_runtime::conversation::Event<'_>| ControlFlow::Continue(());
        let (_, evidence) = look(&mut conversation, &messages, &options, on)?;
        let mut right = |mode| {
            let thought = thinking::answer(&mut conversation, &messages, &options, mode, on)?;
            Ok::<_, Error>(plain(&thought.answer.text) == plain(&question.answer))
        };
        Ok(Tried {
            evidence: evidence.unwrap_or_default(),
            hand_over: question.answer.trim() == HAND_OVER,
            right_at_once: right(Mode::Instant)?,
            right_after_thinking: right(Mode::Thinking { budget })?,
        })
    }

    fn parts(&self, question: &Question) -> Result<Vec<Part>> {
        let folder = self.arguments.questions.parent().unwrap_or(Path::new(""));
        let image = question.image.as_ref().map(|path| media::image(&folder.join(path), Detail::Overview));
        let sound = question.audio.as_ref().map(|path| media::sound(&folder.join(path)));
        let text = question.text.clone().map(|text| Ok(Part::Text(text)));
        image.into_iter().chain(sound).chain(text).collect()
    }
}

/// What is said, without case, doubled spaces and a last stop.
fn plain(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// The rules that fit every second question, and how good they are on the others.
fn judge(tried: Vec<Tried>) -> (Calibration, Report) {
    let questions = tried.len();
    let (known, unknown): (Vec<_>, Vec<_>) = tried.into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
    let [known, unknown] =
        [known, unknown].map(|part| part.into_iter().map(|(_, tried)| tried).collect::<Vec<_>>());
    let usual = Calibration::default();
    let thinking = Choice::among(&wrong_at_once(&known), usual.thinking).that_gains(&known);
    let contemplating = Choice::among(&handed_over(&known), usual.contemplating);
    let report = Report::new(questions, &unknown, [&thinking, &contemplating]);
    (Calibration { thinking: thinking.used().clone(), contemplating: contemplating.used().clone() }, report)
}
