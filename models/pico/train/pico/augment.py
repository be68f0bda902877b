"""Changes that pictures and sounds go through before they are learned from, another one each time."""

import jax
import jax.numpy as jnp

# Of pictures and of sounds.
HOW_OFTEN = 0.7


def pictures(images: jax.Array, key: jax.Array) -> jax.Array:
    """A little other light, and noise, on most of `images[n][height][width][3]`."""
    gain_key, shift_key, noise_key, which = jax.random.split(key, 4)
    shape = (images.shape[0], 1, 1, 1)
    gain = jax.random.uniform(gain_key, shape, minval=0.85, maxval=1.15)
    shift = jax.random.uniform(shift_key, shape, minval=-15.0, maxval=15.0)
    x = images.astype(jnp.float32)
    changed = (x - 128) * gain + 128 + shift + 3.0 * jax.random.normal(noise_key, images.shape)
    return jnp.where(jax.random.bernoulli(which, HOW_OFTEN, shape), jnp.clip(changed, 0, 255), x)


def sounds(mels: jax.Array, key: jax.Array) -> jax.Array:
    """Vocal tracts of other lengths (Jaitly and Hinton 2013), and gaps in frequency and time (SpecAugment, Park et al.
    2019), in most of `mels[n][frames][bins]`."""
    warp_key, bin_key, frame_key, which = jax.random.split(key, 4)
    x = mels.astype(jnp.float32)
    changed = _warped(x, jax.random.uniform(warp_key, x.shape[:1], minval=0.88, maxval=1.14))
    least = x.min(axis=(1, 2), keepdims=True)
    changed = jnp.where(_gap(bin_key, x.shape[0], x.shape[2], 8)[:, None, :], least, changed)
    changed = jnp.where(_gap(frame_key, x.shape[0], x.shape[1], 12)[:, :, None], least, changed)
    often = jax.random.bernoulli(which, HOW_OFTEN, (x.shape[0], 1, 1))
    return jnp.where(often, changed, x).astype(mels.dtype)


def _warped(x: jax.Array, scale: jax.Array) -> jax.Array:
    """What is at bin `b * scale` goes to bin `b`."""
    bins = x.shape[2]
    at = jnp.minimum(jnp.arange(bins) * scale[:, None], bins - 1.0)
    low = jnp.floor(at).astype(jnp.int32)
    part = (at - low)[:, None, :]
    below = jnp.take_along_axis(x, low[:, None, :], axis=2)
    above = jnp.take_along_axis(x, jnp.minimum(low + 1, bins - 1)[:, None, :], axis=2)
    return below * (1 - part) + above * part


def _gap(key: jax.Array, count: int, length: int, widest: int) -> jax.Array:
    """`[count][length]`, true in a gap of up to `widest`."""
    width_key, start_key = jax.random.split(key)
    width = jax.random.randint(width_key, (count, 1), 0, widest + 1)
    start = jax.random.randint(start_key, (count, 1), 0, length - widest)
    at = jnp.arange(length)[None]
    return (at >= start) & (at < start + width)
