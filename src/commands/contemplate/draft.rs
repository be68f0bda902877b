use std::ops::ControlFlow;

use lorgnette_quant::{Progress, Result};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, Event};
use lorgnette_runtime::mode::contemplating::Local;
use lorgnette_runtime::model::chat_template::{Message, Part, Role};

use crate::console::Watch;

/// Tokens of what the device tells at most.
pub(super) const TOLD: usize = 96;

/// What the device is to tell of what came with a question.
#[derive(Clone, Copy, Debug)]
pub(super) enum Telling {
    /// What the pictures show.
    Seen,
    /// What was said.
    Heard,
}

impl Telling {
    fn instruction(self) -> &'static str {
        match self {
            Self::Seen => "Describe what is seen, with all text and numbers that can be read.",
            Self::Heard => "Write down what is said, word for word, and nothing else.",
        }
    }

    fn is_about(self, part: &Part) -> bool {
        matches!((self, part), (Self::Seen, Part::Image(_)) | (Self::Heard, Part::Audio(_)))
    }

    /// The device's words for it.
    pub(super) fn of<B: Backend>(
        self,
        question: &Message,
        conversation: &mut Conversation<B>,
        options: &AnswerOptions,
        watch: &Watch,
    ) -> Result<String> {
        let mut parts: Vec<_> = question.content.iter().filter(|part| self.is_about(part)).cloned().collect();
        parts.push(Part::Text(self.instruction().to_owned()));
        let options = AnswerOptions { max_tokens: TOLD, constraint: None, ..options.clone() };
        let message = [Message::parts(Role::User, parts)];
        let answer = conversation.answer(&message, &options, &mut |_| match watch.cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })?;
        watch.check()?;
        Ok(answer.text)
    }
}

/// The device's own answer.
pub(super) fn local<B: Backend + 'static>(
    mut conversation: Conversation<B>,
    question: Message,
    options: AnswerOptions,
) -> Box<dyn Local> {
    Box::new(move |on: &mut dyn FnMut(&str) -> ControlFlow<()>| -> Result<()> {
        let hear = &mut |event: Event<'_>| match event {
            Event::Piece(text) => on(text),
            // Nothing is said, but it may be asked to stop.
            Event::Encoded { .. } | Event::Prefilled { .. } | Event::Computing | Event::Thought(_) => on(""),
        };
        conversation.answer(&[question], &options, hear).map(drop)
    })
}
