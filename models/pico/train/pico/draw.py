"""Draws the pools of training that are not there yet: `python -m pico.draw POOLS --levels 1 2 3 --scenes 20000 --jobs 2`.

The easy levels come first, pictures before sounds, so that training can begin while the rest is drawn.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from .pool import SHARD, draw_shard
from .world import split as splits

SENSES = ["see", "hear"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools", type=Path)
    parser.add_argument("--senses", nargs="+", choices=SENSES, default=SENSES)
    parser.add_argument("--levels", type=int, nargs="+", default=[1])
    parser.add_argument("--scenes", type=int, default=20_000, help="of each level")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    shards = range(-(-arguments.scenes // SHARD))
    todo = [(sense, level, n) for level in arguments.levels for sense in arguments.senses for n in shards]
    with ProcessPoolExecutor(arguments.jobs) as executor:
        made = [executor.submit(draw_shard, arguments.pools, sense, splits.TRAIN, level, n) for sense, level, n in todo]
        for count, future in enumerate(as_completed(made), 1):
            print(f"{count}/{len(made)} {future.result().name}", flush=True)


if __name__ == "__main__":
    main()
