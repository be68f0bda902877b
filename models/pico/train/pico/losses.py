"""What is learned: to read patches, to spell sounds, to answer."""

import jax
import jax.numpy as jnp
import numpy as np

from .config import Audio, Pico, Vision
from .model import audio, pico, vision
from .model.layers import Params
from .world.picture import CLASSES, SLOTS

Metrics = dict[str, jax.Array]
NEVER = -1e30


def read(params: Params, config: Vision, rows: jax.Array, wanted: jax.Array) -> tuple[jax.Array, Metrics]:
    """The dense loss over rows of patches and over the tokens made of them, so that the decoder finds in those what the
    tower read. `read` is the part of characters that are named rightly from a token, `part` of those whose part is."""
    batch, patches = wanted.shape[:2]
    wanted = wanted.astype(jnp.int32)
    loss, _ = _named(vision.read(params, vision.READER, rows, SLOTS), wanted)
    slots = SLOTS * config.scale**2
    wanted = vision.squares(config, wanted.reshape(batch, patches, -1)).reshape(batch, config.tokens, slots, -1)
    made = vision.tokens(params, config, rows)
    other, metrics = _named(vision.read(params, vision.TOKEN_READER, made, slots), wanted)
    return loss + other, metrics


def _named(logits: jax.Array, wanted: jax.Array) -> tuple[jax.Array, Metrics]:
    """The loss of naming characters, their parts, their places there and whose they are, `wanted[..., 4]`, by
    `logits[..., sum(CLASSES)]`."""
    chars, *others = jnp.split(logits.astype(jnp.float32), np.cumsum(CLASSES)[:-1], axis=-1)
    char, *others_wanted = jnp.moveaxis(wanted, -1, 0)
    parts, part = others[0], others_wanted[0]
    there, told = char > 0, part > 0
    # There is nothing in most slots.
    loss = _mean(_cross_entropy(chars, char), jnp.where(there, alike(there), 0.2))
    loss += 0.3 * _mean(sum(map(_cross_entropy, others, others_wanted)), alike(told))
    return loss, {"read": _mean(chars.argmax(-1) == char, there), "part": _mean(parts.argmax(-1) == part, told)}


def alike(there: jax.Array) -> jax.Array:
    """Weights of what is `there[batch][...]`, with which every picture that has anything counts alike: a display has a
    tenth of the characters of a shelf."""
    counts = there.sum(tuple(range(1, there.ndim)), keepdims=True)
    return there * counts.mean() / jnp.maximum(counts, 1)


def _cross_entropy(logits: jax.Array, wanted: jax.Array) -> jax.Array:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), wanted[..., None], axis=-1)[..., 0]


def _mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    return (values * weight).sum() / jnp.maximum(weight.sum(), 1)


def spell(
    params: Params, config: Audio, rows: jax.Array, frames: jax.Array, spelling: jax.Array
) -> tuple[jax.Array, Metrics]:
    """Connectionist temporal classification (Graves et al. 2006), a letter; clips without letters count nothing."""
    logs = jax.nn.log_softmax(audio.spell(params, config, audio.tokens(params, config, rows)).astype(jnp.float32))
    letters = (spelling > 0).sum(-1)
    there = letters > 0
    total = _ctc(logs, (frames + 1) // 2, spelling, letters)
    loss = jnp.where(there, total, 0.0).sum() / jnp.maximum(letters.sum(), 1)
    return loss, {}


def _ctc(logs: jax.Array, counts: jax.Array, spelling: jax.Array, letters: jax.Array) -> jax.Array:
    """Minus the logarithm of the probability of each spelling, summed over all ways to blanks and repetitions."""
    batch, most = spelling.shape
    states = 2 * most + 1
    labels = jnp.zeros((batch, states), jnp.int32).at[:, 1::2].set(spelling)
    # A letter may follow the one before without a blank when it is another.
    other = labels != jnp.pad(labels, ((0, 0), (2, 0)), constant_values=-1)[:, :-2]
    skips = other & (labels > 0)
    emitted = jnp.take_along_axis(logs, labels[:, None, :], axis=-1)
    start = jnp.full((batch, states), NEVER).at[:, :2].set(emitted[:, 0, :2])

    def step(alpha, inputs):
        emit, real = inputs
        one = jnp.pad(alpha, ((0, 0), (1, 0)), constant_values=NEVER)[:, :-1]
        two = jnp.pad(alpha, ((0, 0), (2, 0)), constant_values=NEVER)[:, :-2]
        moved = jnp.logaddexp(jnp.logaddexp(alpha, one), jnp.where(skips, two, NEVER)) + emit
        return jnp.where(real[:, None], moved, alpha), None

    real = jnp.arange(1, logs.shape[1])[:, None] < counts[None]
    last, _ = jax.lax.scan(step, start, (emitted[:, 1:].transpose(1, 0, 2), real))
    ends = jnp.stack([2 * letters, jnp.maximum(2 * letters - 1, 0)], axis=1)
    found = jnp.take_along_axis(last, ends, axis=1)
    return -jnp.logaddexp(found[:, 0], found[:, 1])


def answer(params: Params, config: Pico, batch: dict, media: jax.Array) -> tuple[jax.Array, Metrics]:
    """The loss of the tokens of answers; `tokens` is the part that is likeliest."""
    logits = pico.packed_logits(params, config, batch, media)
    wanted, weight = batch["target"], batch["weight"]
    return _mean(_cross_entropy(logits, wanted), weight), {"tokens": _mean(logits.argmax(-1) == wanted, weight)}
