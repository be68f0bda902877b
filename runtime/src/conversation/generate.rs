//! The tokens of an answer, one after the other.

use std::ops::ControlFlow;

use super::answer::{Answer, AnswerOptions, Event, Finish, Listener};
use super::constraint::Guide;
use super::sampler::Sampler;
use super::stop::StopStrings;
use super::window::Slid;
use super::{Conversation, Slot, WhenFull};
use crate::backend::Backend;
use crate::{Result, TokenId};

impl<B: Backend> Conversation<B> {
    /// Answers, `logits` being those after the prompt. When it slides, the first `fixed` positions stay.
    pub(super) fn generate(
        &mut self,
        mut logits: B::Rows,
        mut guide: Guide,
        options: &AnswerOptions,
        fixed: usize,
        answer: &mut Answer,
        on: &mut Listener<'_>,
    ) -> Result<()> {
        let mut sampler = Sampler::new(options.sampling);
        let mut decoder = guide.decoder(&self.memory.model.tokenizer);
        let mut stop = StopStrings::new(&options.stop);
        let mut said: Vec<TokenId> = self.memory.slots().iter().filter_map(Slot::token).collect();
        answer.finish = loop {
            if answer.answer_tokens() == options.max_tokens {
                break Finish::Length;
            }
            let chosen = self.memory.model.choose(logits, guide.allowed(), &mut sampler, &said)?;
            let token = chosen.id;
            if self.memory.model.tokenizer.is_end(token) {
                break Finish::End;
            }
            answer.tokens.push(token);
            said.push(token);
            let complete = guide.push(token)?;
            let (text, stopped) = stop.push(&decoder.push(token).unwrap_or_default());
            if show(answer, text, on).is_break() {
                break Finish::Cancelled;
            }
            if stopped {
                break Finish::Stop;
            }
            if complete {
                break Finish::End;
            }
            if self.memory.is_full() {
                let slid = match options.when_full {
                    WhenFull::Slide => self.slide(fixed, answer, on)?,
                    WhenFull::Stop => Slid::Full,
                };
                match slid {
                    Slid::Room => {}
                    Slid::Full => break Finish::ContextFull,
                    Slid::Cancelled => break Finish::Cancelled,
                }
            }
            logits = self.memory.compute(&chosen)?;
        };
        if matches!(answer.finish, Finish::Cancelled | Finish::Stop) {
            return Ok(());
        }
        let (text, _) = stop.push(&decoder.finish().unwrap_or_default());
        // What comes after the end cannot be broken off any more.
        let _ = show(answer, text + &stop.finish(), on);
        Ok(())
    }
}

fn show(answer: &mut Answer, text: String, on: &mut Listener<'_>) -> ControlFlow<()> {
    answer.text.push_str(&text);
    if text.is_empty() { ControlFlow::Continue(()) } else { on(Event::Piece(&text)) }
}
