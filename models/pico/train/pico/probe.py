"""How well a run does on scenes of the training split that no pool has: `python -m pico.probe RUN [--levels 1] [--spoken]`.

Prints, level by level, the part of the characters that the dense head names rightly, and how many questions of each
kind would be answered exactly, at once, behind another question and after thoughts. The likeliest tokens are an answer exactly when each of them
is likeliest behind those before it, so one pass over the right answers tells. For choices of the recipe; what is held
out is for `pico.evaluate`.
"""

import argparse
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import checkpoint
from .config import MAX_FRAMES, PICO
from .frontend.mel import log_mel
from .model import audio, pico, vision
from .packer import Packer, Turn
from .pool import spoken
from .tokens import Tokens
from .world import commands, picture, questions, split as splits

# Beyond the numbers of any pool.
FIRST = 10_000_000
BATCH = 32
LENGTH = 480


class Batch:
    """Scenes with their questions, packed."""

    def __init__(self, coder: Tokens, level: int, first: int, hears: bool):
        self.rows, self.asked = [], []
        tiles, targets, self.mels, self.frames = [], [], [], []
        for number in range(first, first + BATCH):
            scene, rng = questions.scene_of(splits.TRAIN, level, number)
            tile, target = picture.sample(scene, rng)
            tiles.append(tile)
            targets.append(target)
            self.packer = Packer(coder, LENGTH)
            self.packer.picture()
            # Kinds, with the positions of questions and answers in the row.
            self.asked.append({})
            self._spoken(level, number) if hears else self._typed(scene, rng)
            self.rows.append(self.packer.arrays())
        self.tiles, self.targets = np.stack(tiles), np.stack(targets)

    def _add(self, kind: str, turn: Turn, follows: bool = False) -> None:
        start = len(self.packer.ids)
        if self.packer.question(turn, follows):
            self.asked[-1][start, len(self.packer.ids)] = kind

    def _typed(self, scene: questions.Scene, rng: random.Random) -> None:
        encode = self.packer.tokens.encode
        asked = [(questions.ask(scene, rng), True) for _ in range(4)]
        asked += [(commands.command(rng, with_picture=sees), sees) for sees in (True, False)]
        for question, sees in asked:
            turn = Turn(encode(question.text), question.answer, sees)
            self._add(question.kind, turn)
            if question.reads:
                self._add(f"{question.kind}, after thoughts", replace(turn, thought=question.reads))
        for follows in (False, True):
            question = questions.ask(scene, rng)
            self._add(f"talk, {'second' if follows else 'first'}", Turn(encode(question.text), question.answer), follows)

    def _spoken(self, level: int, number: int) -> None:
        item, samples = spoken(splits.TRAIN, level, number)
        mel = log_mel(samples)
        self.frames.append(len(mel))
        self.mels.append(np.pad(mel, ((0, MAX_FRAMES - len(mel)), (0, 0))))
        turn = Turn([], item["answer"], item["scene"], PICO.audio.tokens(len(mel)))
        self._add(f"{item['kind']}, spoken", turn)

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: np.stack([row[name] for row in self.rows]) for name in self.rows[0]}


@jax.jit
def _read(params: dict, tiles: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The characters of patches, and the rows for the decoder."""
    rows = vision.patches(params, PICO.vision, vision.normalised(tiles, jnp.float32))
    named = vision.read(params, vision.READER, rows, picture.SLOTS)[..., : picture.CHARS].argmax(-1)
    return named, vision.tokens(params, PICO.vision, rows)


@jax.jit
def _heard(params: dict, mels: jax.Array, frames: jax.Array) -> jax.Array:
    return audio.tokens(params, PICO.audio, audio.rows(params, PICO.audio, mels, frames))


@jax.jit
def _likeliest(params: dict, batch: dict, media: jax.Array) -> jax.Array:
    return pico.packed_logits(params, PICO, batch, media).argmax(-1)


def probe(params: dict, coder: Tokens, level: int, count: int, hears: bool) -> tuple[Counter, Counter]:
    """What is right, and what there is: characters, and answers by kind."""
    right, there = Counter(), Counter()
    for first in range(FIRST, FIRST + count, BATCH):
        made = Batch(coder, level, first, hears)
        named, media = _read(params, made.tiles)
        chars = made.targets[..., 0]
        right["characters"] += int(((np.asarray(named) == chars) & (chars > 0)).sum())
        there["characters"] += int((chars > 0).sum())
        if hears:
            media = jnp.concatenate([media, _heard(params, np.stack(made.mels), np.array(made.frames))], axis=1)
        batch = made.arrays()
        wrong = (np.asarray(_likeliest(params, batch, media)) != batch["target"]) & (batch["weight"] > 0)
        for asked, missed in zip(made.asked, wrong):
            for (start, end), kind in asked.items():
                there[kind] += 1
                right[kind] += not missed[start : end - 1].any()
    return right, there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--levels", type=int, nargs="+", default=[1])
    parser.add_argument("--scenes", type=int, default=256)
    parser.add_argument("--spoken", action="store_true")
    arguments = parser.parse_args()
    params = checkpoint.so_far(arguments.run, pico.init(PICO, seed=0))
    coder = Tokens(arguments.run / "tokenizer.json")
    for level in arguments.levels:
        right, there = probe(params, coder, level, arguments.scenes, arguments.spoken)
        for kind in sorted(there):
            print(f"L{level} {kind}: {right[kind]} of {there[kind]}, {100 * right[kind] / there[kind]:.1f} %")


if __name__ == "__main__":
    main()
