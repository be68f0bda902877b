"""The decoder: Llama with tied embeddings."""

import jax
import jax.numpy as jnp

from ..config import Text
from .layers import Init, Params, attend, linear, rms_norm
from .products import product

MODEL = "model.text_model"


def init(make: Init, config: Text, vocabulary: int) -> None:
    width = config.width
    make.normal(f"{MODEL}.embed_tokens.weight", (vocabulary, width), 0.04)
    residual = (2 * config.layers) ** -0.5
    for number in range(config.layers):
        layer = f"{MODEL}.layers.{number}"
        make.norm(f"{layer}.input_layernorm", width, bias=False)
        make.norm(f"{layer}.post_attention_layernorm", width, bias=False)
        make.linear(f"{layer}.self_attn.q_proj", config.heads * config.head_len, width, bias=False)
        make.linear(f"{layer}.self_attn.k_proj", config.kv_heads * config.head_len, width, bias=False)
        make.linear(f"{layer}.self_attn.v_proj", config.kv_heads * config.head_len, width, bias=False)
        make.linear(f"{layer}.self_attn.o_proj", width, config.heads * config.head_len, bias=False, scale=residual)
        make.linear(f"{layer}.mlp.gate_proj", config.feed_forward, width, bias=False)
        make.linear(f"{layer}.mlp.up_proj", config.feed_forward, width, bias=False)
        make.linear(f"{layer}.mlp.down_proj", width, config.feed_forward, bias=False, scale=residual)
    make.norm(f"{MODEL}.norm", width, bias=False)


def embed(params: Params, tokens: jax.Array) -> jax.Array:
    return params[f"{MODEL}.embed_tokens.weight"][tokens]


def hidden(
    params: Params, config: Text, x: jax.Array, positions: jax.Array, mask: jax.Array, early: jax.Array | None = None
) -> jax.Array:
    """`[batch][rows][width]` through all layers and the last norm; rows that are `early[batch][rows]` come out as they
    were before the last layer."""
    cos, sin = _turns(config, positions)
    for number in range(config.layers):
        before, layer = x, f"{MODEL}.layers.{number}"
        normed = rms_norm(params, f"{layer}.input_layernorm", x, config.epsilon)
        q, k, v = (
            linear(params, f"{layer}.self_attn.{part}_proj", normed).reshape(*x.shape[:2], heads, config.head_len)
            for part, heads in [("q", config.heads), ("k", config.kv_heads), ("v", config.kv_heads)]
        )
        attended = attend(_turned(q, cos, sin), _turned(k, cos, sin), v, mask)
        x = x + linear(params, f"{layer}.self_attn.o_proj", attended.reshape(*x.shape[:2], -1))
        normed = rms_norm(params, f"{layer}.post_attention_layernorm", x, config.epsilon)
        gate = jax.nn.silu(linear(params, f"{layer}.mlp.gate_proj", normed))
        x = x + linear(params, f"{layer}.mlp.down_proj", gate * linear(params, f"{layer}.mlp.up_proj", normed))
    if early is not None:
        x = jnp.where(early[..., None], before, x)
    return rms_norm(params, f"{MODEL}.norm", x, config.epsilon)


def logits(params: Params, x: jax.Array) -> jax.Array:
    rows = product(x.reshape(-1, x.shape[-1]), params[f"{MODEL}.embed_tokens.weight"])
    return rows.reshape(*x.shape[:-1], -1).astype(jnp.float32)


def _turns(config: Text, positions: jax.Array) -> tuple[jax.Array, jax.Array]:
    half = config.head_len // 2
    frequencies = config.rope_base ** (-jnp.arange(half) / half)
    angles = positions[..., None].astype(jnp.float32) * frequencies
    return jnp.cos(angles)[:, :, None], jnp.sin(angles)[:, :, None]


def _turned(x: jax.Array, cos: jax.Array, sin: jax.Array) -> jax.Array:
    """Hugging Face's pairs: the two halves of a head."""
    a, b = jnp.split(x.astype(jnp.float32), 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1).astype(x.dtype)
