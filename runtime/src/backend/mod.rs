//! Where a model is computed.
//!
//! A model is a sequence of *stages*, five a layer, and not of single operators: so that a device with costly
//! dispatches has few of them, and a processor can keep a row in its cache from norm to projection.

pub mod cpu;

use lorgnette_quant::gguf::Tensor;

use crate::{Result, TokenId};

/// Computes the stages. Activations are rows of f32, one row a token.
pub trait Backend: Send + Sync {
    /// A tensor of weights, wherever and however the backend keeps it.
    type Weights;
    /// Rows of activations.
    type Rows;
    /// Keys and values of all layers of one sequence.
    type KvCache;

    /// Takes over a tensor. Its blocks stay mapped, or are repacked once.
    fn load(&self, tensor: Tensor) -> Result<Self::Weights>;

    /// A cache for `positions` tokens.
    fn kv_cache(&self, shape: KvShape, positions: usize) -> Result<Self::KvCache>;

    /// Rows `tokens` of the table: `[tokens][width]`.
    fn embed(&self, table: &Self::Weights, tokens: &[TokenId]) -> Result<Self::Rows>;

    /// Norm; queries, keys and values; their norm by head; rotary. Keys and values of the rows go into `cache` at
    /// positions from `start` on, the queries come back: `[rows][heads * head_len]`.
    fn attention_input(
        &self,
        stage: &AttentionInput<Self::Weights>,
        rows: &Self::Rows,
        cache: &mut Self::KvCache,
        at: Place,
    ) -> Result<Self::Rows>;

    /// Each query over the keys up to its own position: `[rows][heads * head_len]`.
    fn attention(
        &self,
        heads: &Heads,
        queries: &Self::Rows,
        cache: &Self::KvCache,
        at: Place,
    ) -> Result<Self::Rows>;

    /// Projection, added to `residual`.
    fn project_onto(
        &self,
        linear: &Linear<Self::Weights>,
        rows: &Self::Rows,
        residual: &mut Self::Rows,
    ) -> Result<()>;

    /// Norm; gate and up; SiLU of the one times the other: `[rows][feed_forward]`.
    fn feed_forward_input(
        &self,
        stage: &FeedForwardInput<Self::Weights>,
        rows: &Self::Rows,
    ) -> Result<Self::Rows>;

    /// Norm and output matrix over the rows from `first` on: `[rows - first][vocabulary]`.
    fn logits(&self, stage: &Output<'_, Self::Weights>, rows: &Self::Rows, first: usize) -> Result<Vec<f32>>;
}

/// How large keys and values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvShape {
    /// Layers with attention.
    pub layers: usize,
    /// Elements of a key, and of a value, over all heads.
    pub width: usize,
}

/// Where in a cache a stage works.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The layer.
    pub layer: usize,
    /// The position of the first row.
    pub start: usize,
}

/// The heads of an attention layer. `count` is a multiple of `kv_count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Query heads.
    pub count: usize,
    /// Heads of keys and values.
    pub kv_count: usize,
    /// Elements of one head.
    pub len: usize,
}

/// A matrix and what is added to its product.
pub struct Linear<W> {
    /// `[input, output]` in GGUF's order.
    pub weight: W,
    /// `[output]`.
    pub bias: Option<W>,
}

/// Root-mean-square norm (Zhang and Sennrich 2019).
pub struct RmsNorm<W> {
    /// The factors, as many as the rows that are normed are long.
    pub weight: W,
    /// Added to the mean square.
    pub epsilon: f32,
}

/// From the residual stream to queries, and keys and values in the cache.
pub struct AttentionInput<W> {
    /// Over the whole row.
    pub norm: RmsNorm<W>,
    /// Projection to queries.
    pub query: Linear<W>,
    /// Projection to keys.
    pub key: Linear<W>,
    /// Projection to values.
    pub value: Linear<W>,
    /// Over each head of the queries (Qwen3).
    pub query_norm: Option<RmsNorm<W>>,
    /// Over each head of the keys.
    pub key_norm: Option<RmsNorm<W>>,
    /// How heads are split.
    pub heads: Heads,
    /// How positions turn queries and keys.
    pub rotary: Rotary,
}

/// Rotary position embedding (Su et al. 2021): pair `i` of a head is turned by `position * frequencies[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// Which elements make a pair.
    pub pairing: Pairing,
    /// Radians a position, one for each pair.
    pub frequencies: Vec<f32>,
    /// Factor on sine and cosine; YaRN lengthens vectors with it.
    pub magnitude: f32,
}

/// Which two elements of a head are turned together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Neighbours: `2 * i` and `2 * i + 1`. Llama as converted to GGUF.
    Neighbours,
    /// `i` and `i + len / 2`. Qwen.
    Halves,
}

/// From the residual stream to the gated activations of the feed-forward layer.
pub struct FeedForwardInput<W> {
    /// Over the whole row.
    pub norm: RmsNorm<W>,
    /// What is activated.
    pub gate: Linear<W>,
    /// What it is multiplied with.
    pub up: Linear<W>,
}

/// From the residual stream to logits.
pub struct Output<'a, W> {
    /// Over the whole row.
    pub norm: &'a RmsNorm<W>,
    /// `[width, vocabulary]`; the embedding table where the two are tied.
    pub head: &'a W,
}
