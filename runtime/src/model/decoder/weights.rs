//! The tensors of a language model, checked against its sizes and handed to the backend.

use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

use super::Config;
use crate::Result;
use crate::backend::{AttentionInput, Backend, FeedForwardInput, Linear, Norm, RmsNorm, Rotary};
use crate::model::loader::Loader;

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
        let loader = &Loader { backend, model };
        let layers = Layers { loader, config, rotary: rotary(loader, config)? };
        Ok(Self {
            embedding: loader.tensor("token_embd.weight", &[config.width, config.vocabulary])?,
            layers: (0..config.layers).map(|i| layers.layer(i)).collect::<Result<_>>()?,
            norm: loader.rms_norm("output_norm", config.width, config.epsilon)?,
            head: loader.optional_tensor("output.weight", &[config.width, config.vocabulary])?,
        })
    }
}

/// The rotary embedding of `config`, its frequencies divided by the factors in `rope_freqs.weight` if there are any:
/// that is how the scaling of Llama 3 is stored.
fn rotary<B: Backend>(loader: &Loader<'_, B>, config: &Config) -> Result<Rotary> {
    let mut rotary = config.rotary.clone();
    let (name, dims) = ("rope_freqs.weight", [config.heads.len / 2]);
    if loader.optional(name, &dims)?.is_some() {
        let factors = loader.values(name, &dims)?;
        rotary.frequencies.iter_mut().zip(factors).for_each(|(frequency, factor)| *frequency /= factor);
    }
    Ok(rotary)
}

struct Layers<'a, B> {
    loader: &'a Loader<'a, B>,
    config: &'a Config,
    rotary: Rotary,
}

impl<B: Backend> Layers<'_, B> {
    fn head_norm(&self, name: &str) -> Result<Option<RmsNorm<B::Weights>>> {
        let weight = self.loader.optional_tensor(&format!("{name}.weight"), &[self.config.heads.len])?;
        Ok(weight.map(|weight| RmsNorm { weight, epsilon: self.config.epsilon }))
    }

    fn layer(&self, number: usize) -> Result<Layer<B::Weights>> {
        let Self { loader, config: &Config { width, feed_forward, heads, epsilon, .. }, .. } = *self;
        let (queries, keys) = (heads.count * heads.len, heads.kv_count * heads.len);
        let name = |part: &str| format!("blk.{number}.{part}");
        Ok(Layer {
            attention_input: AttentionInput {
                norm: Norm::Rms(loader.rms_norm(&name("attn_norm"), width, epsilon)?),
                query: loader.linear(&name("attn_q"), width, queries)?,
                key: loader.linear(&name("attn_k"), width, keys)?,
                value: loader.linear(&name("attn_v"), width, keys)?,
                query_norm: self.head_norm(&name("attn_q_norm"))?,
                key_norm: self.head_norm(&name("attn_k_norm"))?,
                heads,
                rotary: Some(self.rotary.clone()),
            },
            attention_output: loader.linear(&name("attn_output"), queries, width)?,
            feed_forward_input: FeedForwardInput {
                norm: loader.rms_norm(&name("ffn_norm"), width, epsilon)?,
                gate: loader.linear(&name("ffn_gate"), width, feed_forward)?,
                up: loader.linear(&name("ffn_up"), width, feed_forward)?,
            },
            feed_forward_output: loader.linear(&name("ffn_down"), feed_forward, width)?,
        })
    }
}
