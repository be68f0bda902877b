//! What was computed, and what is computed next.

use std::sync::{Arc, PoisonError};

use super::LanguageModel;
use super::answer::{Answer, Event, Listener, finished};
use super::encode::Rows;
use super::prompt::{Content, Contents, Prompt, Slot};
use super::sampler::{Need, Sampler};
use crate::backend::Backend;
use crate::model::decoder::{Advanced, Input, Sequence, Wanted};
use crate::{Error, ErrorKind, Result, TokenId};

/// Positions that are computed between two looks at whether to go on.
pub const PREFILL: usize = 256;

/// Keys and values of a conversation, and what they are of.
pub(super) struct Memory<B: Backend> {
    pub(super) model: Arc<LanguageModel<B>>,
    /// Where a token is computed before it is known, it may be longer than `slots` by that one.
    sequence: Sequence<B>,
    /// What stands at the positions of the sequence.
    slots: Vec<Slot>,
    /// What the last prompt's rows are made of.
    contents: Contents,
}

/// What the next token is.
pub(super) enum Next<B: Backend> {
    /// To be chosen.
    Of(B::Rows),
    /// Chosen on the device, before it was asked for.
    Is(B::Token),
}

/// A token that was chosen.
pub(super) struct Chosen<B: Backend> {
    pub(super) id: TokenId,
    /// The same where it was chosen, if that was not here.
    on_device: Option<B::Token>,
    /// The one after it, if that is being computed already.
    next: Option<B::Token>,
}

/// A token that was chosen.
pub(super) enum Choice<B: Backend> {
    /// On the device.
    There(B::Token),
    Here(TokenId),
}

impl<B: Backend> LanguageModel<B> {
    /// The token that `sampler` takes of those `allowed`; no more of the logits is read than it needs.
    pub(super) fn choose(
        &self,
        logits: B::Rows,
        allowed: Option<&[u32]>,
        sampler: &mut Sampler,
        said: &[TokenId],
    ) -> Result<Choice<B>> {
        let backend = self.decoder.backend();
        let count = match sampler.need(said) {
            Need::Likeliest => return backend.likeliest(&logits, allowed).map(Choice::There),
            Need::Candidates(count) => count,
            Need::All => usize::MAX,
        };
        let candidates = backend.candidates(logits, allowed, count)?;
        Ok(Choice::Here(sampler.choose_among(candidates, said)))
    }
}

impl<B: Backend> Memory<B> {
    pub(super) fn new(model: Arc<LanguageModel<B>>, capacity: usize) -> Result<Self> {
        let sequence = model.decoder.sequence(capacity)?;
        Ok(Self { model, sequence, slots: Vec::new(), contents: Contents::new() })
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(super) fn capacity(&self) -> usize {
        self.sequence.capacity()
    }

    pub(super) fn is_full(&self) -> bool {
        self.slots.len() == self.capacity()
    }

    pub(super) fn forget_from(&mut self, len: usize) {
        self.slots.truncate(len);
        self.sequence.truncate(len);
    }

    /// Computes a token and returns what comes after it.
    pub(super) fn compute(&mut self, token: Chosen<B>) -> Result<Next<B>> {
        let next = match token.next {
            Some(next) => Next::Is(next),
            None => {
                let ids = [token.id];
                let input = token.on_device.as_ref().map_or(Input::Tokens(&ids), Input::Chosen);
                Next::Of(self.model.decoder.advance(&mut self.sequence, &[input], Wanted::Last)?)
            }
        };
        self.slots.push(Slot::Token(token.id));
        Ok(next)
    }

    /// The token that `sampler` takes of those `allowed`. Where another one is `wanted` after it, the device goes on with
    /// that before this one is known here.
    pub(super) fn choose(
        &mut self,
        next: Next<B>,
        allowed: Option<&[u32]>,
        sampler: &mut Sampler,
        said: &[TokenId],
        wanted: bool,
    ) -> Result<Chosen<B>> {
        let logits = match next {
            Next::Is(token) => return self.learn(token, wanted),
            Next::Of(logits) => logits,
        };
        match self.model.choose(logits, allowed, sampler, said)? {
            Choice::There(mut token) => {
                self.model.decoder.backend().send(&mut token)?;
                self.learn(token, wanted && allowed.is_none())
            }
            Choice::Here(id) => Ok(Chosen { id, on_device: None, next: None }),
        }
    }

    /// Which token it is; the one after it is being computed then, if it is `wanted` and there is room.
    fn learn(&mut self, token: B::Token, wanted: bool) -> Result<Chosen<B>> {
        let room = !self.is_full();
        let decoder = &self.model.decoder;
        let ahead = wanted && room && decoder.backend().is_queue();
        let next = ahead.then(|| decoder.follow(&mut self.sequence, &token)).transpose()?;
        Ok(Chosen { id: decoder.backend().token(&token)?, on_device: Some(token), next })
    }

    /// Other sequences of the same, with room for `capacity` positions each.
    pub(super) fn branches(&self, count: usize, capacity: usize) -> Result<Vec<Sequence<B>>> {
        (0..count).map(|_| self.model.decoder.branch(&self.sequence, capacity)).collect()
    }

    /// Forgets what differs from `prompt`, computes the rest of it and returns what is known after it; `None` when it
    /// was broken off.
    pub(super) fn prefill(
        &mut self,
        prompt: Prompt,
        answer: &mut Answer,
        on: &mut Listener<'_>,
    ) -> Result<Option<Advanced<B>>> {
        let (slots, contents) = prompt.into_parts();
        self.contents = contents;
        // The last one is computed in any case, for its logits.
        let known = self.recall(&slots)?.min(slots.len() - 1);
        let advanced = self.continue_with(known, &slots, answer, on)?;
        if answer.prefilled_image_tokens > 0 && advanced.is_some() {
            self.keep_pictures()?;
        }
        Ok(advanced)
    }

    /// How many of the first `slots` have keys and values now: those of before, or those that were kept of another time.
    fn recall(&mut self, slots: &[Slot]) -> Result<usize> {
        let known = self.slots.iter().zip(slots).take_while(|(a, b)| a == b).count();
        let model = Arc::clone(&self.model);
        let mut prefixes = model.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(prefix) = prefixes.longest(slots, self.capacity()).filter(|prefix| prefix.len() > known)
        else {
            return Ok(known);
        };
        model.decoder.restore(prefix, &mut self.sequence)?;
        self.slots = slots[..prefix.len()].to_vec();
        Ok(prefix.len())
    }

    /// Keeps all up to the last row of a picture, for when it is asked about again.
    fn keep_pictures(&self) -> Result<()> {
        let of_picture = |slot: &Slot| match slot {
            Slot::Row { content, .. } => matches!(self.contents.get(content), Some(Content::Tile(..))),
            Slot::Token(_) => false,
        };
        let Some(last) = self.slots.iter().rposition(of_picture) else { return Ok(()) };
        let mut prefixes = self.model.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        if !prefixes.has_room(last + 1) {
            return Ok(());
        }
        let prefix = self.model.decoder.prefix(&self.sequence, last + 1)?;
        prefixes.insert(self.slots[..=last].to_vec(), prefix);
        Ok(())
    }

    /// Keeps the first `known` positions and computes `slots` from there on.
    pub(super) fn continue_with(
        &mut self,
        known: usize,
        slots: &[Slot],
        answer: &mut Answer,
        on: &mut Listener<'_>,
    ) -> Result<Option<Advanced<B>>> {
        let new = &slots[known..];
        let model = Arc::clone(&self.model);
        let backend = model.decoder.backend();
        let Some(rows) = model.rows_of(new, &self.contents, answer, on)? else { return Ok(None) };
        self.forget_from(known);
        let mut advanced = None;
        let mut done = 0;
        for piece in new.chunks(PREFILL) {
            backend.start()?;
            advanced = Some(self.compute_slots(piece, &rows)?);
            if !finished(backend, on)? {
                self.forget_from(known + done);
                return Ok(None);
            }
            done += piece.len();
            self.count(piece, answer);
            if on(Event::Prefilled { done, total: new.len() }).is_break() {
                return Ok(None);
            }
        }
        Ok(advanced)
    }

    fn compute_slots(&mut self, slots: &[Slot], rows: &Rows<B>) -> Result<Advanced<B>> {
        let tokens: Vec<TokenId> = slots.iter().filter_map(Slot::token).collect();
        let mut inputs = Vec::new();
        let (mut at, mut token) = (0, 0);
        while let Some(slot) = slots.get(at) {
            let run = run(&slots[at..]);
            match slot {
                Slot::Token(_) => {
                    inputs.push(Input::Tokens(&tokens[token..token + run]));
                    token += run;
                }
                Slot::Row { content, row } => {
                    let rows = rows.get(content).ok_or_else(|| {
                        Error::new(ErrorKind::Argument, "prompt", "it has rows of what was not encoded")
                    })?;
                    inputs.push(Input::Rows(rows.as_ref(), *row..row + run));
                }
            }
            at += run;
        }
        let advanced = self.model.decoder.advance_with_states(&mut self.sequence, &inputs)?;
        self.slots.extend_from_slice(slots);
        Ok(advanced)
    }

    fn count(&self, computed: &[Slot], answer: &mut Answer) {
        answer.prefilled_tokens += computed.len();
        for slot in computed {
            if let Slot::Row { content, .. } = slot {
                match self.contents.get(content) {
                    Some(Content::Block(..)) => answer.prefilled_audio_tokens += 1,
                    _ => answer.prefilled_image_tokens += 1,
                }
            }
        }
    }
}

/// How many of the first slots are tokens, or rows of one content that follow each other.
fn run(slots: &[Slot]) -> usize {
    let goes_on = |pair: &[Slot]| match (pair[0], pair[1]) {
        (Slot::Token(_), Slot::Token(_)) => true,
        (Slot::Row { content: a, row: i }, Slot::Row { content: b, row: j }) => a == b && i + 1 == j,
        _ => false,
    };
    1 + slots.windows(2).take_while(|pair| goes_on(pair)).count()
}
