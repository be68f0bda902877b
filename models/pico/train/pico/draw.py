"""Draws the pools of training that are not there yet: `python -m pico.draw POOLS --levels 1 2 3 --jobs 2`.

Pictures come first, which training begins with, and the easy levels before the others.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from .pool import draw_shard, shards
from .world import split as splits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools", type=Path)
    parser.add_argument("--levels", type=int, nargs="+", default=[1])
    parser.add_argument("--scenes", type=int, default=60_000, help="pictures of each level")
    parser.add_argument("--sounds", type=int, default=20_000, help="of each level")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    counts = {"see": arguments.scenes, "hear": arguments.sounds}
    todo = [
        (sense, level, number)
        for sense, count in counts.items()
        for level in arguments.levels
        # Nobody speaks of a page.
        if sense == "see" or level > 0
        for number in range(shards(count))
    ]
    with ProcessPoolExecutor(arguments.jobs) as executor:
        made = [
            executor.submit(draw_shard, arguments.pools, sense, splits.TRAIN, level, n) for sense, level, n in todo
        ]
        for count, future in enumerate(as_completed(made), 1):
            print(f"{count}/{len(made)} {future.result().name}", flush=True)


if __name__ == "__main__":
    main()
