"""How often pico is right about what it never saw: `python -m pico.evaluate --answers BIN --models DIR --set SET`.

SET is a folder of pictures, sounds and questions of the held-out split, drawn when it is not there (`--each` of every
kind). DIR holds `*-TYPE.gguf` and `mmproj-*-TYPE.gguf` for each of `--types`. BIN is the example `answers` of
lorgnette-runtime: it is the runtime that answers. Prints a table in Markdown, and with `--json FILE` all figures.
"""

import argparse
import json
import random
import re
import subprocess
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path

from .world import commands, picture, questions, split as splits, voice

# The form of a call, which the runtime can hold an answer to.
HELD = "tool, held to the form"
CALL = (
    r'<tool_call>\{"name": ("timer", "arguments": \{"(minutes|seconds|hours)": [0-9]{1,3}\}'
    r'|"note", "arguments": \{"text": "[a-zA-Z ]{1,60}"\})\}</tool_call>'
)


# What is asked about a picture before.
BEFORE = [*questions.ASK_READ, *questions.ASK_NAME, *commands.HELLO]
# Kinds that are asked without a picture.
BLIND = {"no picture", "hello", "able", "contemplate", "tool", HELD}


def draw_set(folder: Path, level: int, each: int, most: int) -> None:
    """Draws scenes until there are `each` questions of every kind, `most` scenes at most, and as many commands."""
    folder.mkdir(parents=True, exist_ok=True)
    found: Counter = Counter()
    with (folder / f"L{level}.jsonl").open("w") as out:
        for number in range(most):
            scene, rng = questions.scene_of(splits.HELD_OUT, level, number)
            image, _ = picture.draw(scene, rng)
            asked = [questions.ask(scene, rng) for _ in range(3)] + [commands.command(rng, with_picture=False)]
            wanted = {q.kind: q for q in asked if found[q.kind] < each}
            if not wanted:
                continue
            image.save(folder / f"L{level}-{number}.png")
            for question in wanted.values():
                found[question.kind] += 1
                name = f"L{level}-{number}-{question.kind.replace(' ', '-')}.wav"
                row = asdict(question) | {"image": f"L{level}-{number}.png", "audio": name, "level": level}
                out.write(json.dumps(row) + "\n")


def recording(row: dict, folder: Path) -> Path:
    """The question of a row, spoken when it is first needed."""
    path = folder / row["audio"]
    if not path.exists():
        rng = random.Random(f"pico/recording/{path.name}")
        voice.write_wav(str(path), voice.speak(row["text"], splits.HELD_OUT, rng))
    return path


def asked(row: dict, folder: Path, way: str, think: bool) -> dict:
    """A row of the set as the runtime is asked: typed, spoken, or typed behind another question of the same talk."""
    question: dict = {"think": think}
    if way == "second":
        before = commands.HELLO if row["kind"] in BLIND else BEFORE
        question["before"] = random.Random(f"pico/before/{row['audio']}").choice(before)
    if row["kind"] == HELD:
        question["regex"] = CALL
    if row["kind"] not in BLIND:
        question["image"] = str(folder / row["image"])
    if way == "spoken":
        question["audio"] = str(recording(row, folder))
    else:
        question["text"] = row["text"]
    return question


def normalised(text: str) -> str:
    """What is said, without thoughts, case, doubled spaces and a last stop."""
    text = text.split("</think>")[-1]
    return re.sub(r"\s+", " ", text).strip().rstrip(".").lower()


def right(row: dict, said: str) -> bool:
    return normalised(said) == normalised(row["answer"])


def answers(binary: Path, models: Path, kind: str, lines: list[dict]) -> list[str]:
    mmproj = next(models.glob(f"mmproj-*-{kind}.gguf"))
    model = next(path for path in models.glob(f"*-{kind}.gguf") if path != mmproj)
    said = subprocess.run(
        [binary, model, mmproj], input="\n".join(map(json.dumps, lines)).encode(), check=True, capture_output=True
    ).stdout
    return [json.loads(line)["text"] for line in said.splitlines()]


def evaluate(arguments) -> list[dict]:
    """A figure for each level, type, way of asking, mode and kind."""
    cells = []
    for level in arguments.levels:
        rows = [json.loads(line) for line in (arguments.set / f"L{level}.jsonl").read_text().splitlines()]
        if arguments.most:
            rows = random.Random(level).sample(rows, min(arguments.most, len(rows)))
        rows += [row | {"kind": HELD} for row in rows if row["kind"] == "tool"]
        for kind in arguments.types:
            for way in arguments.ways:
                for mode in arguments.modes:
                    think = mode == "thinking"
                    lines = [asked(row, arguments.set, way, think) for row in rows]
                    said = answers(arguments.answers, arguments.models, kind, lines)
                    cells += _cells(rows, said, {"level": level, "type": kind, "asked": way, "mode": mode})
                    if arguments.show:
                        _show(rows, said, arguments.show)
    return cells


def _cells(rows: list[dict], said: list[str], labels: dict) -> list[dict]:
    of_kind: dict[str, list[bool]] = defaultdict(list)
    for row, text in zip(rows, said, strict=True):
        of_kind[row["kind"]].append(right(row, text))
        if row["kind"] != HELD:
            of_kind["all"].append(right(row, text))
    cells = [
        labels | {"kind": kind, "right": sum(found), "of": len(found)} for kind, found in sorted(of_kind.items())
    ]
    calls = [commands.CONTEMPLATE in text for text in said]
    wanted = [row["kind"] == "contemplate" for row in rows]
    hit = sum(c and w for c, w in zip(calls, wanted))
    # The part of the questions handed over that are right to be, and of those that are to be.
    cells.append(labels | {"kind": "hand-over precision", "right": hit, "of": sum(calls)})
    cells.append(labels | {"kind": "hand-over recall", "right": hit, "of": sum(wanted)})
    return cells


def _show(rows: list[dict], said: list[str], count: int) -> None:
    for row, text in list(zip(rows, said))[:count]:
        print("  ok " if right(row, text) else "  -- ", row["text"], "|", row["answer"], "|", text)


def table(cells: list[dict]) -> str:
    """One line for each level and kind, one column for each type, way and mode."""
    columns = list(dict.fromkeys((c["type"], c["asked"], c["mode"]) for c in cells))
    lines = ["| level | kind | questions | " + " | ".join(" ".join(c) for c in columns) + " |"]
    lines.append("|---|---|---:|" + "---:|" * len(columns))
    for level, kind in dict.fromkeys((c["level"], c["kind"]) for c in cells):
        found = {(c["type"], c["asked"], c["mode"]): c for c in cells if (c["level"], c["kind"]) == (level, kind)}
        shown = [f"{100 * c['right'] / c['of']:.1f} %" if (c := found[column])["of"] else "–" for column in columns]
        lines.append(f"| L{level} | {kind} | {found[columns[0]]['of']} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--set", type=Path, required=True)
    parser.add_argument("--levels", type=int, nargs="+", default=[1])
    parser.add_argument("--types", nargs="+", default=["F16", "Q8_0", "Q4_K_M"])
    parser.add_argument("--ways", nargs="+", default=["typed", "second", "spoken"])
    parser.add_argument("--modes", nargs="+", default=["instant", "thinking"])
    parser.add_argument("--each", type=int, default=300, help="questions of a kind, when the set is drawn")
    parser.add_argument("--most-scenes", type=int, default=20_000)
    parser.add_argument("--most", type=int, help="questions of a level, for a quick look")
    parser.add_argument("--show", type=int, default=0, help="print so many questions with what was said")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    for level in arguments.levels:
        if not (arguments.set / f"L{level}.jsonl").exists():
            draw_set(arguments.set, level, arguments.each, arguments.most_scenes)
    if arguments.answers:
        cells = evaluate(arguments)
        print(table(cells))
        if arguments.json:
            arguments.json.write_text(json.dumps(cells, indent=1) + "\n")


if __name__ == "__main__":
    main()
