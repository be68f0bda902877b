use std::ops::ControlFlow;

use super::Asked;
use crate::Result;
use crate::backend::Backend;
use crate::conversation::{Answer, AnswerOptions, Conversation, Event};
use crate::model::chat_template::{Message, Part, Role};

/// What the device puts into words, which leave in place of what came with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// What the pictures show.
    Seen,
    /// What was said.
    Heard,
}

impl Telling {
    /// Tokens of it at most.
    pub const TOKENS: usize = 96;

    fn instruction(self) -> &'static str {
        match self {
            Self::Seen => "Describe what is seen, with all text and numbers that can be read.",
            Self::Heard => "Write down what is said, word for word, and nothing else.",
        }
    }

    fn is_about(self, part: &Part) -> bool {
        matches!((self, part), (Self::Seen, Part::Image(_)) | (Self::Heard, Part::Audio(_)))
    }

    /// The words of the model in `conversation` for what came with `question`, after the messages `before`; `None` where
    /// nothing came that it could tell of, as a sound for a model without ears.
    ///
    /// # Errors
    /// As [`Conversation::answer`].
    pub fn tell<B: Backend>(
        self,
        before: &[Message],
        question: &Message,
        conversation: &mut Conversation<B>,
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Answer>> {
        let mut parts: Vec<_> = question.content.iter().filter(|part| self.is_about(part)).cloned().collect();
        if parts.is_empty() {
            return Ok(None);
        }
        parts.push(Part::Text(self.instruction().to_owned()));
        let messages = [before, &[Message::parts(Role::User, parts)]].concat();
        let options = AnswerOptions { max_tokens: Self::TOKENS, constraint: None, ..options.clone() };
        conversation.answer(&messages, &options, on).map(Some)
    }
}

impl Asked {
    /// Takes what the device told.
    pub fn take(&mut self, telling: Telling, words: String) {
        match telling {
            Telling::Seen => self.description = Some(words),
            Telling::Heard => self.words = words,
        }
    }
}
