//! What is known of an answer before it begins.

use serde::{Deserialize, Serialize};

use crate::TokenId;
use crate::model::tokenizer::{Special, Tokenizer};

/// How a model that hands a question over begins.
const CONTEMPLATE: &str = "<contemplate>";
/// How one that calls a tool begins.
const TOOL_CALL: &str = "<tool_call>";

/// The distribution of the first token, in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// The probability of the likeliest token.
    pub max_probability: f32,
    /// How much less the second one has.
    pub margin: f32,
    /// The entropy, as a part of that of a model that knows nothing, from 0 to 1.
    pub entropy: f32,
    /// The probability of `<contemplate>`; 0 where the vocabulary has no such token.
    pub contemplate: f32,
    /// The probability of `<tool_call>`; 0 where the vocabulary has no such token.
    pub tool_call: f32,
}

impl Outlook {
    /// How many numbers there are.
    pub const FEATURES: usize = 5;

    /// The outlook that these logits of all tokens are; that of no logits is all zeros.
    pub fn of(logits: &[f32], tokenizer: &Tokenizer) -> Self {
        let token = |text: &str| match tokenizer.encode(text, Special::Parse)[..] {
            [token] => Some(token),
            _ => None,
        };
        Self::of_tokens(logits, token(CONTEMPLATE), token(TOOL_CALL))
    }

    fn of_tokens(logits: &[f32], contemplate: Option<TokenId>, tool_call: Option<TokenId>) -> Self {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if !largest.is_finite() {
            return Self::default();
        }
        let weight = |logit: f32| f64::from(logit - largest).exp();
        let total: f64 = logits.iter().map(|logit| weight(*logit)).sum();
        let probability = |logit: f32| weight(logit) / total;
        let (mut first, mut second, mut entropy) = (0.0, 0.0, 0.0);
        for p in logits.iter().map(|logit| probability(*logit)) {
            (first, second) = if p > first { (p, first) } else { (first, p.max(second)) };
            entropy -= if p > 0.0 { p * p.ln() } else { 0.0 };
        }
        let of = |token: Option<TokenId>| {
            token.and_then(|token| logits.get(token as usize)).map_or(0.0, |logit| probability(*logit) as f32)
        };
        Self {
            max_probability: first as f32,
            margin: (first - second) as f32,
            entropy: (entropy / (logits.len().max(2) as f64).ln()) as f32,
            contemplate: of(contemplate),
            tool_call: of(tool_call),
        }
    }

    /// The numbers, in the order they are declared in.
    pub fn features(&self) -> [f32; Self::FEATURES] {
        [self.max_probability, self.margin, self.entropy, self.contemplate, self.tool_call]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_distribution() {
        let logits = [0.5_f32, 0.25, 0.125, 0.125].map(f32::ln);
        let outlook = Outlook::of_tokens(&logits, Some(1), Some(9));
        let expected = [0.5, 0.25, 1.75 / 2.0, 0.25, 0.0];
        for (found, expected) in outlook.features().into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{outlook:?}");
        }
    }

    #[test]
    fn who_knows_nothing_has_all_the_entropy_and_who_is_sure_none() {
        assert!((Outlook::of_tokens(&[7.0; 50], None, None).entropy - 1.0).abs() < 1e-6);
        let sure = Outlook::of_tokens(&[500.0, 0.0, f32::NEG_INFINITY], None, None);
        assert_eq!((sure.max_probability, sure.margin, sure.entropy), (1.0, 1.0, 0.0));
    }

    #[test]
    fn logits_that_are_no_numbers_are_no_outlook() {
        assert_eq!(Outlook::of_tokens(&[f32::NEG_INFINITY; 3], None, None), Outlook::default());
        assert_eq!(Outlook::of_tokens(&[], None, None), Outlook::default());
    }
}
