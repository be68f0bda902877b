"""AdamW (Loshchilov and Hutter 2019) with a rate that warms up, stays, and falls at the end."""

import jax
import jax.numpy as jnp

from .model.layers import Params

BETA1, BETA2, EPSILON, DECAY, CLIP = 0.9, 0.98, 1e-8, 0.05, 1.0


def init(params: Params) -> dict:
    mean, square = ({name: jnp.zeros_like(value) for name, value in params.items()} for _ in range(2))
    return {"mean": mean, "square": square, "count": jnp.zeros((), jnp.int32)}


def rate(progress: float, peak: float, warmup: float = 0.02, fall: float = 0.35) -> float:
    """The rate at `progress` of a stage, from 0 to 1."""
    return peak * min(1.0, progress / warmup + 0.01, max(0.02, (1.0 - progress) / fall))


def update(params: Params, grads: Params, state: dict, rate: jax.Array) -> tuple[Params, dict, jax.Array]:
    """One step. Also gives the norm of the gradient before it was clipped."""
    norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in grads.values()))
    scale = jnp.minimum(1.0, CLIP / (norm + 1e-6))
    # A gradient that is no number changes nothing.
    scale = jnp.where(jnp.isfinite(norm), scale, 0.0)
    count = state["count"] + 1
    correct1, correct2 = 1 - BETA1**count, 1 - BETA2**count
    new, mean, square = {}, {}, {}
    for name, value in params.items():
        grad = jnp.where(jnp.isfinite(norm), grads[name] * scale, 0.0)
        mean[name] = BETA1 * state["mean"][name] + (1 - BETA1) * grad
        square[name] = BETA2 * state["square"][name] + (1 - BETA2) * grad**2
        step = mean[name] / correct1 / (jnp.sqrt(square[name] / correct2) + EPSILON)
        decay = DECAY if value.ndim > 1 else 0.0
        new[name] = value - rate * (step + decay * value)
    return new, {"mean": mean, "square": square, "count": count}, norm
