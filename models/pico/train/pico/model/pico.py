"""The whole: towers, decoder, and the heads that only training has."""

import jax
import jax.numpy as jnp

from ..config import Pico
from ..world.picture import CLASSES, SLOTS
from . import audio, text, vision
from .layers import Init, Params
from .letters import LETTERS

# Parameters by the part they belong to.
PARTS = {
    "vision": (vision.TOWER, vision.READER, vision.TOKEN_READER),
    "connector": (vision.CONNECTOR,),
    "audio": (audio.TOWER, audio.SPELLER),
    "projector": (audio.PROJECTOR,),
    "text": (text.MODEL,),
}
NOT_EXPORTED = (vision.READER, vision.TOKEN_READER, audio.SPELLER)
NOT_TRAINED = (f"{audio.TOWER}.embed_positions",)


def init(config: Pico, seed: int) -> Params:
    make = Init(jax.random.key(seed))
    vision.init(make, config.vision, config.text.width, sum(CLASSES) * SLOTS)
    audio.init(make, config.audio, config.text.width, len(LETTERS))
    text.init(make, config.text, config.vocabulary)
    return make.params


def belongs(name: str, parts: list[str]) -> bool:
    prefixes = tuple(f"{prefix}." for part in parts for prefix in PARTS[part])
    return name.startswith(prefixes) and not name.startswith(NOT_TRAINED)


def packed_logits(params: Params, config: Pico, batch: dict, media: jax.Array) -> jax.Array:
    """Logits at each position of a packed batch (`batches.py`), whose rows of `media` replace embeddings. What a
    name is has to be known before the last layer, so that it can decide upon it."""
    x = text.embed(params, batch["tokens"])
    source = batch["source"]
    rows = jnp.take_along_axis(media, jnp.maximum(source, 0)[..., None], axis=1)
    x = jnp.where((source >= 0)[..., None], rows.astype(x.dtype), x)
    mask = packed_mask(batch["group"], batch["sees"])
    return text.logits(params, text.hidden(params, config.text, x, batch["positions"], mask, batch["early"]))


def packed_mask(group: jax.Array, sees: jax.Array) -> jax.Array:
    """Who sees whom: all the header (group 0), some the picture (group 1), each what comes before in its group."""
    at = jnp.arange(group.shape[1])
    own = group[:, :, None] == group[:, None, :]
    header = (group == 0)[:, None, :]
    picture = (group == 1)[:, None, :] & sees[:, :, None]
    return (own | header | picture) & (at[:, None] >= at[None, :])
