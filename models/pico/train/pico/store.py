"""Pictures and sounds of the pools, where batches find them: mapped files, or the memory of a GPU."""

import jax
import jax.numpy as jnp
import numpy as np

from .config import MAX_FRAMES, PICO
from .pool import Pool

# What a batch names, the arrays that are put in its place, and what they are called there.
NAMED = {"see": {"images": "image", "targets": "patches"}, "hear": {"mels": "mel"}}


class Mapped:
    """Reads what a batch names, row by row."""

    def __init__(self, pools, split: str, levels):
        self.pools = {sense: {level: Pool(pools, sense, split, level) for level in levels} for sense in NAMED}

    def filled(self, batch: dict) -> dict:
        batch = dict(batch)
        for sense in NAMED.keys() & batch.keys():
            named = batch.pop(sense)
            for array, name in NAMED[sense].items():
                batch[name] = np.stack([self._row(sense, array, level, index) for level, index in named])
        return batch

    def _row(self, sense: str, array: str, level: int, index: int) -> np.ndarray:
        if level < 0:
            return np.zeros((MAX_FRAMES, PICO.audio.bins), np.float16)
        pool = self.pools[sense][level]
        if index >= len(pool):
            pool.refresh()
        return pool.array(array, index)


class Resident:
    """Keeps all of the pools in the memory of the device, as they are when a stage begins."""

    def __init__(self, pools, split: str, levels, senses):
        self.arrays: dict[str, jax.Array] = {}
        self.starts: dict[str, np.ndarray] = {}
        for sense in senses:
            found = {level: Pool(pools, sense, split, level) for level in levels}
            starts = np.zeros(max(levels) + 1, np.int64)
            starts[list(found)] = np.cumsum([0, *map(len, found.values())])[:-1]
            self.starts[sense] = starts
            for array in NAMED[sense]:
                parts = [jnp.asarray(shard[array]) for pool in found.values() for shard in pool.shards]
                # Behind all others is silence.
                self.arrays[array] = jnp.concatenate([*parts, jnp.zeros_like(parts[0][:1])])
        self.take = jax.jit(lambda arrays, at: {name: value[at] for name, value in arrays.items()})

    def filled(self, batch: dict) -> dict:
        batch = dict(batch)
        for sense in NAMED.keys() & batch.keys():
            level, index = batch.pop(sense).T
            arrays = {array: self.arrays[array] for array in NAMED[sense]}
            at = np.where(level < 0, -1, self.starts[sense][level] + index)
            found = self.take(arrays, jnp.asarray(at))
            batch |= {name: found[array] for array, name in NAMED[sense].items()}
        return batch
