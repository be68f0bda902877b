"""Batches of packed conversations, of pictures and of sounds, endlessly."""

import random
from dataclasses import dataclass, field

import numpy as np

from .config import PICO
from .model.letters import spelled
from .packer import Packer, Turn
from .pool import Pool
from .tokens import Tokens
from .world import commands
from .world.questions import ASK_READ, about_invented_shelf, about_missing, about_named, invented, is_label

REPEAT = "Repeat that."
# Letters of a spoken text at most.
LETTERS_AT_MOST = 64
# Questions about one listing at most.
QUESTIONS_AT_MOST = 12


@dataclass(frozen=True)
class Mix:
    """What rows are made of."""

    # The levels of pictures, and how often.
    levels: dict[int, float] = field(default_factory=lambda: {1: 1.0})
    # Positions of a row.
    length: int = 160
    # How often a row begins with the transcript, has thoughts before an answer, and has a sound.
    read: float = 0.3
    think: float = 0.3
    hear: float = 0.0
    # Of what is heard, how often it is to be repeated and not answered.
    repeat: float = 0.2
    # Of what is typed, how often it is a command, and how often about a product by its name, which half of the time is
    # not there.
    commands: float = 0.15
    named: float = 0.0
    # How often it is about a value that the label lacks.
    missing: float = 0.0
    # How often a row is about what nobody sees, but is given in words: the listing of a shelf, so that answers are made
    # from listings, and not from the picture once more; or a transcript, to find names in.
    invented: float = 0.0
    # How often a row is a label, half of the time given in words, of which nothing is asked but for products by name.
    searches: float = 0.0
    # How often questions are turns of one talk, and how often such a turn has the picture once more.
    talk: float = 0.0
    again: float = 0.4
    # How often the picture is shown as llama.cpp does.
    tiled: float = 0.1


class Source:
    """Batches from the pools of a split, endlessly, in an order that the seed decides.

    Pictures and sounds are not in them but named, as (level, item) in `see` and `hear`; `Store` has them.
    """

    def __init__(self, pools, split: str, levels: dict[int, float], senses: tuple[str, ...], size: int, seed: str):
        self.split, self.size, self.rng = split, size, random.Random(seed)
        self.levels = levels
        self.pools = {sense: {level: Pool(pools, sense, split, level) for level in levels} for sense in senses}

    def refresh(self) -> None:
        """Looks for shards that have come."""
        for pools in self.pools.values():
            for pool in pools.values():
                pool.refresh()

    def next(self) -> dict[str, np.ndarray]:
        rows = [self.row() for _ in range(self.size)]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def drawn(self, *senses: str) -> tuple[int, int]:
        """A level and an item that all of `senses` have."""
        level = self.rng.choices(list(self.levels), list(self.levels.values()))[0]
        return level, self.rng.randrange(min(len(self.pools[sense][level]) for sense in senses))


class Pictures(Source):
    """Pictures alone, for the dense loss."""

    def __init__(self, pools, split, levels, size, seed):
        super().__init__(pools, split, levels, ("see",), size, seed)

    def row(self) -> dict[str, np.ndarray]:
        return {"see": np.array(self.drawn("see"), np.int32)}


class Sounds(Source):
    """Sounds with their spelling, for the CTC loss."""

    def __init__(self, pools, split, levels, size, seed):
        super().__init__(pools, split, levels, ("hear",), size, seed)

    def row(self) -> dict[str, np.ndarray]:
        level, index = self.drawn("hear")
        return sound_arrays(self.pools["hear"][level][index], (level, index))


class Conversations(Source):
    """Packed rows."""

    def __init__(self, pools, split, tokens: Tokens, mix: Mix, size: int, seed: str):
        super().__init__(pools, split, mix.levels, ("see", "hear") if mix.hear else ("see",), size, seed)
        self.tokens, self.mix = tokens, mix

    def row(self) -> dict[str, np.ndarray]:
        if self.rng.random() < self.mix.searches:
            return self._search()
        invented = self.rng.random() < self.mix.invented
        hears = not invented and self.rng.random() < self.mix.hear
        level, index = self.drawn("see", "hear") if hears else self.drawn("see")
        heard = self.pools["hear"][level][index] if hears else None
        packer = Packer(self.tokens, self.mix.length)
        if invented:
            self._invent(packer)
        else:
            packer.picture(tiled=self.rng.random() < self.mix.tiled)
            self._fill(packer, self.pools["see"][level][index], heard)
        return self._finished(packer, (level, index), heard)

    def _finished(self, packer: Packer, at: tuple[int, int], heard: dict | None) -> dict[str, np.ndarray]:
        row = packer.arrays() | {"see": np.array(at, np.int32)}
        return row | sound_arrays(heard, at) if self.mix.hear else row

    def _search(self) -> dict[str, np.ndarray]:
        """A row of questions by name about one label."""
        packer = Packer(self.tokens, self.mix.length)
        at, there = self._label()
        if self.rng.random() < 0.5:
            packer.listing(there)
        else:
            packer.picture()
        asked = (about_named(there, self.split, self.rng) for _ in range(QUESTIONS_AT_MOST))
        for one in asked:
            if not packer.question(Turn(self.tokens.encode(one.text), one.answer, named=one.named, there=there)):
                break
        return self._finished(packer, at, None)

    def _label(self) -> tuple[tuple[int, int], str]:
        """A label of the pools, with its transcript."""
        while True:
            at = self.drawn("see")
            there = self.pools["see"][at[0]][at[1]]["transcript"]
            if is_label(there):
                return at, there

    def _fill(self, packer: Packer, item: dict, heard: dict | None) -> None:
        """Fills a row with turns: each by itself, or in a talk, where nothing follows thoughts: they are forgotten."""
        rng = self.rng
        # In a talk all is said to the picture.
        talk = (heard is None or heard["scene"]) and rng.random() < self.mix.talk
        if talk:
            self._blind(packer)
        follows = False
        for turn in self._turns(item, heard, talk):
            again = follows and turn.sees and rng.random() < self.mix.again
            if not packer.question(turn, follows, again):
                break
            follows = talk and turn.thought is None

    def _invent(self, packer: Packer) -> None:
        """What is given, again, which teaches to copy, and questions about it."""
        rng = self.rng
        given, turns = self._listing() if rng.random() < 0.5 else self._transcript()
        packer.listing(given)
        for turn in [Turn(self.tokens.encode(rng.choice(ASK_READ)), given), *turns]:
            if not packer.question(turn):
                break

    def _listing(self) -> tuple[str, list[Turn]]:
        """A listing, and what follows from it, question by question: much to learn in a row, as the listing itself is
        there once."""
        asked = about_invented_shelf(self.split, QUESTIONS_AT_MOST, self.rng)
        turns = [Turn(self.tokens.encode(one.text), one.answer, thought=one.listing()[1]) for one in asked]
        return asked[0].listing()[0], turns

    def _transcript(self) -> tuple[str, list[Turn]]:
        given, asked = invented(self.split, QUESTIONS_AT_MOST, self.rng)
        return given, [self._turn(vars(one), given) for one in asked]

    def _blind(self, packer: Packer) -> None:
        """A talk of two commands before there is a picture."""
        for follows in (False, True):
            asked = commands.command(self.rng, with_picture=False)
            packer.question(Turn(self.tokens.encode(asked.text), asked.answer, sees=False), follows)

    def _turns(self, item: dict, heard: dict | None, talk: bool) -> list[Turn]:
        """What is heard, the transcript, and what is typed; in a talk not always in this order."""
        rng, mix, encode = self.rng, self.mix, self.tokens.encode
        turns = []
        if heard:
            rows = PICO.audio.tokens(int(heard["frames"]))
            if rng.random() < mix.repeat:
                turns.append(Turn(encode(REPEAT), heard["text"], talk, rows))
            else:
                turns.append(Turn([], heard["answer"], heard["scene"], rows, self._thought(heard)))
        if rng.random() < mix.read:
            turns.append(Turn(encode(rng.choice(ASK_READ)), item["transcript"]))
        for asked in rng.sample(item["typed"], len(item["typed"])):
            sees, kind = True, rng.random()
            if kind < mix.commands:
                sees = talk or rng.random() < 0.5
                asked = vars(commands.command(rng, with_picture=sees))
            elif kind < mix.commands + mix.named:
                asked = vars(about_named(item["transcript"], self.split, rng))
            elif kind < mix.commands + mix.named + mix.missing:
                lacks = about_missing(item["transcript"], rng)
                asked = vars(lacks) if lacks else asked
            turns.append(self._turn(asked, item["transcript"], sees))
        if talk:
            turns[:3] = rng.sample(turns[:3], min(3, len(turns)))
        return turns

    def _turn(self, asked: dict, there: str, sees: bool = True) -> Turn:
        """Something typed, where this is `there`."""
        text, thought = self.tokens.encode(asked["text"]), self._thought(asked)
        return Turn(text, asked["answer"], sees, 0, thought, asked.get("named", ""), there)

    def _thought(self, asked: dict) -> str | None:
        """What is read before the answer, which may be nothing, if it is to be thought about."""
        return asked["reads"] if self.rng.random() < self.mix.think else None


def sound_arrays(heard: dict | None, at: tuple[int, int]) -> dict[str, np.ndarray]:
    """A sound with its spelling, or silence."""
    spelling = np.zeros(LETTERS_AT_MOST, np.int32)
    if heard is None:
        return {"hear": np.array([-1, -1], np.int32), "frames": np.int32(0), "spelling": spelling}
    found = spelled(heard["text"])[:LETTERS_AT_MOST]
    spelling[: len(found)] = found
    return {"hear": np.array(at, np.int32), "frames": np.int32(heard["frames"]), "spelling": spelling}
