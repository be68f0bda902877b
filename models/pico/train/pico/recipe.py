"""The whole recipe: `python -m pico.recipe WORK --minutes 455`, on two cores as on a GPU, which JAX finds by itself.

Draws pools into WORK/pools while it trains, goes through the stages of PLAN in WORK/run, exports to WORK/pico, and with
`--lorgnette BIN` makes the files in WORK/models. What is done is not done again; what was interrupted goes on.
`--weights FOLDER --only STAGE...` goes on from what is shipped, or from what was made like it.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from . import checkpoint, export, restore, stages, tokens
from .config import PICO
from .pool import shards

# Large print first. Pages (level 0) are full of characters, but small ones: a tower that begins with them learns slowly.
# Only level 1 has displays.
EASY, SHELVES, ALL = "1:1", "1:0.5,2:0.5", "1:0.3,2:0.4,3:0.3"
# Name, stage, levels, and minutes out of the sum of them all.
PLAN = [
    ("see-1", "see", EASY, 24),
    ("hear-1", "hear", EASY, 9),
    ("transcribe-1", "transcribe", EASY, 6),
    ("answer-1", "answer", EASY, 16),
    ("joint-1", "joint", EASY, 15),
    ("see-2", "see", SHELVES, 36),
    ("hear-2", "hear", SHELVES, 22),
    ("transcribe-2", "transcribe", SHELVES, 14),
    ("reason-2", "reason", SHELVES, 30),
    ("match-2", "match", SHELVES, 36),
    ("joint-2", "joint", SHELVES, 94),
    ("see-3", "see", "0:0.2,1:0.2,2:0.3,3:0.3", 30),
    ("hear-3", "hear", ALL, 12),
    ("transcribe-3", "transcribe", ALL, 20),
    ("joint-3", "joint", ALL, 91),
]
# Shards that a stage waits for. The others come while it learns; a GPU, which keeps all of them, waits for all.
ENOUGH = 6
TYPES = ["Q8_0", "Q4_K_M"]


def levels_of(text: str) -> list[int]:
    return [int(pair.split(":")[0]) for pair in text.split(",")]


def wait_for_pools(pools: Path, stage: str, levels: str, counts: dict[str, int], drawing: subprocess.Popen) -> None:
    """Until there are `counts` shards of each sense, or no more are drawn."""
    for sense in stages.stages({1: 1.0})[stage].senses:
        for level in levels_of(levels):
            while len(list(pools.glob(f"{sense}-train-L{level}-*"))) < counts[sense] and drawing.poll() is None:
                time.sleep(5)


def run(module: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", f"pico.{module}", *map(str, arguments)], check=True)


def convert(lorgnette: Path, source: Path, models: Path) -> None:
    """F16 by the converter, the smaller types of it by the quantizer."""
    subprocess.run([lorgnette, "convert", source, models, "--outtype", "f16"], check=True)
    for path in sorted(models.glob("*-F16.gguf")):
        for kind in TYPES:
            # What sees and hears stays at eight bits.
            mixed = "Q8_0" if path.name.startswith("mmproj-") else kind
            out = path.with_name(path.name.replace("-F16", f"-{kind}"))
            report = subprocess.run(
                [lorgnette, "quantize", path, out, "--type", mixed], check=True, capture_output=True
            )
            print(out.name, report.stdout.decode().strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=sum(minutes for *_, minutes in PLAN), help="of training")
    parser.add_argument("--weights", type=Path, help="of which a new run begins, not of random ones")
    parser.add_argument("--only", nargs="+", help="stages of the plan, by name")
    parser.add_argument("--scenes", type=int, default=60_000, help="pictures drawn of each level")
    parser.add_argument("--sounds", type=int, default=20_000, help="spoken for each level")
    parser.add_argument("--save-seconds", type=float, default=180)
    parser.add_argument("--draw-jobs", type=int, default=1)
    parser.add_argument("--batch-jobs", type=int, default=0)
    parser.add_argument("--gpu", action="store_true", help="wait for whole pools, which go into its memory")
    parser.add_argument("--lorgnette", type=Path)
    arguments = parser.parse_args()
    pools, state = arguments.work / "pools", arguments.work / "run"
    for folder in (pools, state):
        folder.mkdir(parents=True, exist_ok=True)
    plan = [step for step in PLAN if not arguments.only or step[0] in arguments.only]
    if arguments.weights and not (state / checkpoint.WEIGHTS).exists():
        restore.restore(arguments.weights, state)
    if not (state / "tokenizer.json").exists():
        tokens.train(PICO.vocabulary).save(str(state / "tokenizer.json"))
    senses = {sense for _, stage, *_ in plan for sense in stages.stages({1: 1.0})[stage].senses}
    sounds = arguments.sounds if "hear" in senses else 0
    levels = sorted({level for *_, text, _ in plan for level in levels_of(text)})
    drawing = subprocess.Popen(
        [sys.executable, "-m", "pico.draw", pools, "--levels", *map(str, levels)]
        + ["--scenes", str(arguments.scenes), "--sounds", str(sounds), "--jobs", str(arguments.draw_jobs)],
        stdout=(arguments.work / "draw.log").open("w"),
        # Nothing here draws on a GPU.
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
    )
    counts = {"see": shards(arguments.scenes), "hear": shards(arguments.sounds)}
    if not arguments.gpu:
        counts = {sense: min(ENOUGH, count) for sense, count in counts.items()}
    scale = arguments.minutes / sum(minutes for *_, minutes in plan)
    for name, stage, text, minutes in plan:
        wait_for_pools(pools, stage, text, counts, drawing)
        options = ["--pools", pools, "--stage", stage, "--name", name, "--levels", text, "--minutes", minutes * scale]
        options += ["--jobs", arguments.batch_jobs, "--save-seconds", arguments.save_seconds]
        run("train", state, *options)
    drawing.wait()
    export.export(state, arguments.work / "pico")
    if arguments.lorgnette:
        convert(arguments.lorgnette, arguments.work / "pico", arguments.work / "models")


if __name__ == "__main__":
    main()
