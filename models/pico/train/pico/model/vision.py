"""The vision tower: SigLIP with the connector of Idefics3."""

import jax
import jax.numpy as jnp
import numpy as np

from ..config import Vision
from ..frontend.pixels import MEAN, STD
from .layers import Init, Params, encoder_layer, layer_norm, linear

TOWER = "model.vision_model"
CONNECTOR = "model.connector.modality_projection.proj"
# The heads of the dense loss, on patches and on tokens. They are not exported.
READER, TOKEN_READER = "reader", "token_reader"


def _names(number: int) -> dict[str, str]:
    layer = f"{TOWER}.encoder.layers.{number}"
    attention = {part: f"{layer}.self_attn.{part}_proj" for part in "qkv"}
    return attention | {
        "out": f"{layer}.self_attn.out_proj", "norm1": f"{layer}.layer_norm1", "norm2": f"{layer}.layer_norm2",
        "up": f"{layer}.mlp.fc1", "down": f"{layer}.mlp.fc2",
    }  # fmt: skip


def init(make: Init, config: Vision, text_width: int, classes: int) -> None:
    width, patch = config.width, config.patch
    embeddings = f"{TOWER}.embeddings"
    make.normal(f"{embeddings}.patch_embedding.weight", (width, patch * patch), 1.0)
    noise = make.params[f"{embeddings}.patch_embedding.weight"]
    make.params[f"{embeddings}.patch_embedding.weight"] = _contrasts(noise, patch)
    make.params[f"{embeddings}.patch_embedding.bias"] = jnp.zeros(width)
    make.params[f"{embeddings}.position_embedding.weight"] = jnp.asarray(_waves(config.side, width))
    for number in range(config.layers):
        make.encoder_layer(_names(number), width, config.feed_forward, config.layers, key_bias=True)
    make.norm(f"{TOWER}.post_layernorm", width)
    make.linear(CONNECTOR, text_width, width * config.scale**2, bias=False, scale=0.2)
    make.linear(READER, classes, width)
    make.linear(TOKEN_READER, classes * config.scale**2, text_width)


def _contrasts(noise: jax.Array, patch: int) -> jax.Array:
    """Filters `[width][3][patch][patch]` that nearly span what a grey patch can be, and see little of its mean: print is
    darker or lighter than its ground, whatever the colours."""
    basis = jnp.linalg.qr(noise.T)[0].T
    basis = basis - 0.9 * basis.mean(axis=1, keepdims=True)
    return basis.reshape(-1, 1, patch, patch) * jnp.asarray([0.299, 0.587, 0.114])[:, None, None]


def _waves(side: int, width: int) -> np.ndarray:
    """Sines of the rows and the columns of patches, so that neighbours are near each other from the start."""
    scales = np.geomspace(0.8 * np.pi, np.pi / (2 * side), width // 4)
    angles = np.arange(side)[:, None] * scales
    along = 0.5 * np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    grid = np.concatenate([np.repeat(along, side, axis=0), np.tile(along, (side, 1))], axis=1)
    return grid.astype(np.float32)


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


def squares(config: Vision, rows: jax.Array) -> jax.Array:
    """`[batch][patches][n]` to squares of patches, row by row, side by side: `[batch][tokens][scale * scale * n]`."""
    batch, side, scale = rows.shape[0], config.side, config.scale
    x = rows.reshape(batch, side // scale, scale, side // scale, scale, -1)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, config.tokens, -1)


def tokens(params: Params, config: Vision, rows: jax.Array) -> jax.Array:
    """Squares of patches projected: `[batch][tokens][text width]`."""
    return linear(params, CONNECTOR, squares(config, rows))


def read(params: Params, head: str, rows: jax.Array, slots: int) -> jax.Array:
    """What a dense head names: `[batch][rows][slots][classes]`."""
    logits = linear(params, head, rows)
    return logits.reshape(*rows.shape[:2], slots, -1)
