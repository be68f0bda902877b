//! Several ways on from one prompt, computed together.

use std::sync::Arc;

use super::answer::{Answer, AnswerOptions, Listener};
use super::constraint::Guide;
use super::memory::Choice;
use super::sampler::Sampler;
use super::{Constraint, Conversation, LanguageModel, Slot};
use crate::backend::Backend;
use crate::model::chat_template::Message;
use crate::model::decoder::Sequence;
use crate::model::tokenizer::Decoder;
use crate::{Result, TokenId};

/// Sequences that begin alike. Each step goes once over the weights, whatever their number.
pub(crate) struct Branches<B: Backend> {
    model: Arc<LanguageModel<B>>,
    sequences: Vec<Sequence<B>>,
    /// What each of them began with.
    prompt: Vec<TokenId>,
    logits: B::Rows,
    /// The row of the logits for each branch; `None` once it was left behind.
    rows: Vec<Option<usize>>,
    guides: Vec<Guide>,
}

impl<B: Backend> Conversation<B> {
    /// The prompt of `messages`, once for each of `count` branches with room for `room` tokens more, or as many as the
    /// model was trained for; `None` when `on` broke it off. The conversation itself does not go on.
    pub(crate) fn branches(
        &mut self,
        messages: &[Message],
        options: &AnswerOptions,
        (count, room): (usize, usize),
        on: &mut Listener<'_>,
    ) -> Result<(Answer, Option<Branches<B>>)> {
        let prompt = self.fitting_prompt(messages, options)?;
        let mut answer = Answer::begun(prompt.slots().len(), self.forgotten.count);
        let Some(advanced) = self.memory.prefill(prompt, &mut answer, on)? else { return Ok((answer, None)) };
        let logits = advanced.logits;
        let model = Arc::clone(&self.memory.model);
        let most = model.decoder.config().context;
        let capacity = answer.prompt_tokens.saturating_add(room).min(most);
        let sequences = self.memory.branches(count, capacity)?;
        let prompt = self.memory.slots().iter().filter_map(Slot::token).collect();
        let guides = (0..count).map(|_| Guide::free()).collect();
        let rows = vec![Some(0); count];
        Ok((answer, Some(Branches { model, sequences, prompt, logits, rows, guides })))
    }
}

impl<B: Backend> Branches<B> {
    pub(crate) fn model(&self) -> &LanguageModel<B> {
        &self.model
    }

    /// The tokens of the prompt.
    pub(crate) fn prompt(&self) -> &[TokenId] {
        &self.prompt
    }

    pub(crate) fn is_full(&self, branch: usize) -> bool {
        self.sequences[branch].len() == self.sequences[branch].capacity()
    }

    /// From now on `branch` is held to `constraint`. What its text is decoded with.
    pub(crate) fn constrain(&mut self, branch: usize, constraint: Option<&Constraint>) -> Result<Decoder> {
        self.guides[branch] = self.model.guide(constraint)?;
        Ok(self.guides[branch].decoder(&self.model.tokenizer))
    }

    /// What `sampler` takes after the last token of `branch`, which was not left behind, `said` being all its tokens.
    pub(crate) fn choose(&self, branch: usize, sampler: &mut Sampler, said: &[TokenId]) -> Result<TokenId> {
        let row = self.model.decoder.backend().gather(&self.logits, &[self.rows[branch]], 1)?;
        match self.model.choose(row, self.guides[branch].allowed(), sampler, said)? {
            Choice::There(token) => self.model.decoder.backend().token(&token),
            Choice::Here(id) => Ok(id),
        }
    }

    /// Takes note of what was chosen. Whether nothing can follow.
    pub(crate) fn take(&mut self, branch: usize, token: TokenId) -> Result<bool> {
        self.guides[branch].push(token)
    }

    /// Goes on with the tokens that there are, one for each branch; the others are left behind.
    pub(crate) fn advance(&mut self, tokens: &[Option<TokenId>]) -> Result<()> {
        let chosen =
            self.sequences.iter_mut().zip(tokens).filter_map(|(sequence, token)| Some((sequence, (*token)?)));
        let (mut sequences, ids): (Vec<_>, Vec<_>) = chosen.unzip();
        self.logits = self.model.decoder.advance_each(&mut sequences, &ids)?;
        let mut row = 0..;
        self.rows = tokens.iter().map(|token| token.and_then(|_| row.next())).collect();
        Ok(())
    }
}
