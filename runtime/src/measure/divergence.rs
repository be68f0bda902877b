//! How far a model is from the one it was made of.

use lorgnette_quant::Progress;
use serde::Serialize;

use super::distribution::Distribution;
use super::perplexity::Perplexity;
use super::reader::{Chunks, read};
use super::statistics::{Estimate, Mean, percentile};
use crate::backend::Backend;
use crate::conversation::LanguageModel;
use crate::{Error, ErrorKind, Result, TokenId};

/// How far a model is from another, the base.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Divergence {
    /// Of the base.
    pub base: Perplexity,
    /// Mean Kullback-Leibler divergence from the base, in nats.
    pub mean: Estimate,
    /// Median of the divergence.
    pub median: f64,
    /// Below which 99 % of the positions lie.
    pub percentile_99: f64,
    /// The largest divergence.
    pub max: f64,
    /// Share of the positions where both think the same token likeliest.
    pub same_top: Estimate,
    /// Mean difference of the probability that the model and the base give the token that came.
    pub delta_p: Estimate,
    /// Root of the mean square of that difference.
    pub delta_p_rms: f64,
}

/// What is summed up position by position. One number a position is kept, for the percentiles.
#[derive(Default)]
struct Sums {
    surprise: Mean,
    base_surprise: Mean,
    divergences: Vec<f64>,
    same_top: Mean,
    delta_p: Mean,
    delta_p_square: Mean,
}

impl Sums {
    fn push(&mut self, logits: &[f32], base: &[f32], token: TokenId) {
        let (model, base) = (Distribution::of(logits), Distribution::of(base));
        let [log_p, base_log_p] = [&model, &base].map(|d| d.log_probability(token));
        self.surprise.push(-log_p);
        self.base_surprise.push(-base_log_p);
        self.divergences.push(base.divergence(&model));
        self.same_top.push(f64::from(u8::from(model.top == base.top)));
        let delta = log_p.exp() - base_log_p.exp();
        self.delta_p.push(delta);
        self.delta_p_square.push(delta * delta);
    }

    fn finish(mut self, chunks: &Chunks) -> Result<(Perplexity, Divergence)> {
        let mut mean = Mean::default();
        self.divergences.iter().for_each(|&d| mean.push(d));
        self.divergences.sort_by(f64::total_cmp);
        let divergence = Divergence {
            base: Perplexity::of(&self.base_surprise, chunks)?,
            mean: mean.estimate(),
            median: percentile(&self.divergences, 0.5),
            percentile_99: percentile(&self.divergences, 0.99),
            max: percentile(&self.divergences, 1.0),
            same_top: self.same_top.estimate(),
            delta_p: self.delta_p.estimate(),
            delta_p_rms: self.delta_p_square.estimate().value.sqrt(),
        };
        Ok((Perplexity::of(&self.surprise, chunks)?, divergence))
    }
}

/// The perplexity of `model`, and how far it is from `base` at the positions that are scored. Both read the text side
/// by side, so that no more than a few rows of logits are held.
///
/// # Errors
/// As [`super::perplexity`], and [`ErrorKind::Argument`] when the vocabularies differ.
pub fn divergence<B: Backend>(
    model: &LanguageModel<B>,
    base: &LanguageModel<B>,
    text: &str,
    context: usize,
    progress: &dyn Progress,
) -> Result<(Perplexity, Divergence)> {
    check_vocabularies(model, base)?;
    let chunks = Chunks::of(model, text, context)?;
    let mut sums = Sums::default();
    read([model.decoder(), base.decoder()], &chunks, progress, |[logits, base], token| {
        sums.push(logits, base, token);
    })?;
    sums.finish(&chunks)
}

fn check_vocabularies<B: Backend>(model: &LanguageModel<B>, base: &LanguageModel<B>) -> Result<()> {
    let refuse = |detail| Err(Error::new(ErrorKind::Argument, "vocabulary", detail));
    let [found, expected] = [model, base].map(|m| m.decoder().config().vocabulary);
    if found != expected {
        return refuse(format!("found {found} tokens, expected {expected} as in the base"));
    }
    for token in 0..found as TokenId {
        let [found, expected] = [model, base].map(|m| m.tokenizer().token_text(token));
        if found != expected {
            return refuse(format!("token {token}: found {found:?}, expected {expected:?} as in the base"));
        }
    }
    Ok(())
}
