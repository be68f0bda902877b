//! The language model: Llama, Qwen2 and Qwen3, which differ in biases, head norms and the pairing of rotary.
//!
//! ```text
//! x = embedding[tokens]
//! each layer:  q = attention_input(x), k and v into the cache
//!              x += output · attention(q)
//!              x += down · feed_forward_input(x)
//! logits = head · norm(x)
//! ```

mod config;
mod rotary;
mod weights;

use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

pub use self::config::{Config, Family};
use self::weights::{Layer, Weights};
use crate::backend::{Backend, Heads, KvElement, KvShape, Output, Place, Sight};
use crate::{Error, ErrorKind, Result, TokenId};

/// A language model, loaded into a backend. Several sequences can share one.
pub struct Decoder<B: Backend> {
    backend: B,
    config: Config,
    weights: Weights<B::Weights>,
}

/// One sequence: what the model remembers of the tokens so far.
pub struct Sequence<B: Backend> {
    cache: B::KvCache,
    capacity: usize,
    len: usize,
}

/// The rows whose logits are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// After the last token: `[vocabulary]`.
    Last,
    /// After every token: `[tokens][vocabulary]`.
    All,
}

impl<B: Backend> Decoder<B> {
    /// Loads the language model in `model`.
    ///
    /// # Errors
    /// An architecture that is not known (the error says which are), a key or tensor that is missing or has another
    /// type or shape than the others ask for.
    pub fn load(backend: B, model: &Arc<Gguf>) -> Result<Self> {
        let load = || {
            let config = Config::read(model.metadata())?;
            let weights = Weights::load(&backend, model, &config)?;
            Ok((config, weights))
        };
        let (config, weights) = load().map_err(|e: Error| match model.paths().next() {
            Some(path) => e.in_file(path),
            None => e,
        })?;
        Ok(Self { backend, config, weights })
    }

    /// The sizes of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// An empty sequence with room for `capacity` tokens, whose keys and values are kept in f16.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when that is more than the model was trained for, or does not fit in memory.
    pub fn sequence(&self, capacity: usize) -> Result<Sequence<B>> {
        self.sequence_of(KvElement::F16, capacity)
    }

    /// As [`sequence`](Self::sequence), with keys and values in f32: twice the memory, and nothing is rounded.
    ///
    /// # Errors
    /// As there.
    pub fn exact_sequence(&self, capacity: usize) -> Result<Sequence<B>> {
        self.sequence_of(KvElement::F32, capacity)
    }

    /// What `capacity` tokens of a [`sequence`](Self::sequence) take in memory once they are all there, in bytes.
    pub fn kv_bytes(&self, capacity: usize) -> usize {
        self.kv_shape(KvElement::F16).bytes_per_position().saturating_mul(capacity)
    }

    fn kv_shape(&self, element: KvElement) -> KvShape {
        let Heads { kv_count: heads, len: head_len, .. } = self.config.heads;
        KvShape { layers: self.config.layers, heads, head_len, element }
    }

    fn sequence_of(&self, element: KvElement, capacity: usize) -> Result<Sequence<B>> {
        if capacity > self.config.context {
            let detail =
                format!("{capacity} tokens asked for, the model was trained for {}", self.config.context);
            return Err(Error::new(ErrorKind::Argument, "context", detail));
        }
        let cache = self.backend.kv_cache(self.kv_shape(element), capacity)?;
        Ok(Sequence { cache, capacity, len: 0 })
    }

    /// Appends `tokens` to `sequence` and returns the logits that are `wanted`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when there are no tokens, one is not in the vocabulary, or the sequence has no room
    /// for them. The sequence is then as it was.
    pub fn forward(
        &self,
        sequence: &mut Sequence<B>,
        tokens: &[TokenId],
        wanted: Wanted,
    ) -> Result<Vec<f32>> {
        self.check(sequence, tokens)?;
        let mut x = self.backend.embed(&self.weights.embedding, tokens)?;
        for (number, layer) in self.weights.layers.iter().enumerate() {
            let at = Place { layer: number, start: sequence.len };
            self.layer(layer, &mut x, &mut sequence.cache, at)?;
        }
        sequence.len += tokens.len();
        let first = if wanted == Wanted::Last { tokens.len() - 1 } else { 0 };
        let head = self.weights.head.as_ref().unwrap_or(&self.weights.embedding);
        self.backend.logits(&Output { norm: &self.weights.norm, head }, &x, first)
    }

    fn layer(
        &self,
        layer: &Layer<B::Weights>,
        x: &mut B::Rows,
        cache: &mut B::KvCache,
        at: Place,
    ) -> Result<()> {
        let queries = self.backend.attention_input(&layer.attention_input, x, cache, at)?;
        let attended = self.backend.attention(&self.config.heads, &queries, cache, at, Sight::Causal)?;
        self.backend.project_onto(&layer.attention_output, &attended, x)?;
        let gated = self.backend.feed_forward_input(&layer.feed_forward_input, x)?;
        self.backend.project_onto(&layer.feed_forward_output, &gated, x)
    }

    fn check(&self, sequence: &Sequence<B>, tokens: &[TokenId]) -> Result<()> {
        let refuse = |detail: String| Err(Error::new(ErrorKind::Argument, "tokens", detail));
        if tokens.is_empty() {
            return refuse("found none, expected at least one".into());
        }
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= self.config.vocabulary) {
            return refuse(format!("found {token}, expected less than {}", self.config.vocabulary));
        }
        let room = sequence.capacity - sequence.len;
        if tokens.len() > room {
            return refuse(format!("found {}, but the context has room for {room} more", tokens.len()));
        }
        Ok(())
    }
}

impl<B: Backend> Sequence<B> {
    /// Tokens in the sequence.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was said yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tokens it has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all tokens from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}
