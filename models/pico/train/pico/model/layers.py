"""What towers and decoder are made of."""

import jax
import jax.numpy as jnp

from .products import product

Params = dict[str, jax.Array]


def linear(params: Params, name: str, x: jax.Array) -> jax.Array:
    weight = params[f"{name}.weight"]
    y = product(x.reshape(-1, x.shape[-1]), weight).reshape(*x.shape[:-1], -1)
    bias = params.get(f"{name}.bias")
    return y if bias is None else y + bias


def layer_norm(params: Params, name: str, x: jax.Array, epsilon: float) -> jax.Array:
    wide = x.astype(jnp.float32)
    mean = wide.mean(-1, keepdims=True)
    normed = (wide - mean) * jax.lax.rsqrt(wide.var(-1, keepdims=True) + epsilon)
    return normed.astype(x.dtype) * params[f"{name}.weight"] + params[f"{name}.bias"]


def rms_norm(params: Params, name: str, x: jax.Array, epsilon: float) -> jax.Array:
    wide = x.astype(jnp.float32)
    normed = wide * jax.lax.rsqrt((wide**2).mean(-1, keepdims=True) + epsilon)
    return normed.astype(x.dtype) * params[f"{name}.weight"]


def attend(queries: jax.Array, keys: jax.Array, values: jax.Array, mask: jax.Array | None) -> jax.Array:
    """`[batch][rows][heads][len]` each, keys and values for as many query heads; `mask` is `[batch][rows][rows]`."""
    groups = queries.shape[2] // keys.shape[2]
    if groups > 1:
        keys, values = jnp.repeat(keys, groups, axis=2), jnp.repeat(values, groups, axis=2)
    queries, keys, values = (x.transpose(0, 2, 1, 3) for x in (queries, keys, values))
    scores = jnp.einsum("bhqd,bhkd->bhqk", queries, keys).astype(jnp.float32) * queries.shape[-1] ** -0.5
    if mask is not None:
        scores = jnp.where(mask[:, None], scores, -1e30)
    weights = jax.nn.softmax(scores, axis=-1).astype(values.dtype)
    return jnp.einsum("bhqk,bhkd->bhqd", weights, values).transpose(0, 2, 1, 3)


def encoder_layer(params: Params, names: dict[str, str], x: jax.Array, heads: int, epsilon: float, mask, activation):
    """A layer with a norm before each half, as ViT and Whisper have it. `names` are those of its parts."""
    batch, rows, width = x.shape
    split = (batch, rows, heads, width // heads)
    normed = layer_norm(params, names["norm1"], x, epsilon)
    q, k, v = (linear(params, names[part], normed).reshape(split) for part in "qkv")
    x = x + linear(params, names["out"], attend(q, k, v, mask).reshape(x.shape))
    normed = layer_norm(params, names["norm2"], x, epsilon)
    return x + linear(params, names["down"], activation(linear(params, names["up"], normed)))


class Init:
    """Makes parameters from one key, in the order they are asked for."""

    def __init__(self, key: jax.Array):
        self.key, self.params = key, {}

    def normal(self, name: str, shape: tuple[int, ...], std: float) -> None:
        self.key, key = jax.random.split(self.key)
        self.params[name] = std * jax.random.normal(key, shape, jnp.float32)

    def linear(self, name: str, out: int, width: int, bias: bool = True, scale: float = 1.0) -> None:
        self.normal(f"{name}.weight", (out, width), scale * width**-0.5)
        if bias:
            self.params[f"{name}.bias"] = jnp.zeros(out)

    def norm(self, name: str, width: int, bias: bool = True) -> None:
        self.params[f"{name}.weight"] = jnp.ones(width)
        if bias:
            self.params[f"{name}.bias"] = jnp.zeros(width)

    def encoder_layer(
        self, names: dict[str, str], width: int, feed_forward: int, layers: int, key_bias: bool
    ) -> None:
        self.norm(names["norm1"], width)
        self.norm(names["norm2"], width)
        residual = (2 * layers) ** -0.5
        for part in "qkv":
            self.linear(names[part], width, width, bias=key_bias or part != "k")
        self.linear(names["out"], width, width, scale=residual)
        self.linear(names["up"], feed_forward, width)
        self.linear(names["down"], width, feed_forward, scale=residual)
