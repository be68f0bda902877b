//! What answers: an engine with a model, or a script where there is none.

use std::collections::VecDeque;
use std::thread;
use std::time::Duration;

use lorgnette_device::clock::Clock;
use lorgnette_runtime::conversation::{Answer, Finish};
use lorgnette_runtime::live::{AnswerId, Answered, Cancel, Done, Job, Span, Stage, Worker};
use lorgnette_runtime::mode::Mode;
#[cfg(feature = "cloud")]
use lorgnette_runtime::mode::contemplating::Telling;
use lorgnette_runtime::model::chat_template::Message;
use lorgnette_runtime::model::media::Image;
use serde::Serialize;
use std::sync::Arc;

/// What answers.
pub struct Brain {
    /// Works off jobs.
    pub worker: Box<dyn Worker>,
    /// Breaks its answers off.
    pub cancel: Cancel,
    /// Which model it is; none for a script.
    pub model: Option<Model>,
}

/// What is to be known of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// What its file calls it.
    pub name: String,
    /// Weights, with those of what it sees and hears with.
    pub parameters: u64,
    /// Where it is computed.
    pub backend: String,
    /// Whether it takes pictures.
    pub sees: bool,
    /// Whether it takes sounds.
    pub hears: bool,
}

impl Worker for Brain {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        self.worker.run(job, on);
    }

    fn history(&self) -> &[Message] {
        self.worker.history()
    }

    fn resume(&mut self, history: Vec<Message>, on: &mut dyn FnMut(Done)) {
        self.worker.resume(history, on);
    }
}

/// Samples in a block of sound, as far as a script is concerned.
const BLOCK: usize = 8_000;

/// Says what it was told to, one answer after the other, and counts as a model would.
pub struct Script {
    answers: VecDeque<String>,
    /// Between two words.
    pace: Duration,
    clock: Arc<dyn Clock>,
    cancel: Cancel,
    shown: Option<Image>,
    /// Of the turn: its picture, what was typed, samples that were heard, blocks of them that are encoded.
    image: Option<Image>,
    text: Option<String>,
    heard: usize,
    blocks: usize,
}

impl Script {
    /// Gives `answers` in their order, and after that says what it was asked. `pace` is the time between two words.
    pub fn new(answers: Vec<String>, pace: Duration, clock: Arc<dyn Clock>) -> Self {
        Self {
            answers: answers.into(),
            pace,
            clock,
            cancel: Cancel::default(),
            shown: None,
            image: None,
            text: None,
            heard: 0,
            blocks: 0,
        }
    }

    /// It, as a brain without a model.
    pub fn into_brain(self) -> Brain {
        Brain { cancel: self.cancel.clone(), worker: Box::new(self), model: None }
    }

    fn begin(&mut self, image: Option<Image>, on: &mut dyn FnMut(Done)) {
        self.forget_turn();
        if image != self.shown && image.is_some() {
            self.worked(Stage::See, 1, on);
            self.worked(Stage::Prefill, 64, on);
        }
        self.shown.clone_from(&image);
        self.image = image;
    }

    fn hear(&mut self, samples: usize, on: &mut dyn FnMut(Done)) {
        self.heard += samples;
        let blocks = self.heard / BLOCK - self.blocks;
        if blocks > 0 {
            self.blocks += blocks;
            self.worked(Stage::Hear, blocks, on);
            self.worked(Stage::Prefill, 6 * blocks, on);
        }
        on(Done::Heard(samples));
    }

    fn answer(&mut self, id: AnswerId, mode: Option<Mode>, on: &mut dyn FnMut(Done)) {
        let rest = usize::from(!self.heard.is_multiple_of(BLOCK));
        if rest > 0 {
            self.worked(Stage::Hear, 1, on);
        }
        let text = self.answers.front().cloned().unwrap_or_else(|| self.description());
        let prefilled = 4 + 6 * rest;
        self.worked(Stage::Prefill, prefilled, on);
        let start = self.clock.now();
        let (mut said, mut tokens) = (String::new(), 0);
        let mut finish = Finish::End;
        for word in text.split_inclusive(' ') {
            if self.cancel.is_cancelled(id) {
                finish = Finish::Cancelled;
                break;
            }
            said.push_str(word);
            tokens += 1;
            on(Done::Piece(id, word.to_owned()));
            thread::sleep(self.pace);
        }
        on(Done::Worked(Span::new(Stage::Decode, start, self.clock.now(), tokens)));
        let answer = Answer {
            text: said,
            finish,
            prompt_tokens: 80,
            prefilled_tokens: prefilled,
            prefilled_image_tokens: 0,
            prefilled_audio_tokens: 6 * rest,
            vision_passes: 0,
            audio_passes: rest,
            tokens: vec![0; tokens],
            forgotten_messages: 0,
            forgotten_tokens: 0,
        };
        let mode = mode.unwrap_or_default();
        on(Done::Answered(id, Answered { mode, answer, reasoning: String::new() }));
    }

    /// What it was asked, for want of a model.
    fn description(&self) -> String {
        let asked = match &self.text {
            Some(text) => format!("\"{text}\""),
            None => self.what_was_heard(),
        };
        format!("No model is loaded. I got {} and {asked}.", self.what_was_seen())
    }

    fn what_was_seen(&self) -> String {
        match &self.image {
            Some(image) => format!("a picture of {} x {}", image.picture().width(), image.picture().height()),
            None => "no picture".to_owned(),
        }
    }

    fn what_was_heard(&self) -> String {
        format!("{:.1} s of sound", self.heard as f64 / 16_000.0)
    }

    fn worked(&self, stage: Stage, count: usize, on: &mut dyn FnMut(Done)) {
        let now = self.clock.now();
        on(Done::Worked(Span::new(stage, now, now, count)));
    }

    fn forget_turn(&mut self) {
        (self.image, self.text, self.heard, self.blocks) = (None, None, 0, 0);
    }
}

impl Worker for Script {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        match job {
            Job::Begin(image) => self.begin(image, on),
            Job::Hear(samples) => self.hear(samples.len(), on),
            Job::Read(text) => self.text = Some(text),
            Job::Answer(id, mode) => self.answer(id, mode, on),
            #[cfg(feature = "cloud")]
            Job::Tell(id, Telling::Seen) => on(Done::Told(id, self.what_was_seen())),
            #[cfg(feature = "cloud")]
            Job::Tell(id, Telling::Heard) => on(Done::Told(id, self.what_was_heard())),
            Job::Keep => {
                self.answers.pop_front();
                self.forget_turn();
            }
            Job::Drop => self.forget_turn(),
            #[allow(unreachable_patterns, reason = "a job that a script knows nothing of is done")]
            _ => {}
        }
    }
}
