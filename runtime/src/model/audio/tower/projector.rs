//! From the rows of an encoder to the tokens of a language model.

use super::cut::STRIDE;
use crate::backend::{Activation, Backend, Dense, FeedForwardInput, Linear, Norm, RmsNorm};
use crate::model::keys::Keys;
use crate::model::loader::Loader;
use crate::model::media::Placeholder;
use crate::model::projector::projector_type;
use crate::{Error, Result};

/// The types that are known.
const KNOWN: [&str; 3] = ["ultravox", "qwen2a", "voxtral"];

/// Rows that Qwen2-Audio takes the mean of.
const POOLED: usize = 2;

/// Each has its own way to make fewer rows, and to project them.
pub(super) enum Projector<W> {
    /// Rows side by side; gate and up, and down, each behind a norm.
    Ultravox { stack: usize, input: FeedForwardInput<W>, output: Dense<W> },
    /// The mean of pairs, before the encoder's norm; one projection.
    Qwen2Audio { output: Dense<W> },
    /// Rows side by side; two projections. Nothing is pooled, though llama.cpp does: the numbers are those of Hugging
    /// Face transformers.
    Voxtral { stack: usize, input: Dense<W>, output: Dense<W> },
}

impl<W> Projector<W> {
    /// From rows of `width` to rows of `tokens_width`.
    pub(super) fn load<B: Backend<Weights = W>>(
        loader: &Loader<'_, B>,
        keys: &Keys<'_>,
        width: usize,
        tokens_width: usize,
    ) -> Result<Self> {
        let dense = |name: &str, norm, input, output, activation| -> Result<Dense<W>> {
            Ok(Dense { norm, linear: loader.linear(name, input, output)?, activation })
        };
        let kind = projector_type(keys.metadata(), "audio", &KNOWN)?;
        if kind == "qwen2a" {
            return Ok(Self::Qwen2Audio { output: dense("mm.a.fc", None, width, tokens_width, None)? });
        }
        let stack = keys.positive("projector.stack_factor")?;
        let stacked = width.saturating_mul(stack);
        let hidden = loader.rows("mm.a.mlp.1.weight")?;
        if kind == "voxtral" {
            let input = dense("mm.a.mlp.1", None, stacked, hidden, Some(Activation::GeluErf))?;
            return Ok(Self::Voxtral {
                stack,
                input,
                output: dense("mm.a.mlp.2", None, hidden, tokens_width, None)?,
            });
        }
        let norm = Norm::Rms(rms_norm(loader, "mm.a.norm_mid", hidden / 2)?);
        Ok(Self::Ultravox {
            stack,
            input: gated(loader, stacked, hidden)?,
            output: dense("mm.a.mlp.2", Some(norm), hidden / 2, tokens_width, None)?,
        })
    }

    /// What stands for a sound in the text of a template.
    pub(super) fn placeholder(&self) -> Placeholder {
        match self {
            Self::Ultravox { .. } => Placeholder { token: "<|audio|>", framed: "<|audio|>" },
            Self::Qwen2Audio { .. } => {
                Placeholder { token: "<|AUDIO|>", framed: "<|audio_bos|><|AUDIO|><|audio_eos|>" }
            }
            Self::Voxtral { .. } => Placeholder { token: "[AUDIO]", framed: "[BEGIN_AUDIO][AUDIO]" },
        }
    }

    /// Frames of the spectrogram that a token stands for.
    pub(super) fn frames_of_token(&self) -> usize {
        let rows = match self {
            Self::Ultravox { stack, .. } | Self::Voxtral { stack, .. } => *stack,
            Self::Qwen2Audio { .. } => POOLED,
        };
        rows.saturating_mul(STRIDE)
    }

    /// Tokens that `rows` become, at least one if there are rows at all.
    pub(super) fn tokens(&self, rows: usize) -> usize {
        match self {
            Self::Ultravox { stack, .. } | Self::Voxtral { stack, .. } => rows.div_ceil(*stack),
            Self::Qwen2Audio { .. } => (rows / POOLED).max(rows.min(1)),
        }
    }

    /// `[count][width]`, not yet normed, to tokens. Zeros fill up what is stacked; what is left over of pairs is
    /// dropped, unless there is nothing else.
    pub(super) fn forward<B: Backend<Weights = W>>(
        &self,
        backend: &B,
        norm: &Norm<W>,
        rows: &B::Rows,
        count: usize,
    ) -> Result<B::Rows> {
        let stacked = |stack: usize| -> Result<B::Rows> {
            let sources: Vec<_> =
                (0..count.next_multiple_of(stack)).map(|row| Some(row).filter(|&row| row < count)).collect();
            backend.gather(&backend.norm(norm, rows)?, &sources, stack)
        };
        match self {
            Self::Ultravox { stack, input, output } => {
                backend.dense(output, &backend.feed_forward_input(input, &stacked(*stack)?)?)
            }
            Self::Qwen2Audio { output } => {
                let pooled = backend.mean_pool(rows, POOLED.min(count))?;
                backend.dense(output, &backend.norm(norm, &pooled)?)
            }
            Self::Voxtral { stack, input, output } => {
                backend.dense(output, &backend.dense(input, &stacked(*stack)?)?)
            }
        }
    }
}

/// Ultravox has the gate in the second half.
fn gated<B: Backend>(
    loader: &Loader<'_, B>,
    input: usize,
    hidden: usize,
) -> Result<FeedForwardInput<B::Weights>> {
    const NAME: &str = "mm.a.mlp.1.weight";
    let matrix = loader.matrix(NAME, &[input, hidden])?;
    if !hidden.is_multiple_of(2) {
        let found = format!("{hidden} rows");
        return Err(Error::malformed(format!("tensor {NAME:?} shape"), found, "two halves, up and gate"));
    }
    let half = |rows| Ok::<_, Error>(Linear { weight: loader.backend.load(matrix.slice(rows))?, bias: None });
    Ok(FeedForwardInput {
        norm: rms_norm(loader, "mm.a.norm_pre", input)?,
        gate: half(hidden / 2..hidden)?,
        up: half(0..hidden / 2)?,
    })
}

fn rms_norm<B: Backend>(loader: &Loader<'_, B>, name: &str, len: usize) -> Result<RmsNorm<B::Weights>> {
    const EPSILON: f32 = 1e-6;
    loader.rms_norm(name, len, EPSILON)
}
