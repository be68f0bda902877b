"""Products of matrices with factors of bfloat16 and sums of float32, which new processors compute twice as fast.

`product` takes them inside of `jax.default_matmul_precision("bfloat16")`, and JAX's own outside of it; `dot` always.
"""

import jax
import jax.numpy as jnp


def product(x: jax.Array, weight: jax.Array) -> jax.Array:
    """`x @ weight.T` of `[rows][in]` and `[out][in]`."""
    return _rounded(x, weight) if rounds() else x @ weight.T


def rounds() -> bool:
    return jax.config.jax_default_matmul_precision == "bfloat16"


@jax.custom_vjp
def _rounded(x: jax.Array, weight: jax.Array) -> jax.Array:
    return _forward(x, weight)[0]


def _forward(x: jax.Array, weight: jax.Array):
    kinds = x[:0], weight[:0]
    x, weight = x.astype(jnp.bfloat16), weight.astype(jnp.bfloat16)
    return dot(x, weight, 1).astype(kinds[0].dtype), (x, weight, kinds)


def _backward(saved, grad: jax.Array):
    x, weight, kinds = saved
    grad = grad.astype(jnp.bfloat16)
    narrow = x.shape[1] <= grad.shape[1]
    to_weight = turned(dot(turned(x), grad)) if narrow else dot(turned(grad), x)
    return dot(grad, weight).astype(kinds[0].dtype), to_weight.astype(kinds[1].dtype)


_rounded.defvjp(_forward, _backward)


def dot(a: jax.Array, b: jax.Array, side: int = 0) -> jax.Array:
    """`a @ b`, or `a @ b.T` where `side` is 1, of bfloat16 with sums of float32."""
    a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    return jax.lax.dot_general(a, b, (((1,), (side,)), ((), ())), preferred_element_type=jnp.float32)


def turned(x: jax.Array) -> jax.Array:
    """`x.T`, laid out so. XLA makes a transpose a part of the product, for which it has nothing fast; not two of them."""
    half = x.shape[0] // 2
    return jnp.concatenate([x[:half].T, x[half:].T], axis=1)
