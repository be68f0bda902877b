"""What a run keeps on disk. Files are written beside their place and renamed."""

import json
import os
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file, save_file

from .model.layers import Params

WEIGHTS = "weights.safetensors"


def save_weights(run: Path, params: Params) -> None:
    _save(run / WEIGHTS, {name: np.asarray(value) for name, value in params.items()})


def load_weights(run: Path) -> Params | None:
    path = run / WEIGHTS
    return {name: jnp.asarray(value) for name, value in load_file(path).items()} if path.exists() else None


def so_far(run: Path, made: Params) -> Params:
    """The weights that stages have made, or else `made`, with what interrupted stages have learned of theirs."""
    weights = dict(load_weights(run) or made)
    for path in sorted(run.glob("*.state")):
        learned, _, _ = load_state(run, path.stem)
        weights |= learned
    return weights


def save_state(run: Path, stage: str, learned: Params, state: dict | None, at: dict) -> None:
    """Where a stage stands. One that is done needs no moments any more."""
    tensors = {f"learned/{name}": np.asarray(value) for name, value in learned.items()} if state else {}
    if state:
        for part in ["mean", "square"]:
            tensors |= {f"{part}/{name}": np.asarray(value) for name, value in state[part].items()}
        tensors["count"] = np.asarray(state["count"]).reshape(1)
    _save(run / f"{stage}.state", tensors, {"at": json.dumps(at)})


def load_state(run: Path, stage: str):
    """The parameters that learn, the state of the optimizer, and the progress; `None` when the stage is new."""
    path = run / f"{stage}.state"
    if not path.exists():
        return None
    with path.open("rb") as file:
        header_len = int.from_bytes(file.read(8), "little")
        at = json.loads(json.loads(file.read(header_len))["__metadata__"]["at"])
    if at["done"]:
        return {}, None, at
    parts: dict[str, dict] = {"learned": {}, "mean": {}, "square": {}}
    count = None
    for name, value in load_file(path).items():
        if name == "count":
            count = jnp.asarray(value[0])
        else:
            part, name = name.split("/", 1)
            parts[part][name] = jnp.asarray(value)
    return parts["learned"], {"mean": parts["mean"], "square": parts["square"], "count": count}, at


def _save(path: Path, tensors: dict, metadata: dict | None = None) -> None:
    making = path.with_name(f".{path.name}.{os.getpid()}")
    save_file(tensors, making, metadata=metadata)
    making.rename(path)
