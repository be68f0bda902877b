"""The audio tower: Whisper's encoder in blocks, with the projector of Ultravox.

The rule of blocks is that of docs/architecture.md: a row attends to its block and those before it; a window of a
convolution finds the real frames to its left and zeros beyond the end of its block.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ..config import Audio
from .layers import Init, Params, encoder_layer, layer_norm, linear, rms_norm
from .products import product

TOWER = "audio_tower"
PROJECTOR = "multi_modal_projector"
# The head of the CTC loss. It is not exported.
SPELLER = "speller"
PROJECTOR_EPSILON = 1e-6

gelu = partial(jax.nn.gelu, approximate=False)


def _names(number: int) -> dict[str, str]:
    layer = f"{TOWER}.layers.{number}"
    attention = {part: f"{layer}.self_attn.{part}_proj" for part in "qkv"}
    return attention | {
        "out": f"{layer}.self_attn.out_proj", "norm1": f"{layer}.self_attn_layer_norm",
        "norm2": f"{layer}.final_layer_norm", "up": f"{layer}.fc1", "down": f"{layer}.fc2",
    }  # fmt: skip


def init(make: Init, config: Audio, text_width: int, letters: int) -> None:
    width = config.width
    make.normal(f"{TOWER}.conv1.weight", (width, config.bins, 3), (3 * config.bins) ** -0.5)
    make.normal(f"{TOWER}.conv2.weight", (width, width, 3), (3 * width) ** -0.5)
    for name in ["conv1", "conv2"]:
        make.params[f"{TOWER}.{name}.bias"] = jnp.zeros(width)
    make.params[f"{TOWER}.embed_positions.weight"] = jnp.asarray(_sinusoids(config.positions, width))
    for number in range(config.layers):
        make.encoder_layer(_names(number), width, config.feed_forward, config.layers, key_bias=False)
    make.norm(f"{TOWER}.layer_norm", width)
    make.norm(f"{PROJECTOR}.ln_pre", config.stack * width, bias=False)
    make.linear(f"{PROJECTOR}.linear_1", config.hidden, config.stack * width, bias=False)
    make.norm(f"{PROJECTOR}.ln_mid", config.hidden // 2, bias=False)
    make.linear(f"{PROJECTOR}.linear_2", text_width, config.hidden // 2, bias=False, scale=0.2)
    make.linear(SPELLER, letters * config.stack, text_width)


def _sinusoids(positions: int, width: int) -> np.ndarray:
    """Whisper's table. It is not trained."""
    scales = np.exp(-math.log(10_000) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(positions)[:, None] * scales
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def rows(params: Params, config: Audio, mels: jax.Array, frames: jax.Array) -> jax.Array:
    """`[batch][frames][bins]`, of which `frames` are real, to rows behind the last norm; those beyond a clip are 0."""
    count = mels.shape[1]
    real = jnp.arange(count) < frames[:, None]
    x = _convolved(params, "conv1", mels * real[..., None].astype(mels.dtype), config.block, 1)
    x = _convolved(params, "conv2", x * real[..., None].astype(x.dtype), config.block, 2)
    positions = count // 2
    x = x + params[f"{TOWER}.embed_positions.weight"][:positions]
    real = jnp.arange(positions) < ((frames + 1) // 2)[:, None]
    block = jnp.arange(positions) // (config.block // 2)
    mask = (block[:, None] >= block[None, :])[None] & real[:, None, :]
    for number in range(config.layers):
        x = encoder_layer(params, _names(number), x, config.heads, config.epsilon, mask, gelu)
    return layer_norm(params, f"{TOWER}.layer_norm", x, config.epsilon) * real[..., None].astype(x.dtype)


def _convolved(params: Params, name: str, x: jax.Array, block: int, stride: int) -> jax.Array:
    """Windows of three rows at every `stride`-th, projected. `x` has nothing beyond the clip."""
    at = jnp.arange(x.shape[1])
    before = jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    after = jnp.pad(x, ((0, 0), (0, 1), (0, 0)))[:, 1:]
    after = after * ((at + 1) % block != 0)[:, None].astype(x.dtype)
    windows = jnp.concatenate([before, x, after], axis=-1)[:, ::stride]
    weight = params[f"{TOWER}.{name}.weight"]
    weight = weight.transpose(0, 2, 1).reshape(weight.shape[0], -1)
    convolved = product(windows.reshape(-1, windows.shape[-1]), weight).reshape(*windows.shape[:2], -1)
    return gelu(convolved + params[f"{TOWER}.{name}.bias"])


def tokens(params: Params, config: Audio, rows: jax.Array) -> jax.Array:
    """Rows side by side, and through the gate: `[batch][tokens][text width]`."""
    x = rows.reshape(rows.shape[0], -1, config.stack * config.width)
    x = linear(params, f"{PROJECTOR}.linear_1", rms_norm(params, f"{PROJECTOR}.ln_pre", x, PROJECTOR_EPSILON))
    up, gate = jnp.split(x, 2, axis=-1)
    x = rms_norm(params, f"{PROJECTOR}.ln_mid", jax.nn.silu(gate) * up, PROJECTOR_EPSILON)
    return linear(params, f"{PROJECTOR}.linear_2", x)


def spell(params: Params, config: Audio, tokens: jax.Array) -> jax.Array:
    """The CTC head, which finds in a token the letters of each of its rows: `[batch][rows][letters]`."""
    logits = linear(params, SPELLER, tokens)
    return logits.reshape(tokens.shape[0], tokens.shape[1] * config.stack, -1)
