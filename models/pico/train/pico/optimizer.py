"""Muon (Jordan et al. 2024) for the matrices of layers, AdamW (Loshchilov and Hutter 2019) for the rest, with a rate that
warms up, stays, and falls at the end."""

import jax
import jax.numpy as jnp

from .model.layers import Params
from .model.products import dot, turned

BETA1, BETA2, EPSILON, DECAY, CLIP = 0.9, 0.98, 1e-8, 0.05, 1.0
MOMENTUM = 0.95
# How far a step of Muon moves a weight, root mean square, in steps of AdamW.
STRIDE = 0.8
# Five steps of this polynomial bring the singular values of a matrix near 1.
QUINTIC = (3.4445, -4.7750, 2.0315)


def is_matrix(name: str, value: jax.Array) -> bool:
    """Whether Muon moves it: what multiplies rows inside a layer, or leads from a tower to the decoder."""
    return value.ndim == 2 and (".layers." in name or "projector" in name or "connector" in name)


def init(params: Params) -> dict:
    mean = {name: jnp.zeros_like(value) for name, value in params.items()}
    square = {name: jnp.zeros_like(value) for name, value in params.items() if not is_matrix(name, value)}
    return {"mean": mean, "square": square, "count": jnp.zeros((), jnp.int32)}


def rate(progress: float, peak: float, warmup: float = 0.02, fall: float = 0.4) -> float:
    """The rate at `progress` of a stage, from 0 to 1."""
    return peak * min(1.0, progress / warmup + 0.01, max(0.02, (1.0 - progress) / fall))


def update(params: Params, grads: Params, state: dict, rate: jax.Array) -> tuple[Params, dict, jax.Array]:
    """One step. Also gives the norm of the gradient before it was clipped."""
    norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in grads.values()))
    scale = jnp.minimum(1.0, CLIP / (norm + 1e-6))
    count = state["count"] + 1
    correct1, correct2 = 1 - BETA1**count, 1 - BETA2**count
    new, mean, square = {}, {}, {}
    for name, value in params.items():
        # A gradient that is no number changes nothing.
        grad = jnp.where(jnp.isfinite(norm), grads[name] * scale, 0.0)
        if is_matrix(name, value):
            mean[name] = MOMENTUM * state["mean"][name] + (1 - MOMENTUM) * grad
            ahead = MOMENTUM * mean[name] + (1 - MOMENTUM) * grad
            # The entries of an orthogonal matrix are this small, root mean square.
            step = STRIDE * max(value.shape) ** 0.5 * orthogonal(ahead)
        else:
            mean[name] = BETA1 * state["mean"][name] + (1 - BETA1) * grad
            square[name] = BETA2 * state["square"][name] + (1 - BETA2) * grad**2
            step = mean[name] / correct1 / (jnp.sqrt(square[name] / correct2) + EPSILON)
        decay = DECAY if value.ndim > 1 else 0.0
        new[name] = value - rate * (step + decay * value)
    return new, {"mean": mean, "square": square, "count": count}, norm


def orthogonal(matrix: jax.Array) -> jax.Array:
    """About the nearest matrix whose singular values are all 1, by Newton and Schulz."""
    a, b, c = QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = turned(matrix) if tall else matrix
    x = x / (jnp.linalg.norm(x) + 1e-7)
    for _ in range(5):
        gram = dot(x, x, 1)
        x = a * x + dot(b * gram + c * dot(gram, gram), x)
    return turned(x) if tall else x
