//! What reasoning stands between.

use super::tokens;
use crate::backend::Backend;
use crate::conversation::{AnswerOptions, LanguageModel};
use crate::model::chat_template::{Message, Role};
use crate::{Result, TokenId};

const OPEN: &str = "<think>";
pub(super) const CLOSE: &str = "</think>";

/// How a model writes its thoughts: on lines of their own, as most do and as is asked of one that was taught nothing, or
/// in the line of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    is_open: bool,
    in_line: bool,
}

impl Marks {
    /// Those of the model's template, which may open a thought itself.
    ///
    /// # Errors
    /// What the template says.
    pub(super) fn of<B: Backend>(model: &LanguageModel<B>, options: &AnswerOptions) -> Result<Self> {
        let text = model.text(&[Message::text(Role::User, "?")], &options.render)?;
        let in_line = text.ends_with(OPEN);
        Ok(Self { is_open: in_line || text.trim_end().ends_with(OPEN), in_line })
    }

    /// What a turn begins with that thinks.
    pub(super) fn open<B: Backend>(self, model: &LanguageModel<B>) -> Vec<TokenId> {
        if self.is_open { Vec::new() } else { tokens(model, &format!("{OPEN}\n")) }
    }

    /// What ends a thought that does not end by itself.
    pub(super) fn close<B: Backend>(self, model: &LanguageModel<B>) -> Vec<TokenId> {
        if self.in_line { tokens(model, CLOSE) } else { tokens(model, &format!("\n{CLOSE}\n\n")) }
    }

    /// What is between the end of a thought and the answer.
    pub(super) fn gap<B: Backend>(self, model: &LanguageModel<B>) -> Vec<TokenId> {
        if self.in_line { Vec::new() } else { tokens(model, "\n\n") }
    }
}
