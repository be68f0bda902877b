"""Draws pools: `python -m pico.draw POOLS --sense see --level 1 --shards 0:40 --jobs 2`."""

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from .pool import draw_shard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pools", type=Path)
    parser.add_argument("--sense", choices=["see", "hear"], required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--level", type=int, required=True)
    parser.add_argument("--shards", required=True, help="FIRST:END, of 500 scenes each")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    first, end = map(int, arguments.shards.split(":"))
    with ProcessPoolExecutor(arguments.jobs) as executor:
        made = [
            executor.submit(draw_shard, arguments.pools, arguments.sense, arguments.split, arguments.level, number)
            for number in range(first, end)
        ]
        for number, future in enumerate(as_completed(made), 1):
            print(f"{number}/{len(made)} {future.result().name}", flush=True)


if __name__ == "__main__":
    main()
