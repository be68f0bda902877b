//! What is left out when there is no room for all.

use super::Conversation;
use super::answer::{Answer, AnswerOptions, Listener, WhenFull};
use super::prompt::{Prompt, Slot};
use crate::Result;
use crate::backend::Backend;
use crate::model::chat_template::{Message, RenderOptions, Role};

/// Messages that are left out of a chat.
#[derive(Default)]
pub(super) struct Forgotten {
    pub(super) count: usize,
    /// The first one behind them: what tells the chat from another.
    first_kept: Option<Message>,
}

/// How sliding on went.
pub(super) enum Slid {
    /// There is room.
    Room,
    /// There is nothing that could be forgotten.
    Full,
    /// The listener broke it off.
    Cancelled,
}

impl<B: Backend> Conversation<B> {
    /// The prompt of `messages`, without the oldest ones if there is no room for them and `options` allow it. Those
    /// that were left out once stay so, or every turn would have to be computed from the start.
    pub(super) fn fitting_prompt(&mut self, messages: &[Message], options: &AnswerOptions) -> Result<Prompt> {
        let model = &self.memory.model;
        let (system, chat) = messages.split_at(system_messages(messages));
        let render = |forgotten: usize| {
            let mut prompt = model.prompt(&[system, &chat[forgotten..]].concat(), &options.render)?;
            prompt.push_tokens(options.opening.iter().copied());
            Ok(prompt)
        };
        let slides = options.when_full == WhenFull::Slide;
        let capacity = self.memory.capacity();
        let mut forgotten = if slides { self.forgotten.of(chat) } else { 0 };
        let mut prompt = render(forgotten)?;
        // Room for at least one token of the answer.
        if slides && prompt.slots().len() >= capacity {
            while let Some(turn) = next_turn(chat, forgotten).filter(|_| prompt.slots().len() > capacity / 2)
            {
                forgotten = turn;
                prompt = render(forgotten)?;
            }
        }
        self.check_room(&prompt)?;
        self.forgotten = Forgotten { count: forgotten, first_kept: chat.get(forgotten).cloned() };
        Ok(prompt)
    }

    /// The positions at the start of `prompt` that are of the system's messages.
    pub(super) fn fixed(
        &self,
        messages: &[Message],
        options: &AnswerOptions,
        prompt: &Prompt,
    ) -> Result<usize> {
        let system = &messages[..system_messages(messages)];
        if system.is_empty() {
            return Ok(0);
        }
        let render = RenderOptions { add_generation_prompt: false, ..options.render.clone() };
        // A template that wants a question refuses; then nothing is fixed.
        let Ok(alone) = self.memory.model.prompt(system, &render) else { return Ok(0) };
        Ok(alone.slots().iter().zip(prompt.slots()).take_while(|(a, b)| a == b).count())
    }

    /// Forgets the older half of what is behind the first `fixed` positions, and computes the rest anew.
    pub(super) fn slide(&mut self, fixed: usize, answer: &mut Answer, on: &mut Listener<'_>) -> Result<Slid> {
        let slots = self.memory.slots();
        let mut from = fixed + (slots.len() - fixed).div_ceil(2);
        // A picture is forgotten as a whole.
        while matches!(slots.get(from), Some(Slot::Row { row: 1.., .. })) {
            from += 1;
        }
        if from >= slots.len() {
            return Ok(Slid::Full);
        }
        let kept = [&slots[..fixed], &slots[from..]].concat();
        let mut again = Answer::begun(0, 0);
        let advanced = self.memory.continue_with(fixed, &kept, &mut again, on)?;
        answer.vision_passes += again.vision_passes;
        answer.audio_passes += again.audio_passes;
        if advanced.is_none() {
            return Ok(Slid::Cancelled);
        }
        answer.forgotten_tokens += from - fixed;
        Ok(Slid::Room)
    }
}

impl Forgotten {
    /// How many messages of `chat` are forgotten already: none of another chat.
    fn of(&self, chat: &[Message]) -> usize {
        let same = self.count > 0 && chat.get(self.count) == self.first_kept.as_ref();
        if same { self.count } else { 0 }
    }
}

fn system_messages(messages: &[Message]) -> usize {
    messages.iter().take_while(|message| message.role == Role::System).count()
}

/// Where the turn after the one at `start` begins: templates want a user to speak first.
fn next_turn(chat: &[Message], start: usize) -> Option<usize> {
    (start + 1..chat.len()).find(|&at| chat[at].role == Role::User)
}
