//! What is remembered: a conversation keeps the keys and values of all that was said, and computes only what is new.

mod sampler;
mod stop;

use std::ops::ControlFlow;
use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

pub use self::sampler::{Sampler, Sampling};
use self::stop::StopStrings;
use crate::backend::Backend;
use crate::model::chat_template::{ChatTemplate, Message, Part, RenderOptions};
use crate::model::decoder::{Decoder, Sequence, Wanted};
use crate::model::tokenizer::{Special, Tokenizer};
use crate::{Error, ErrorKind, Result, TokenId};

/// Tokens that are prefilled between two looks at whether to go on.
pub const PREFILL: usize = 256;

/// A language model with its tokenizer and the way it writes a chat. Conversations share it.
pub struct LanguageModel<B: Backend> {
    decoder: Decoder<B>,
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
}

impl<B: Backend> LanguageModel<B> {
    /// Loads what is in `model`.
    ///
    /// # Errors
    /// What [`Decoder::load`], [`Tokenizer::from_metadata`] and [`ChatTemplate::from_metadata`] say.
    pub fn load(backend: B, model: &Arc<Gguf>) -> Result<Self> {
        let in_file = |e: Error| match model.paths().next() {
            Some(path) => e.in_file(path),
            None => e,
        };
        Ok(Self {
            decoder: Decoder::load(backend, model)?,
            tokenizer: Tokenizer::from_metadata(model.metadata()).map_err(in_file)?,
            template: ChatTemplate::from_metadata(model.metadata()).map_err(in_file)?,
        })
    }

    /// The network.
    pub fn decoder(&self) -> &Decoder<B> {
        &self.decoder
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The tokens of a chat, as the model's template writes it. Without a template the texts follow each other.
    ///
    /// Nothing in the texts can become a control token: nobody ends their turn by typing the token that does.
    ///
    /// # Errors
    /// What the template says.
    pub fn prompt(&self, messages: &[Message], options: &RenderOptions) -> Result<Vec<TokenId>> {
        let shielded: Vec<_> = messages.iter().map(|message| self.shielded(message)).collect();
        let text = match &self.template {
            Some(template) => template.render(&shielded, options)?,
            None => shielded.iter().flat_map(|message| &message.content).filter_map(Part::as_text).collect(),
        };
        let mut tokens = self.tokenizer.encode(&text, Special::Parse);
        if let Some(bos) =
            self.tokenizer.bos().filter(|bos| self.tokenizer.adds_bos() && tokens.first() != Some(bos))
        {
            tokens.insert(0, bos);
        }
        Ok(tokens)
    }

    fn shielded(&self, message: &Message) -> Message {
        let mut message = message.clone();
        for part in &mut message.content {
            if let Part::Text(text) = part {
                *text = self.tokenizer.shield(text).into_owned();
            }
        }
        message
    }
}

/// How to answer.
#[derive(Clone, Debug)]
pub struct AnswerOptions {
    /// What the chat template is given.
    pub render: RenderOptions,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens of the answer at most.
    pub max_tokens: usize,
    /// Texts that end the answer, and are not part of it.
    pub stop: Vec<String>,
}

impl Default for AnswerOptions {
    /// Greedy, 512 tokens at most.
    fn default() -> Self {
        let render = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
        Self { render, sampling: Sampling::default(), max_tokens: 512, stop: Vec::new() }
    }
}

/// What happens while an answer is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// So many of the prompt's new tokens are computed.
    Prefilled {
        /// Tokens so far.
        done: usize,
        /// Tokens in all.
        total: usize,
    },
    /// The next piece of the answer, in whole characters.
    Piece(&'a str),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model said so.
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
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Those of them that were computed; the others were still remembered.
    pub prefilled_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
}

/// One conversation. After an error or a cancel it can go on: what it remembers is always what was computed.
pub struct Conversation<B: Backend> {
    model: Arc<LanguageModel<B>>,
    sequence: Sequence<B>,
    /// The tokens whose keys and values are in the sequence.
    remembered: Vec<TokenId>,
}

impl<B: Backend> Conversation<B> {
    /// An empty conversation with room for `capacity` tokens.
    ///
    /// # Errors
    /// As [`Decoder::sequence`].
    pub fn new(model: Arc<LanguageModel<B>>, capacity: usize) -> Result<Self> {
        let sequence = model.decoder.sequence(capacity)?;
        Ok(Self { model, sequence, remembered: Vec::new() })
    }

    /// Answers the last of `messages`. What the conversation remembers of those before is not computed again. `on`
    /// hears of every event, and breaks the answer off within one token.
    ///
    /// # Errors
    /// What the template says, and [`ErrorKind::Argument`] when the prompt has no token, or more than fit.
    pub fn answer(
        &mut self,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Answer> {
        let prompt = self.model.prompt(messages, &options.render)?;
        self.check_room(&prompt)?;
        let known =
            self.remembered.iter().zip(&prompt).take_while(|(a, b)| a == b).count().min(prompt.len() - 1);
        self.forget_from(known);
        let mut answer = Answer {
            text: String::new(),
            finish: Finish::Cancelled,
            prompt_tokens: prompt.len(),
            prefilled_tokens: 0,
            answer_tokens: 0,
        };
        let Some(logits) = self.prefill(&prompt[known..], &mut answer, on)? else { return Ok(answer) };
        self.generate(logits, options, &mut answer, on)?;
        Ok(answer)
    }

    fn check_room(&self, prompt: &[TokenId]) -> Result<()> {
        let capacity = self.sequence.capacity();
        if prompt.is_empty() || prompt.len() > capacity {
            let detail = format!("found {} tokens, expected 1 to {capacity}", prompt.len());
            return Err(Error::new(ErrorKind::Argument, "prompt", detail));
        }
        Ok(())
    }

    fn forget_from(&mut self, len: usize) {
        self.remembered.truncate(len);
        self.sequence.truncate(len);
    }

    fn compute(&mut self, tokens: &[TokenId]) -> Result<Vec<f32>> {
        let logits = self.model.decoder.forward(&mut self.sequence, tokens, Wanted::Last)?;
        self.remembered.extend_from_slice(tokens);
        Ok(logits)
    }

    /// The logits after the prompt, or `None` when it was broken off.
    fn prefill(
        &mut self,
        tokens: &[TokenId],
        answer: &mut Answer,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Vec<f32>>> {
        let mut logits = Vec::new();
        for piece in tokens.chunks(PREFILL) {
            logits = self.compute(piece)?;
            answer.prefilled_tokens += piece.len();
            let event = Event::Prefilled { done: answer.prefilled_tokens, total: tokens.len() };
            if on(event).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(logits))
    }

    fn generate(
        &mut self,
        mut logits: Vec<f32>,
        options: &AnswerOptions,
        answer: &mut Answer,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut sampler = Sampler::new(options.sampling);
        let mut decoder = self.model.tokenizer.decoder();
        let mut stop = StopStrings::new(&options.stop);
        let mut show = |answer: &mut Answer, text: String| {
            answer.text.push_str(&text);
            if text.is_empty() { ControlFlow::Continue(()) } else { on(Event::Piece(&text)) }
        };
        answer.finish = loop {
            if answer.answer_tokens == options.max_tokens {
                break Finish::Length;
            }
            let token = sampler.choose(&mut logits, &self.remembered);
            if self.model.tokenizer.is_end(token) {
                break Finish::End;
            }
            answer.answer_tokens += 1;
            let (text, stopped) = stop.push(&decoder.push(token).unwrap_or_default());
            if show(answer, text).is_break() {
                break Finish::Cancelled;
            }
            if stopped {
                break Finish::Stop;
            }
            if self.sequence.len() == self.sequence.capacity() {
                break Finish::ContextFull;
            }
            logits = self.compute(&[token])?;
        };
        if matches!(answer.finish, Finish::Cancelled | Finish::Stop) {
            return Ok(());
        }
        let (text, _) = stop.push(&decoder.finish().unwrap_or_default());
        // What comes after the end cannot be broken off any more.
        let _ = show(answer, text + &stop.finish());
        Ok(())
    }
}
