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
    timed(model, count, PREFILL).map(|(took, _)| took)
}

/// Reads `count` tokens into an empty sequence, one after the other, as an answer is made.
///
/// # Errors
/// As [`prefill`].
pub fn decode<B: Backend>(model: &Decoder<B>, count: usize) -> Result<Duration> {
    timed(model, count, 1).map(|(took, _)| took)
}

/// From a prompt of `count` tokens to the first token of an answer, and which that is.
///
/// # Errors
/// As [`prefill`].
pub fn first_token<B: Backend>(model: &Decoder<B>, count: usize) -> Result<(Duration, TokenId)> {
    timed(model, count, PREFILL)
}

/// The time for `count` tokens, `step` at once, a token being chosen after each step; and the last that was.
fn timed<B: Backend>(model: &Decoder<B>, count: usize, step: usize) -> Result<(Duration, TokenId)> {
    let tokens = tokens(count, model.config().vocabulary);
    let mut sequence = model.sequence(count)?;
    let start = Instant::now();
    let mut chosen = 0;
    for piece in tokens.chunks(step) {
        let logits = model.advance(&mut sequence, &[Input::Tokens(piece)], Wanted::Last)?;
        let token = model.backend().likeliest(&logits, None)?;
        chosen = model.backend().token(&token)?;
    }
    Ok((start.elapsed(), chosen))
}
