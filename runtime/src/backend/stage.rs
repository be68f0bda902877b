//! What the stages are given: weights with what says how to use them.

/// How large keys and values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvShape {
    /// Layers with attention.
    pub layers: usize,
    /// Heads of keys, and of values.
    pub heads: usize,
    /// Elements of one head.
    pub head_len: usize,
    /// How each is stored.
    pub element: KvElement,
}

impl KvShape {
    /// What the keys and values of one position take, over all layers.
    pub fn bytes_per_position(&self) -> usize {
        2 * self.layers * self.heads * self.head_len * self.element.bytes()
    }
}

/// How keys and values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvElement {
    /// As they are computed.
    F32,
    /// Rounded to binary16, in half the memory.
    F16,
}

impl KvElement {
    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

/// Where in a cache a stage works.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The layer.
    pub layer: usize,
    /// The position of the first row.
    pub start: usize,
}

/// Which keys a query sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Those up to its own position.
    Causal,
    /// Those of all rows so far, the last one's among them.
    All,
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

/// Layer norm (Ba, Kiros and Hinton 2016).
pub struct LayerNorm<W> {
    /// The factors, as many as a row is long.
    pub weight: W,
    /// Added after them.
    pub bias: W,
    /// Added to the variance.
    pub epsilon: f32,
}

/// One of the norms.
pub enum Norm<W> {
    /// Root mean square.
    Rms(RmsNorm<W>),
    /// Mean and variance.
    Layer(LayerNorm<W>),
}

/// From the residual stream to queries, and keys and values in the cache.
pub struct AttentionInput<W> {
    /// Over the whole row.
    pub norm: Norm<W>,
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
    /// How positions turn queries and keys. Towers have positions in their input instead.
    pub rotary: Option<Rotary>,
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

/// Norm, projection, activation: the feed-forward layer of a tower, a convolution, a layer of a projector.
pub struct Dense<W> {
    /// Over the whole row, before.
    pub norm: Option<Norm<W>>,
    /// The projection.
    pub linear: Linear<W>,
    /// After it.
    pub activation: Option<Activation>,
}

/// What bends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x * Phi(x)` (Hendrycks and Gimpel 2016), to 2e-7. Whisper.
    GeluErf,
    /// The same by a hyperbolic tangent. SigLIP.
    GeluTanh,
    /// The same by a logistic function, `x / (1 + exp(-1.702 x))`. CLIP.
    GeluQuick,
    /// `x / (1 + exp(-x))`.
    Silu,
}

/// From the residual stream to logits.
pub struct Output<'a, W> {
    /// Over the whole row.
    pub norm: &'a RmsNorm<W>,
    /// `[width, vocabulary]`; the embedding table where the two are tied.
    pub head: &'a W,
}
