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

use std::ops::Range;
use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

pub use self::config::{Config, Family};
use self::weights::{Layer, Weights};
use crate::backend::{Backend, Heads, KvElement, KvShape, Output, Place, Sight};
use crate::model::loader::located;
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
    element: KvElement,
    capacity: usize,
    len: usize,
}

/// What comes next in a sequence.
pub enum Input<'a, B: Backend> {
    /// Tokens, which the model has rows for.
    Tokens(&'a [TokenId]),
    /// Some of the rows of a picture or a sound, as wide as the model's own.
    Rows(&'a B::Rows, Range<usize>),
    /// The token that was chosen last, which the backend knows.
    Chosen(&'a B::Token),
}

impl<B: Backend> Input<'_, B> {
    /// Positions it takes.
    fn len(&self) -> usize {
        match self {
            Self::Tokens(tokens) => tokens.len(),
            Self::Rows(_, range) => range.len(),
            Self::Chosen(_) => 1,
        }
    }
}

/// The rows whose logits are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// After the last token: `[vocabulary]`.
    Last,
    /// After every token: `[tokens][vocabulary]`.
    All,
}

/// What comes of inputs.
pub struct Advanced<B: Backend> {
    /// The logits after the last token: `[vocabulary]`.
    pub logits: B::Rows,
    states: B::Rows,
    /// The row of the last token.
    last: usize,
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
        let (config, weights) = load().map_err(|e| located(e, model))?;
        Ok(Self { backend, config, weights })
    }

    /// Where it is computed.
    pub fn backend(&self) -> &B {
        &self.backend
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
        Ok(Sequence { cache, element, capacity, len: 0 })
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
        self.forward_inputs(sequence, &[Input::Tokens(tokens)], wanted)
    }

    /// Appends `inputs` to `sequence` and returns the logits that are `wanted`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_inputs(
        &self,
        sequence: &mut Sequence<B>,
        inputs: &[Input<'_, B>],
        wanted: Wanted,
    ) -> Result<Vec<f32>> {
        self.backend.download(self.advance(sequence, inputs, wanted)?)
    }

    /// As [`forward_inputs`](Self::forward_inputs), and leaves the logits where they are computed.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn advance(
        &self,
        sequence: &mut Sequence<B>,
        inputs: &[Input<'_, B>],
        wanted: Wanted,
    ) -> Result<B::Rows> {
        let (x, count) = self.run(sequence, inputs)?;
        let first = if wanted == Wanted::Last { count - 1 } else { 0 };
        self.logits(&x, first)
    }

    /// As [`advance`](Self::advance), and returns the hidden states of which [`state`](Self::state) reads the last beside
    /// the logits after the last token. Nothing more is computed.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn advance_with_states(
        &self,
        sequence: &mut Sequence<B>,
        inputs: &[Input<'_, B>],
    ) -> Result<Advanced<B>> {
        let (states, count) = self.run(sequence, inputs)?;
        let logits = self.logits(&states, count - 1)?;
        Ok(Advanced { logits, states, last: count - 1 })
    }

    /// The last hidden state, brought to a mean square of 1: `[width]`. It is what the final norm makes of it but for the
    /// norm's factors. On the GPU one more dispatch, and its bytes are read.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn state(&self, advanced: &Advanced<B>) -> Result<Vec<f32>> {
        let row = self.backend.gather(&advanced.states, &[Some(advanced.last)], 1)?;
        let mut state = self.backend.download(row)?;
        let mean_square = state.iter().map(|x| x * x).sum::<f32>() / state.len().max(1) as f32;
        let scale = (mean_square + self.config.epsilon).sqrt().recip();
        state.iter_mut().for_each(|x| *x *= scale);
        Ok(state)
    }

    /// What the last layer makes of `inputs`, and how many rows that are.
    fn run(&self, sequence: &mut Sequence<B>, inputs: &[Input<'_, B>]) -> Result<(B::Rows, usize)> {
        let count = inputs.iter().map(Input::len).sum();
        self.check(sequence, inputs, count)?;
        let mut x = self.embed(inputs)?;
        for (number, layer) in self.weights.layers.iter().enumerate() {
            let at = Place { layer: number, start: sequence.len };
            self.layer(layer, &mut x, &mut sequence.cache, at)?;
        }
        sequence.len += count;
        Ok((x, count))
    }

    fn logits(&self, x: &B::Rows, first: usize) -> Result<B::Rows> {
        let head = self.weights.head.as_ref().unwrap_or(&self.weights.embedding);
        self.backend.logits(&Output { norm: &self.weights.norm, head }, x, first)
    }

    /// Appends a token to each of several sequences in one pass over the weights, `tokens[i]` to `sequences[i]`, and
    /// returns the logits after each: `[sequences][vocabulary]`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and [`ErrorKind::Argument`] when there are not as many tokens as sequences. The
    /// sequences are then as they were.
    pub fn advance_each(&self, sequences: &mut [&mut Sequence<B>], tokens: &[TokenId]) -> Result<B::Rows> {
        if sequences.len() != tokens.len() || tokens.is_empty() {
            let detail =
                format!("found {} for {} sequences, expected one for each", tokens.len(), sequences.len());
            return Err(Error::new(ErrorKind::Argument, "tokens", detail));
        }
        for sequence in &*sequences {
            self.check(sequence, &[Input::Tokens(tokens)], 1)?;
        }
        let mut x = self.embed(&[Input::Tokens(tokens)])?;
        for (number, layer) in self.weights.layers.iter().enumerate() {
            let mut caches: Vec<_> =
                sequences.iter_mut().map(|sequence| (&mut sequence.cache, sequence.len)).collect();
            let attended = self.backend.attention_apart(&layer.attention_input, &x, &mut caches, number)?;
            self.after_attention(layer, &attended, &mut x)?;
        }
        sequences.iter_mut().for_each(|sequence| sequence.len += 1);
        self.logits(&x, 0)
    }

    /// Another sequence of the same tokens, with room for `capacity`.
    ///
    /// # Errors
    /// As [`sequence`](Self::sequence), and [`ErrorKind::Argument`] when it has no room for them.
    pub fn branch(&self, sequence: &Sequence<B>, capacity: usize) -> Result<Sequence<B>> {
        let mut branch = self.sequence_of(sequence.element, capacity)?;
        self.restore(sequence, &mut branch)?;
        Ok(branch)
    }

    /// Appends a token that was chosen and chooses the likeliest one after it, which is on its way to the host.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn follow(&self, sequence: &mut Sequence<B>, token: &B::Token) -> Result<B::Token> {
        let logits = self.advance(sequence, &[Input::Chosen(token)], Wanted::Last)?;
        let mut next = self.backend.likeliest(&logits, None)?;
        self.backend.send(&mut next)?;
        Ok(next)
    }

    /// A sequence of the first `len` tokens of another, with room for no more.
    ///
    /// # Errors
    /// As [`sequence`](Self::sequence), and [`ErrorKind::Argument`] when `len` is 0 or more than there are.
    pub fn prefix(&self, sequence: &Sequence<B>, len: usize) -> Result<Sequence<B>> {
        if len == 0 || len > sequence.len {
            let detail = format!("found a prefix of {len}, expected 1 to {}", sequence.len);
            return Err(Error::new(ErrorKind::Argument, "tokens", detail));
        }
        let mut prefix = self.sequence_of(sequence.element, len)?;
        self.backend.copy_kv(&sequence.cache, len, &mut prefix.cache)?;
        prefix.len = len;
        Ok(prefix)
    }

    /// Makes `sequence` forget what it holds, and know `prefix`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when it has no room for it, or the one keeps f16 and the other f32.
    ///
    /// # Panics
    /// If one of them is of another model.
    pub fn restore(&self, prefix: &Sequence<B>, sequence: &mut Sequence<B>) -> Result<()> {
        if prefix.element != sequence.element {
            let detail = format!("found keys in {:?}, expected {:?}", prefix.element, sequence.element);
            return Err(Error::new(ErrorKind::Argument, "tokens", detail));
        }
        if prefix.len > sequence.capacity {
            let detail =
                format!("found {} tokens, but the context has room for {}", prefix.len, sequence.capacity);
            return Err(Error::new(ErrorKind::Argument, "tokens", detail));
        }
        self.backend.copy_kv(&prefix.cache, prefix.len, &mut sequence.cache)?;
        sequence.len = prefix.len;
        Ok(())
    }

    fn embed(&self, inputs: &[Input<'_, B>]) -> Result<B::Rows> {
        let rows = |input: &Input<'_, B>| match input {
            Input::Tokens(tokens) => self.backend.embed(&self.weights.embedding, tokens),
            Input::Rows(rows, range) => {
                self.backend.gather(rows, &range.clone().map(Some).collect::<Vec<_>>(), 1)
            }
            Input::Chosen(token) => self.backend.embed_chosen(&self.weights.embedding, token),
        };
        let mut parts =
            inputs.iter().filter(|input| input.len() > 0).map(rows).collect::<Result<Vec<_>>>()?;
        if parts.len() == 1 {
            return Ok(parts.swap_remove(0));
        }
        self.backend.concat(&parts.iter().collect::<Vec<_>>())
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
        self.after_attention(layer, &attended, x)
    }

    fn after_attention(&self, layer: &Layer<B::Weights>, attended: &B::Rows, x: &mut B::Rows) -> Result<()> {
        self.backend.project_onto(&layer.attention_output, attended, x)?;
        let gated = self.backend.feed_forward_input(&layer.feed_forward_input, x)?;
        self.backend.project_onto(&layer.feed_forward_output, &gated, x)
    }

    fn check(&self, sequence: &Sequence<B>, inputs: &[Input<'_, B>], count: usize) -> Result<()> {
        let refuse = |detail: String| Err(Error::new(ErrorKind::Argument, "tokens", detail));
        if count == 0 {
            return refuse("found none, expected at least one".into());
        }
        let unknown = |token: &&TokenId| **token as usize >= self.config.vocabulary;
        let tokens = inputs.iter().filter_map(|input| match input {
            Input::Tokens(tokens) => Some(*tokens),
            Input::Rows(..) | Input::Chosen(_) => None,
        });
        if let Some(token) = tokens.flatten().find(unknown) {
            return refuse(format!("found {token}, expected less than {}", self.config.vocabulary));
        }
        let room = sequence.capacity - sequence.len;
        if count > room {
            return refuse(format!("found {count}, but the context has room for {room} more"));
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
