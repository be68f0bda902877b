"""How much a run's tower reads of new scenes: `python -m pico.probe RUN [--split held-out] [--levels 0 1 2]`.

Prints the part of the characters that the dense head names rightly, level by level.
"""

import argparse
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from . import checkpoint
from .config import PICO
from .model import pico, vision
from .world import picture, questions, split as splits

# Beyond the numbers of any pool.
FIRST = 10_000_000
BATCH = 32


def read(params: dict, split: str, level: int, count: int) -> tuple[int, int]:
    """Characters that are named rightly in `count` scenes, and all of them."""
    right = there = 0
    for first in range(FIRST, FIRST + count, BATCH):
        scenes = [questions.scene_of(split, level, number) for number in range(first, first + BATCH)]
        tiles, targets = map(np.stack, zip(*(picture.sample(*scene) for scene in scenes)))
        rows = vision.patches(params, PICO.vision, vision.normalised(jnp.asarray(tiles), jnp.float32))
        named = vision.read(params, vision.READER, rows, picture.SLOTS)[..., : picture.CHARS].argmax(-1)
        chars = targets[..., 0]
        right += int(((np.asarray(named) == chars) & (chars > 0)).sum())
        there += int((chars > 0).sum())
    return right, there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--split", choices=[splits.TRAIN, splits.HELD_OUT], default=splits.HELD_OUT)
    parser.add_argument("--levels", type=int, nargs="+", default=[1])
    parser.add_argument("--scenes", type=int, default=128)
    arguments = parser.parse_args()
    params = checkpoint.so_far(arguments.run, pico.init(PICO, seed=0))
    for level in arguments.levels:
        right, there = read(params, arguments.split, level, arguments.scenes)
        print(f"L{level} {arguments.split}: {right} of {there}, {100 * right / there:.1f} %")


if __name__ == "__main__":
    main()
