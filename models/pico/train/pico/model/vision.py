"""The vision tower: SigLIP with the connector of Idefics3."""

import jax
import jax.numpy as jnp

from ..config import Vision
from ..frontend.pixels import MEAN, STD
from .layers import Init, Params, encoder_layer, layer_norm, linear

TOWER = "model.vision_model"
CONNECTOR = "model.connector.modality_projection.proj"
# The head of the dense loss. It is not exported.
READER = "reader"


def _names(number: int) -> dict[str, str]:
    layer = f"{TOWER}.encoder.layers.{number}"
    attention = {part: f"{layer}.self_attn.{part}_proj" for part in "qkv"}
    return attention | {
        "out": f"{layer}.self_attn.out_proj", "norm1": f"{layer}.layer_norm1", "norm2": f"{layer}.layer_norm2",
        "up": f"{layer}.mlp.fc1", "down": f"{layer}.mlp.fc2",
    }  # fmt: skip


def init(make: Init, config: Vision, text_width: int, classes: int) -> None:
    width, patch = config.width, config.patch
    make.normal(f"{TOWER}.embeddings.patch_embedding.weight", (width, 3, patch, patch), (3 * patch**2) ** -0.5)
    make.params[f"{TOWER}.embeddings.patch_embedding.bias"] = jnp.zeros(width)
    make.normal(f"{TOWER}.embeddings.position_embedding.weight", (config.side**2, width), 0.1)
    for number in range(config.layers):
        make.encoder_layer(_names(number), width, config.feed_forward, config.layers, key_bias=True)
    make.norm(f"{TOWER}.post_layernorm", width)
    make.linear(CONNECTOR, text_width, width * config.scale**2, bias=False, scale=0.2)
    make.linear(READER, classes, width)


def normalised(tiles: jax.Array, dtype) -> jax.Array:
    """Bytes as the tower wants them."""
    return ((tiles.astype(jnp.float32) / 255 - MEAN) / STD).astype(dtype)


def patches(params: Params, config: Vision, pixels: jax.Array) -> jax.Array:
    """`[batch][image][image][3]` to the rows of patches behind the last norm, `[batch][side * side][width]`."""
    batch, side, patch = pixels.shape[0], config.side, config.patch
    x = pixels.reshape(batch, side, patch, side, patch, 3).transpose(0, 1, 3, 5, 2, 4)
    x = x.reshape(batch, side * side, 3 * patch * patch)
    embedding = params[f"{TOWER}.embeddings.patch_embedding.weight"].reshape(config.width, -1)
    x = x @ embedding.T + params[f"{TOWER}.embeddings.patch_embedding.bias"]
    x = x + params[f"{TOWER}.embeddings.position_embedding.weight"]
    for number in range(config.layers):
        # PyTorch's gelu_pytorch_tanh.
        x = encoder_layer(params, _names(number), x, config.heads, config.epsilon, None, jax.nn.gelu)
    return layer_norm(params, f"{TOWER}.post_layernorm", x, config.epsilon)


def tokens(params: Params, config: Vision, rows: jax.Array) -> jax.Array:
    """Squares of patches, row by row, side by side and projected: `[batch][tokens][text width]`."""
    batch, side, scale = rows.shape[0], config.side, config.scale
    x = rows.reshape(batch, side // scale, scale, side // scale, scale, config.width)
    x = x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, config.tokens, scale * scale * config.width)
    return linear(params, CONNECTOR, x)


def read(params: Params, rows: jax.Array, slots: int) -> jax.Array:
    """The dense head: `[batch][patches][slots][classes]`."""
    logits = linear(params, READER, rows)
    return logits.reshape(*rows.shape[:2], slots, -1)
