//! The tensors of a language model, checked against its sizes and handed to the backend.

use std::sync::Arc;

use lorgnette_quant::block;
use lorgnette_quant::gguf::{Gguf, Tensor};

use super::Config;
use crate::backend::{AttentionInput, Backend, FeedForwardInput, Linear, RmsNorm, Rotary};
use crate::{Error, Result};

pub(super) struct Weights<W> {
    pub(super) embedding: W,
    pub(super) layers: Vec<Layer<W>>,
    pub(super) norm: RmsNorm<W>,
    /// Absent where the embedding is the output matrix too.
    pub(super) head: Option<W>,
}

pub(super) struct Layer<W> {
    pub(super) attention_input: AttentionInput<W>,
    pub(super) attention_output: Linear<W>,
    pub(super) feed_forward_input: FeedForwardInput<W>,
    pub(super) feed_forward_output: Linear<W>,
}

impl<W> Weights<W> {
    pub(super) fn load<B: Backend<Weights = W>>(
        backend: &B,
        model: &Arc<Gguf>,
        config: &Config,
    ) -> Result<Self> {
        let loader = Loader { backend, model, config, rotary: rotary(model, config)? };
        Ok(Self {
            embedding: loader.tensor("token_embd.weight", &[config.width, config.vocabulary])?,
            layers: (0..config.layers).map(|i| loader.layer(i)).collect::<Result<_>>()?,
            norm: loader.norm("output_norm.weight", config.width)?,
            head: loader.optional("output.weight", &[config.width, config.vocabulary])?,
        })
    }
}

/// The rotary embedding of `config`, its frequencies divided by the factors in `rope_freqs.weight` if there are any:
/// that is how the scaling of Llama 3 is stored.
fn rotary(model: &Arc<Gguf>, config: &Config) -> Result<Rotary> {
    let mut rotary = config.rotary.clone();
    if let Some(tensor) = shaped(model, "rope_freqs.weight", &[config.heads.len / 2])? {
        let mut factors = vec![1.0; config.heads.len / 2];
        block::decode(tensor.info().ty(), tensor.data(), &mut factors)?;
        rotary.frequencies.iter_mut().zip(factors).for_each(|(frequency, factor)| *frequency /= factor);
    }
    Ok(rotary)
}

/// The tensor called `name`, if there is one, and an error if it has another shape than `dims`.
fn shaped(model: &Arc<Gguf>, name: &str, dims: &[usize]) -> Result<Option<Tensor>> {
    let Some(tensor) = model.shared_tensor(name) else { return Ok(None) };
    let found = tensor.info().shape();
    if found.dims() != dims {
        return Err(Error::malformed(format!("tensor {name:?} shape"), found, format!("{dims:?}")));
    }
    Ok(Some(tensor))
}

struct Loader<'a, B> {
    backend: &'a B,
    model: &'a Arc<Gguf>,
    config: &'a Config,
    rotary: Rotary,
}

impl<B: Backend> Loader<'_, B> {
    fn optional(&self, name: &str, dims: &[usize]) -> Result<Option<B::Weights>> {
        shaped(self.model, name, dims)?.map(|tensor| self.backend.load(tensor)).transpose()
    }

    fn tensor(&self, name: &str, dims: &[usize]) -> Result<B::Weights> {
        let missing = || Error::missing(format!("tensor {name:?}"), format!("it with shape {dims:?}"));
        self.optional(name, dims)?.ok_or_else(missing)
    }

    fn norm(&self, name: &str, len: usize) -> Result<RmsNorm<B::Weights>> {
        Ok(RmsNorm { weight: self.tensor(name, &[len])?, epsilon: self.config.epsilon })
    }

    fn optional_norm(&self, name: &str, len: usize) -> Result<Option<RmsNorm<B::Weights>>> {
        let weight = self.optional(name, &[len])?;
        Ok(weight.map(|weight| RmsNorm { weight, epsilon: self.config.epsilon }))
    }

    fn linear(&self, name: &str, input: usize, output: usize) -> Result<Linear<B::Weights>> {
        Ok(Linear {
            weight: self.tensor(&format!("{name}.weight"), &[input, output])?,
            bias: self.optional(&format!("{name}.bias"), &[output])?,
        })
    }

    fn layer(&self, number: usize) -> Result<Layer<B::Weights>> {
        let Config { width, feed_forward, heads, .. } = *self.config;
        let (queries, keys) = (heads.count * heads.len, heads.kv_count * heads.len);
        let name = |part: &str| format!("blk.{number}.{part}");
        Ok(Layer {
            attention_input: AttentionInput {
                norm: self.norm(&name("attn_norm.weight"), width)?,
                query: self.linear(&name("attn_q"), width, queries)?,
                key: self.linear(&name("attn_k"), width, keys)?,
                value: self.linear(&name("attn_v"), width, keys)?,
                query_norm: self.optional_norm(&name("attn_q_norm.weight"), heads.len)?,
                key_norm: self.optional_norm(&name("attn_k_norm.weight"), heads.len)?,
                heads,
                rotary: self.rotary.clone(),
            },
            attention_output: self.linear(&name("attn_output"), queries, width)?,
            feed_forward_input: FeedForwardInput {
                norm: self.norm(&name("ffn_norm.weight"), width)?,
                gate: self.linear(&name("ffn_gate"), width, feed_forward)?,
                up: self.linear(&name("ffn_up"), width, feed_forward)?,
            },
            feed_forward_output: self.linear(&name("ffn_down"), feed_forward, width)?,
        })
    }
}
