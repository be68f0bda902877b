"""The bundled scenes: `python -m pico.scenes OUT` draws pictures and speaks questions of the held-out split into a folder.

`scenes.json` is a list of questions, each with its `level`, its `picture` and its `recording` (names of files, or null),
`text`, `kind`, and the `answer` that is right. With `--quick` they are many, for the quick check of accuracy.
"""

import argparse
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .world import commands, picture, questions, split as splits, voice
from .world.questions import Question, Scene

# Beyond the numbers of any pool, of the evaluation and of `probe`.
FIRST, FIRST_QUICK = 20_000_000, 21_000_000
# Of the quick check: labels and displays, every other one with a recording, and shelves; questions about each at most, and
# commands.
LABELS, DISPLAYS, SHELVES, QUESTIONS, COMMANDS = 16, 16, 12, 8, 48


@dataclass(frozen=True)
class Wanted:
    level: int
    fits: Callable[[Scene], bool]
    # Kinds of questions. The first is spoken too.
    kinds: list[str]


def _label(values: int) -> Callable[[Scene], bool]:
    return lambda scene: len(scene.products) == 1 and len(scene.products[0].values) == values


def _display(kind: str) -> Callable[[Scene], bool]:
    return lambda scene: scene.reading is not None and scene.reading.kind == kind


WANTED = {
    "label": Wanted(1, _label(3), ["value", "name", "read", "not there"]),
    "price-tag": Wanted(1, _label(2), ["name", "value", "absent"]),
    "pressure": Wanted(1, _display("pressure"), ["verdict", "pressure", "read"]),
    "thermometer": Wanted(1, _display("temperature"), ["temperature", "verdict"]),
    "glucose": Wanted(1, _display("glucose"), ["glucose", "absent"]),
    "shelf": Wanted(2, lambda scene: len(scene.products) == 3, ["most", "least", "value", "count"]),
}


def draw(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, wanted in WANTED.items():
        number = next(n for n in range(FIRST, FIRST + 1000) if wanted.fits(_scene(wanted.level, n)[0]))
        scene, rng = _scene(wanted.level, number)
        image, _ = picture.draw(scene, rng)
        image.save(out / f"{name}.png", optimize=True)
        for at, kind in enumerate(wanted.kinds):
            question = next(q for q in iter(lambda: questions.ask(scene, rng), None) if q.kind == kind)
            rows.append(_row(out, wanted.level, question, f"{name}.png", None if at else f"{name}.wav", rng))
    rng = random.Random("pico/scenes")
    rows.append(_row(out, 1, commands.tool(rng), None, "command.wav", rng))
    rows.append(_row(out, 1, commands.hard(rng), None, None, rng))
    _write(out, rows)


def draw_quick(out: Path) -> None:
    """Labels, displays and shelves, each asked all that comes to mind."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for level, left in {1: {True: LABELS, False: DISPLAYS}, 2: {True: SHELVES}}.items():
        for scene, rng in (_scene(level, number) for number in range(FIRST_QUICK, FIRST_QUICK + 1000)):
            if not left[scene.reading is None]:
                continue
            left[scene.reading is None] -= 1
            at = sum(left.values())
            rows += _asked(out, scene, rng, f"L{level}-{at}", spoken=level == 1 and at % 2 == 0)
    rng = random.Random("pico/quick")
    rows += [_row(out, 1, commands.command(rng, with_picture=False), None, None, rng) for _ in range(COMMANDS)]
    _write(out, rows)


def _asked(out: Path, scene: Scene, rng: random.Random, name: str, spoken: bool) -> list[dict]:
    """Draws a scene, with different questions about it; the first may be `spoken`."""
    image, _ = picture.draw(scene, rng)
    image.save(out / f"{name}.png", optimize=True)
    asked = {question.text: question for question in (questions.ask(scene, rng) for _ in range(4 * QUESTIONS))}
    rows = []
    for at, question in enumerate(list(asked.values())[:QUESTIONS]):
        recording = f"{name}.wav" if spoken and at == 0 else None
        rows.append(_row(out, scene.level, question, f"{name}.png", recording, rng))
    return rows


def _write(out: Path, rows: list[dict]) -> None:
    (out / "scenes.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _scene(level: int, number: int) -> tuple[Scene, random.Random]:
    return questions.scene_of(splits.HELD_OUT, level, number)


def _row(
    out: Path, level: int, question: Question, picture: str | None, recording: str | None, rng: random.Random
) -> dict:
    if recording:
        voice.write_wav(str(out / recording), voice.speak(question.text, splits.HELD_OUT, rng))
    asked = {"text": question.text, "kind": question.kind, "answer": question.answer}
    return {"level": level, "picture": picture, "recording": recording, **asked}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    (draw_quick if arguments.quick else draw)(arguments.out)


if __name__ == "__main__":
    main()
