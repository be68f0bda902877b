//! Reasoning under a budget, then the answer.
//!
//! The reasoning is an answer by itself, that ends with `</think>` or with its budget; then it is closed, by force if need
//! be, and the model goes on from there. What it computed while it reasoned is not computed again. A model whose template
//! knows nothing of thinking is led the same way: its turn is opened with `<think>`, and closed. A template that opens it
//! itself is not opened twice.
//!
//! # Several chains
//! With [`AnswerOptions::chains`] the budget is shared by so many chains of thought, each with an answer of its own, and
//! the answer that most of them come to is given (self-consistency, Wang et al. 2022). The chains are computed together,
//! each step once over the weights: `k` chains of a `k`-th of the budget take the tokens of one, and a `k`-th of the
//! steps. The first samples as it was asked to, and is the greedy one where nothing was asked; the others have dice of
//! their own. Nothing is shown before all have answered.

mod chains;
mod marks;

use std::ops::ControlFlow;

use self::marks::{CLOSE, Marks};
use crate::backend::Backend;
use crate::conversation::{Answer, AnswerOptions, Conversation, Event, Finish, LanguageModel};
use crate::mode::Mode;
use crate::model::chat_template::Message;
use crate::model::tokenizer::Special;
use crate::{Result, TokenId};

/// Tokens of reasoning where agents were asked for and the device is alone.
#[cfg(feature = "cloud")]
const ALONE: usize = 256;

/// An answer, and what was thought before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thought {
    /// What was thought; empty in [`Mode::Instant`].
    pub reasoning: String,
    /// Tokens of it.
    pub reasoning_tokens: usize,
    /// The answer. Its counts are those of reasoning and answer together, but for the tokens of the answer itself.
    pub answer: Answer,
    /// How many chains of thought came to it.
    pub votes: usize,
}

/// Answers the last of `messages` as `mode` says. `on` hears the pieces of the answer, not those of the reasoning.
///
/// # Errors
/// As [`Conversation::answer`].
pub fn answer<B: Backend>(
    conversation: &mut Conversation<B>,
    messages: &[Message],
    options: &AnswerOptions,
    mode: Mode,
    on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Thought> {
    let mut options = options.clone();
    let budget = match mode {
        Mode::Instant => 0,
        Mode::Thinking { budget } => budget,
        #[cfg(feature = "cloud")]
        Mode::Contemplating => ALONE,
    };
    if budget == 0 {
        options.render.enable_thinking = Some(false);
        let answer = conversation.answer(messages, &options, on)?;
        return Ok(Thought { reasoning: String::new(), reasoning_tokens: 0, answer, votes: 0 });
    }
    options.render.enable_thinking = Some(true);
    let marks = Marks::of(conversation.model(), &options)?;
    options.opening.extend(marks.open(conversation.model()));
    if options.chains.min(budget) > 1 {
        return chains::answer(conversation, messages, &options, (budget, marks), on);
    }
    let reasoning = reason(conversation, messages, &options, budget, on)?;
    if reasoning.finish == Finish::Cancelled {
        let answer = Answer { text: String::new(), tokens: Vec::new(), ..reasoning.clone() };
        let (reasoning, reasoning_tokens) = (reasoning.text, reasoning.tokens.len());
        return Ok(Thought { reasoning, reasoning_tokens, answer, votes: 0 });
    }
    options.opening.extend(&reasoning.tokens);
    let is_closed = reasoning.finish == Finish::Stop;
    let model = conversation.model();
    options.opening.extend(if is_closed { marks.gap(model) } else { marks.close(model) });
    let answer = conversation.answer(messages, &options, on)?;
    Ok(Thought {
        reasoning: reasoning.text.trim().to_owned(),
        reasoning_tokens: reasoning.answer_tokens(),
        answer: together(&reasoning, answer),
        votes: 1,
    })
}

/// At most `budget` tokens of thought.
fn reason<B: Backend>(
    conversation: &mut Conversation<B>,
    messages: &[Message],
    options: &AnswerOptions,
    budget: usize,
    on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Answer> {
    let stop = vec![CLOSE.to_owned()];
    let options = AnswerOptions { max_tokens: budget, stop, constraint: None, ..options.clone() };
    conversation.answer(messages, &options, &mut |event| match event {
        Event::Piece(text) => on(Event::Thought(text)),
        event => on(event),
    })
}

fn tokens<B: Backend>(model: &LanguageModel<B>, text: &str) -> Vec<TokenId> {
    model.tokenizer().encode(text, Special::Parse)
}

/// The answer with what the reasoning took.
fn together(reasoning: &Answer, answer: Answer) -> Answer {
    Answer {
        prefilled_tokens: reasoning.prefilled_tokens + answer.prefilled_tokens,
        prefilled_image_tokens: reasoning.prefilled_image_tokens + answer.prefilled_image_tokens,
        prefilled_audio_tokens: reasoning.prefilled_audio_tokens + answer.prefilled_audio_tokens,
        vision_passes: reasoning.vision_passes + answer.vision_passes,
        audio_passes: reasoning.audio_passes + answer.audio_passes,
        forgotten_tokens: reasoning.forgotten_tokens + answer.forgotten_tokens,
        ..answer
    }
}
