//! How to answer, and what an answer took.

use std::ops::ControlFlow;

use super::{Constraint, Sampling};
use crate::backend::Backend;
use crate::model::chat_template::RenderOptions;
use crate::{Result, TokenId};

/// How to answer.
#[derive(Clone, Debug)]
pub struct AnswerOptions {
    /// What the chat template is given.
    pub render: RenderOptions,
    /// What the answer goes on from, as if the model had said it: its reasoning, say.
    pub opening: Vec<TokenId>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens of the answer at most.
    pub max_tokens: usize,
    /// Texts that end the answer, and are not part of it.
    pub stop: Vec<String>,
    /// The form the answer must have, if any. [`Constraint`] says what holds when the answer is cut off.
    pub constraint: Option<Constraint>,
    /// What to do when the conversation has no room for more.
    pub when_full: WhenFull,
    /// Chains of thought that reasoning is split into, see [`crate::mode::thinking`]; 1 for one. An answer without
    /// reasoning has none.
    pub chains: usize,
}

impl Default for AnswerOptions {
    /// Greedy, 512 tokens at most, and no further when the conversation is full.
    fn default() -> Self {
        let render = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
        Self {
            render,
            opening: Vec::new(),
            sampling: Sampling::default(),
            max_tokens: 512,
            stop: Vec::new(),
            constraint: None,
            when_full: WhenFull::default(),
            chains: 1,
        }
    }
}

/// What to do when a conversation has no room for more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// A prompt that does not fit is an error, and an answer ends with [`Finish::ContextFull`].
    #[default]
    Stop,
    /// The oldest is forgotten: turns after the messages of the system until the prompt takes half of the room, and in
    /// an answer the older half of what is behind them. What is left is computed anew. [`Answer`] counts what was
    /// forgotten.
    Slide,
}

/// What happens while an answer is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// So many of the passes of the towers, over pictures and sounds that are new, are done.
    Encoded {
        /// Passes so far.
        done: usize,
        /// Passes in all.
        total: usize,
    },
    /// So many of the prompt's new tokens are computed.
    Prefilled {
        /// Tokens so far.
        done: usize,
        /// Tokens in all.
        total: usize,
    },
    /// A slice of time has passed on a device that is given its work in slices.
    Computing,
    /// The next piece of what is thought before the answer, see [`crate::mode::thinking`].
    Thought(&'a str),
    /// The next piece of the answer, in whole characters.
    Piece(&'a str),
}

/// What is known of the first token of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Beginning {
    /// The logits of all tokens.
    pub logits: Vec<f32>,
    /// The hidden state that they come from, `[width]` as [`Decoder::state`](crate::model::decoder::Decoder::state) has it.
    pub state: Vec<f32>,
}

/// Hears of every event, and breaks the answer off.
pub(super) type Listener<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 'a;

/// Waits until all is computed that was asked for since it was started; `false` when `on` broke it off.
pub(super) fn finished<B: Backend>(backend: &B, on: &mut Listener<'_>) -> Result<bool> {
    while backend.go_on()? {
        if on(Event::Computing).is_break() {
            backend.abandon();
            return Ok(false);
        }
    }
    backend.finish()?;
    Ok(true)
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model said so, or nothing can follow under [`AnswerOptions::constraint`].
    End,
    /// A stop string came.
    Stop,
    /// There were [`AnswerOptions::max_tokens`].
    Length,
    /// The conversation has no room for more.
    ContextFull,
    /// The listener broke it off.
    Cancelled,
}

/// An answer, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// All pieces together.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// Positions of the prompt: tokens, and rows of pictures and sounds.
    pub prompt_tokens: usize,
    /// Those of them that were computed; the others were still remembered.
    pub prefilled_tokens: usize,
    /// Those of them that are rows of pictures.
    pub prefilled_image_tokens: usize,
    /// Those of them that are rows of sounds.
    pub prefilled_audio_tokens: usize,
    /// Passes of the vision tower, one for each tile that was new.
    pub vision_passes: usize,
    /// Passes of the audio tower, one for each block that was new; a tower without blocks hears a sound in one.
    pub audio_passes: usize,
    /// Tokens of the answer, with those of a stop string.
    pub tokens: Vec<TokenId>,
    /// Messages that the prompt had no room for, see [`WhenFull::Slide`].
    pub forgotten_messages: usize,
    /// Tokens that were forgotten during the answer.
    pub forgotten_tokens: usize,
}

impl Answer {
    /// How many tokens the answer has.
    pub fn answer_tokens(&self) -> usize {
        self.tokens.len()
    }

    /// Nothing yet.
    pub(super) fn begun(prompt_tokens: usize, forgotten_messages: usize) -> Self {
        Self {
            text: String::new(),
            finish: Finish::Cancelled,
            prompt_tokens,
            prefilled_tokens: 0,
            prefilled_image_tokens: 0,
            prefilled_audio_tokens: 0,
            vision_passes: 0,
            audio_passes: 0,
            tokens: Vec::new(),
            forgotten_messages,
            forgotten_tokens: 0,
        }
    }
}
