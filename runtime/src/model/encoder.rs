//! The transformer inside vision and audio towers: layers with a norm before each half, as in ViT (Dosovitskiy et al.
//! 2021) and Whisper (Radford et al. 2022). Positions are in its input.
//!
//! ```text
//! each layer:  x += out · attention(norm(x))
//!              x += down · activation(up · norm(x))
//! ```

use super::keys::Keys;
use super::loader::Loader;
use crate::backend::{
    Activation, AttentionInput, Backend, Dense, Heads, KvElement, KvShape, LayerNorm, Linear, Norm, Place,
    Sight,
};
use crate::{Error, ErrorKind, Result};

/// The sizes of a tower, from keys such as `clip.vision.embedding_length`.
#[derive(Clone, Copy, Debug)]
pub(super) struct EncoderConfig {
    pub(super) width: usize,
    pub(super) layers: usize,
    feed_forward: usize,
    heads: Heads,
    pub(super) epsilon: f32,
}

/// The widest tower. None of today's is wider than 4096.
const MAX_WIDTH: usize = 1 << 16;

impl EncoderConfig {
    pub(super) fn read(keys: &Keys<'_>) -> Result<Self> {
        let width = keys.positive("embedding_length")?;
        if width > MAX_WIDTH {
            let detail = format!("found {width}, expected at most {MAX_WIDTH}");
            return Err(Error::new(ErrorKind::Unsupported, keys.name("embedding_length"), detail));
        }
        let count = keys.positive("attention.head_count")?;
        if !width.is_multiple_of(count) {
            let expected = format!("a divisor of the width {width}");
            return Err(Error::malformed(keys.name("attention.head_count"), count, expected));
        }
        Ok(Self {
            width,
            layers: keys.positive("block_count")?,
            feed_forward: keys.positive("feed_forward_length")?,
            heads: Heads { count, kv_count: count, len: width / count },
            epsilon: keys.require("attention.layer_norm_epsilon")?,
        })
    }
}

/// The layers of a tower.
pub(super) struct Encoder<W> {
    config: EncoderConfig,
    layers: Vec<Layer<W>>,
    post_norm: Norm<W>,
}

struct Layer<W> {
    attention_input: AttentionInput<W>,
    attention_output: Linear<W>,
    feed_forward_input: Dense<W>,
    feed_forward_output: Linear<W>,
}

/// Keys and values of the rows so far.
pub(super) struct Memory<B: Backend> {
    cache: B::KvCache,
    /// Whether each layer has its own, for rows that come later; or all use the same, one after the other.
    kept: bool,
}

impl<W> Encoder<W> {
    /// Loads the tensors whose names begin with `part`, which is `v` or `a`.
    pub(super) fn load<B: Backend<Weights = W>>(
        loader: &Loader<'_, B>,
        part: &str,
        config: EncoderConfig,
        activation: Activation,
    ) -> Result<Self> {
        let layer = |number| Layer::load(loader, &format!("{part}.blk.{number}"), &config, activation);
        Ok(Self {
            layers: (0..config.layers).map(layer).collect::<Result<_>>()?,
            post_norm: Norm::Layer(loader.layer_norm(
                &format!("{part}.post_ln"),
                config.width,
                config.epsilon,
            )?),
            config,
        })
    }

    /// What comes after the last layer.
    pub(super) fn post_norm(&self) -> &Norm<W> {
        &self.post_norm
    }

    /// Room for `positions` rows, which are kept for later ones or not.
    pub(super) fn memory<B: Backend<Weights = W>>(
        &self,
        backend: &B,
        positions: usize,
        kept: bool,
    ) -> Result<Memory<B>> {
        let layers = if kept { self.layers.len() } else { 1 };
        let heads = self.config.heads;
        let shape = KvShape { layers, heads: heads.count, head_len: heads.len, element: KvElement::F32 };
        Ok(Memory { cache: backend.kv_cache(shape, positions)?, kept })
    }

    /// Takes `x`, rows from position `start` on, through all layers. Each row sees all of them and all before.
    pub(super) fn forward<B: Backend<Weights = W>>(
        &self,
        backend: &B,
        x: &mut B::Rows,
        memory: &mut Memory<B>,
        start: usize,
    ) -> Result<()> {
        for (number, layer) in self.layers.iter().enumerate() {
            let at = Place { layer: if memory.kept { number } else { 0 }, start };
            let queries = backend.attention_input(&layer.attention_input, x, &mut memory.cache, at)?;
            let attended = backend.attention(&self.config.heads, &queries, &memory.cache, at, Sight::All)?;
            backend.project_onto(&layer.attention_output, &attended, x)?;
            let activated = backend.dense(&layer.feed_forward_input, x)?;
            backend.project_onto(&layer.feed_forward_output, &activated, x)?;
        }
        Ok(())
    }
}

impl<W> Layer<W> {
    fn load<B: Backend<Weights = W>>(
        loader: &Loader<'_, B>,
        name: &str,
        config: &EncoderConfig,
        activation: Activation,
    ) -> Result<Self> {
        let EncoderConfig { width, feed_forward, heads, epsilon, .. } = *config;
        let norm = |part: &str| -> Result<LayerNorm<W>> {
            loader.layer_norm(&format!("{name}.{part}"), width, epsilon)
        };
        let square = |part: &str| loader.linear(&format!("{name}.{part}"), width, width);
        // Files of old converters have the two the other way round.
        let down = loader.model.shared_tensor(&format!("{name}.ffn_down.weight"));
        let swapped =
            width != feed_forward && down.is_some_and(|down| down.info().shape().row_len() == width);
        let [up, down] = if swapped { ["ffn_down", "ffn_up"] } else { ["ffn_up", "ffn_down"] };
        Ok(Self {
            attention_input: AttentionInput {
                norm: Norm::Layer(norm("ln1")?),
                query: square("attn_q")?,
                key: square("attn_k")?,
                value: square("attn_v")?,
                query_norm: None,
                key_norm: None,
                heads,
                rotary: None,
            },
            attention_output: square("attn_out")?,
            feed_forward_input: Dense {
                norm: Some(Norm::Layer(norm("ln2")?)),
                linear: loader.linear(&format!("{name}.{up}"), width, feed_forward)?,
                activation: Some(activation),
            },
            feed_forward_output: loader.linear(&format!("{name}.{down}"), feed_forward, width)?,
        })
    }
}
