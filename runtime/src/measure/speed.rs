//! How long tokens take. What is computed does not depend on which tokens they are.

use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::conversation::PREFILL;
use crate::model::decoder::{Decoder, Input, Wanted};
use crate::{Result, TokenId};

/// A step through the vocabulary; prime, so that every token comes.
const STEP: usize = 7919;

/// `count` tokens of a vocabulary of so many, all over it.
pub fn tokens(count: usize, vocabulary: usize) -> Vec<TokenId> {
    (0..count).map(|i| (i * STEP % vocabulary) as TokenId).collect()
}

/// Reads `count` tokens into an empty sequence, in pieces as a conversation does.
///
/// # Errors
/// As [`Decoder::sequence`] and [`Decoder::forward`].
pub fn prefill<B: Backend>(model: &Decoder<B>, count: usize) -> Result<Duration> {
    first_token(model, count).map(|(took, _)| took)
}

/// Makes `count` tokens in an empty sequence as a greedy answer is made: each fed back where it was chosen, and the next
/// one being computed while it is read.
///
/// # Errors
/// As [`prefill`].
pub fn decode<B: Backend>(model: &Decoder<B>, count: usize) -> Result<Duration> {
    let mut sequence = model.sequence(count)?;
    let start = Instant::now();
    let first = tokens(1, model.config().vocabulary);
    let logits = model.advance(&mut sequence, &[Input::Tokens(&first)], Wanted::Last)?;
    let mut token = model.backend().likeliest(&logits, None)?;
    model.backend().send(&mut token)?;
    while sequence.len() < count {
        let next = model.follow(&mut sequence, &token)?;
        model.backend().token(&token)?;
        token = next;
    }
    model.backend().token(&token)?;
    Ok(start.elapsed())
}

/// From a prompt of `count` tokens to the first token of an answer, and which that is.
///
/// # Errors
/// As [`prefill`].
pub fn first_token<B: Backend>(model: &Decoder<B>, count: usize) -> Result<(Duration, TokenId)> {
    let tokens = tokens(count, model.config().vocabulary);
    let mut sequence = model.sequence(count)?;
    let start = Instant::now();
    let mut chosen = 0;
    for piece in tokens.chunks(PREFILL) {
        let logits = model.advance(&mut sequence, &[Input::Tokens(piece)], Wanted::Last)?;
        let token = model.backend().likeliest(&logits, None)?;
        chosen = model.backend().token(&token)?;
    }
    Ok((start.elapsed(), chosen))
}
