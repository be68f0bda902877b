//! What is remembered: a conversation keeps the keys and values of all that was said, shown and heard, and computes only
//! what is new.

mod answer;
mod branches;
mod constraint;
mod embeddings;
mod encode;
mod generate;
mod language_model;
mod memory;
mod prefixes;
mod prompt;
mod recording;
mod render;
mod sampler;
mod shown;
mod stop;
mod window;

use std::ops::ControlFlow;
use std::sync::Arc;

use self::answer::Listener;
pub use self::answer::{Answer, AnswerOptions, Beginning, Event, Finish, WhenFull};
pub(crate) use self::branches::Branches;
pub use self::constraint::Constraint;
pub use self::language_model::LanguageModel;
use self::memory::Memory;
pub use self::memory::PREFILL;
pub use self::prompt::{Prompt, Slot};
pub use self::recording::Recording;
pub use self::sampler::{Sampler, Sampling};
pub use self::shown::Shown;
pub(crate) use self::stop::StopStrings;
use self::window::Forgotten;
use crate::backend::Backend;
use crate::model::chat_template::{ChatTemplate, Message, Part, Role};
use crate::model::decoder::Advanced;
use crate::{Error, ErrorKind, Result};

/// One conversation. After an error or a cancel it can go on: what it remembers is always what was computed.
pub struct Conversation<B: Backend> {
    memory: Memory<B>,
    forgotten: Forgotten,
}

impl<B: Backend> Conversation<B> {
    /// An empty conversation with room for `capacity` tokens.
    ///
    /// # Errors
    /// As [`Decoder::sequence`](crate::model::decoder::Decoder::sequence).
    pub fn new(model: Arc<LanguageModel<B>>, capacity: usize) -> Result<Self> {
        Ok(Self { memory: Memory::new(model, capacity)?, forgotten: Forgotten::default() })
    }

    /// Answers the last of `messages`. What the conversation remembers of those before is not computed again, nor are
    /// pictures and sounds encoded again that the model was shown before. `on` hears of every event, and breaks the
    /// answer off: within one token, between two pieces of a prompt ([`PREFILL`]), between two passes of a tower, and on a
    /// device that is given its work in slices between two of those.
    ///
    /// # Errors
    /// What the template says, [`ErrorKind::Unsupported`] when there is a picture or a sound and no tower for it, and
    /// [`ErrorKind::Argument`] when the prompt has no token, or more than fit. With a constraint, [`ErrorKind::Argument`]
    /// before anything is computed when it does not compile, and later when the vocabulary has no token for it, or
    /// following it costs too much.
    pub fn answer(
        &mut self,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Answer> {
        let prompt = self.fitting_prompt(messages, options)?;
        let guide = self.memory.model.guide(options.constraint.as_ref())?;
        let mut answer = Answer::begun(prompt.slots().len(), self.forgotten.count);
        let fixed = match options.when_full {
            WhenFull::Stop => 0,
            WhenFull::Slide => self.fixed(messages, options, &prompt)?,
        };
        if let Some(advanced) = self.memory.prefill(prompt, &mut answer, on)? {
            self.generate(advanced.logits, guide, options, fixed, &mut answer, on)?;
        }
        Ok(answer)
    }

    /// Computes what an answer to `messages` will begin with, however the last one goes on: the turns before it, and of
    /// the last, which is of the user, its pictures, the sounds so far and the words. For when the wearer still speaks.
    /// Costs nothing twice, and changes no answer.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn prepare(
        &mut self,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Answer> {
        let prompt = self.common_prompt(messages, options)?;
        let mut answer = Answer::begun(prompt.slots().len(), self.forgotten.count);
        if prompt.slots() != self.memory.slots() && !prompt.slots().is_empty() {
            self.memory.prefill(prompt, &mut answer, on)?;
        }
        Ok(answer)
    }

    /// Computes the prompt of `messages` and returns what is known of the first token of the answer: the logits of all
    /// tokens, after [`AnswerOptions::opening`]; `None` when it was broken off. With it what that took. An answer computes
    /// one position of it again.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn first_logits(
        &mut self,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(Answer, Option<Vec<f32>>)> {
        let (answer, advanced) = self.begin(messages, options, on)?;
        let logits = advanced.map(|advanced| self.model().decoder.backend().download(advanced.logits));
        Ok((answer, logits.transpose()?))
    }

    /// As [`first_logits`](Self::first_logits), with the hidden state that the logits come from.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn first_logits_and_state(
        &mut self,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(Answer, Option<Beginning>)> {
        let (answer, advanced) = self.begin(messages, options, on)?;
        let decoder = &self.model().decoder;
        let read = |advanced: Advanced<B>| {
            let state = decoder.state(&advanced)?;
            Ok::<_, Error>(Beginning { logits: decoder.backend().download(advanced.logits)?, state })
        };
        Ok((answer, advanced.map(read).transpose()?))
    }

    fn begin(
        &mut self,
        messages: &[Message],
        options: &AnswerOptions,
        on: &mut Listener<'_>,
    ) -> Result<(Answer, Option<Advanced<B>>)> {
        let prompt = self.fitting_prompt(messages, options)?;
        let mut answer = Answer::begun(prompt.slots().len(), self.forgotten.count);
        let advanced = self.memory.prefill(prompt, &mut answer, on)?;
        Ok((answer, advanced))
    }

    /// Messages that were forgotten are not given any more.
    pub(crate) fn let_go(&mut self) {
        self.forgotten = Forgotten::default();
    }

    /// The beginning that the prompts of `messages` have in common, whatever words come last.
    fn common_prompt(&mut self, messages: &[Message], options: &AnswerOptions) -> Result<Prompt> {
        let continued = |words: &str| {
            let mut messages = messages.to_vec();
            match messages.last_mut().filter(|message| message.role == Role::User) {
                Some(last) => last.content.push(Part::Text(words.to_owned())),
                None => messages.push(Message::text(Role::User, words)),
            }
            messages
        };
        let mut prompt = self.fitting_prompt(&continued("a"), options)?;
        let other = self.fitting_prompt(&continued("0"), options)?;
        let common = prompt.slots().iter().zip(other.slots()).take_while(|(a, b)| a == b).count();
        prompt.truncate(common);
        Ok(prompt)
    }

    /// What it remembers, position by position.
    pub fn slots(&self) -> &[Slot] {
        self.memory.slots()
    }

    /// What answers.
    pub fn model(&self) -> &LanguageModel<B> {
        &self.memory.model
    }

    /// How its model writes a chat.
    pub(crate) fn template(&self) -> Option<&ChatTemplate> {
        self.memory.model.template.as_ref()
    }

    fn check_room(&self, prompt: &Prompt) -> Result<()> {
        let (found, capacity) = (prompt.slots().len(), self.memory.capacity());
        if found == 0 || found > capacity {
            let detail = format!("found {found} tokens, expected 1 to {capacity}");
            return Err(Error::new(ErrorKind::Argument, "prompt", detail));
        }
        Ok(())
    }
}
