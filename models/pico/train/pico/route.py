"""Questions with their answers, for `lorgnette router`: `python -m pico.route --set SET --output FILE`.

SET is the folder of the held-out split that `pico.evaluate` draws.
"""

import argparse
import json
import random
from pathlib import Path

from .evaluate import BLIND, draw_set


def line(row: dict, folder: Path, spoken: bool) -> dict:
    """A row of the set as the command wants it."""
    question = {"answer": row["answer"]}
    if row["kind"] not in BLIND:
        question["image"] = str((folder / row["image"]).resolve())
    if spoken:
        return question | {"audio": str((folder / row["audio"]).resolve())}
    return question | {"text": row["text"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--levels", type=int, nargs="+", default=[1])
    parser.add_argument("--each", type=int, default=300, help="questions of a kind, when the set is drawn")
    parser.add_argument("--most", type=int, help="questions of a level, for a quick look")
    parser.add_argument("--spoken", action="store_true")
    arguments = parser.parse_args()
    lines = []
    for level in arguments.levels:
        path = arguments.set / f"L{level}.jsonl"
        if not path.exists():
            draw_set(arguments.set, level, arguments.each, 20_000)
        rows = [json.loads(row) for row in path.read_text().splitlines()]
        rows = random.Random(level).sample(rows, min(arguments.most or len(rows), len(rows)))
        lines += [json.dumps(line(row, arguments.set, arguments.spoken)) for row in rows]
    arguments.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
