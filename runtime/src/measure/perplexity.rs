//! How surprised a model is by a text.

use lorgnette_quant::Progress;
use serde::Serialize;

use super::distribution::Distribution;
use super::reader::{Chunks, read};
use super::statistics::{Estimate, Mean};
use crate::backend::Backend;
use crate::conversation::LanguageModel;
use crate::{Error, Result};

/// How surprised a model is by a text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Perplexity {
    /// The exponential of the mean negative log-likelihood of the tokens, in nats.
    pub perplexity: Estimate,
    /// Tokens of a chunk.
    pub context: usize,
    /// Chunks that were read.
    pub chunks: usize,
    /// Tokens that were scored.
    pub tokens: usize,
}

impl Perplexity {
    /// From negative log-likelihoods.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the model computed what is not a number.
    pub(super) fn of(surprise: &Mean, chunks: &Chunks) -> Result<Self> {
        let Estimate { value, uncertainty } = surprise.estimate();
        if !value.is_finite() {
            return Err(Error::malformed("logits", value, "finite numbers"));
        }
        let perplexity = Estimate { value: value.exp(), uncertainty: value.exp() * uncertainty };
        Ok(Self { perplexity, context: chunks.context(), chunks: chunks.count(), tokens: surprise.count() })
    }
}

/// The perplexity of `model` on `text`, read in chunks of `context` tokens of which the second half is scored, as
/// llama-perplexity does.
///
/// # Errors
/// [`crate::ErrorKind::Argument`] when `context` is below 3 or more than the model was trained for, or the text has
/// less than two chunks; [`crate::ErrorKind::Malformed`] when the model computes what is not a number;
/// [`crate::ErrorKind::Cancelled`].
pub fn perplexity<B: Backend>(
    model: &LanguageModel<B>,
    text: &str,
    context: usize,
    progress: &dyn Progress,
) -> Result<Perplexity> {
    let chunks = Chunks::of(model, text, context)?;
    let mut surprise = Mean::default();
    read([model.decoder()], &chunks, progress, |[logits], token| {
        surprise.push(-Distribution::of(logits).log_probability(token));
    })?;
    Perplexity::of(&surprise, &chunks)
}
