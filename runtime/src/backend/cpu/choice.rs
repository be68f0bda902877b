//! Tokens by their logits.

use std::iter;

use crate::TokenId;

/// The first of the tokens with the largest logit, among those whose bit is set.
pub(super) fn likeliest(logits: &[f32], allowed: Option<&[u32]>) -> TokenId {
    let Some(allowed) = allowed else {
        let largest = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
        return (1..logits.len()).fold(0, largest) as TokenId;
    };
    let mut best: Option<usize> = None;
    for (index, &word) in allowed.iter().enumerate() {
        let mut left = word;
        while left != 0 {
            let token = index * u32::BITS as usize + left.trailing_zeros() as usize;
            left &= left - 1;
            if token < logits.len() && best.is_none_or(|best| logits[token] > logits[best]) {
                best = Some(token);
            }
        }
    }
    best.unwrap_or(0) as TokenId
}

/// Puts the logits of all other tokens at negative infinity.
pub(super) fn mask(logits: &mut [f32], allowed: Option<&[u32]>) {
    let Some(allowed) = allowed else { return };
    let words = allowed.iter().copied().chain(iter::repeat(0));
    for (word, logits) in words.zip(logits.chunks_mut(u32::BITS as usize)) {
        let masked = logits.iter_mut().enumerate().filter(|(bit, _)| word >> bit & 1 == 0);
        masked.for_each(|(_, logit)| *logit = f32::NEG_INFINITY);
    }
}
