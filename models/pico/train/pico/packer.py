"""Packed conversations.

A row holds one picture and several questions about it that do not see each other:

    group    0       1              2                    3
             header  picture's rows question 1, answer 1 sound's rows, answer 2 ...

Every question stands at the position it would have alone; or, in a row that is one talk, questions follow each other in
a group as turns, some of them with the picture once more. A row has at most one sound. Only answers are learned; and
where a question names a product, what the name is: there or not. Nobody asks the model for that, but from answers alone
it does not learn to look.
"""

from dataclasses import dataclass

import numpy as np

from .config import PICO
from .tokens import ASK, NEXT, THINK, THOUGHT, Tokens

# What the first token of an answer weighs that decides whether something is there.
DECIDES = 4.0


@dataclass(frozen=True)
class Turn:
    """A question, with the tokens that are written and the rows of sound before them."""

    asked: list[int]
    answer: str
    sees: bool = True
    sound: int = 0
    thought: str | None = None
    # A product that the question names, and what is there.
    named: str = ""
    there: str = ""


class Packer:
    """One row."""

    def __init__(self, tokens: Tokens, length: int):
        self.tokens, self.length = tokens, length
        self.ids = list(tokens.header)
        self.source, self.group = [-1] * len(self.ids), [0] * len(self.ids)
        self.sees, self.weight = [False] * len(self.ids), [0.0] * len(self.ids)
        self.positions = list(range(len(self.ids)))
        # What is to be told at a position instead of the token that follows, and where before the last layer.
        self.told: dict[int, int] = {}
        self.early: set[int] = set()
        self.groups = 2
        # The position that comes next in a group, and in one that sees the picture.
        self.ahead, self.behind_picture = {}, len(self.ids)

    def picture(self, tiled: bool = False) -> None:
        """The overview; behind the same picture as a tile, when `tiled`, as llama.cpp shows it."""
        if tiled:
            self._shown(self.tokens.tile_open, self.tokens.tile_close, 1)
        self._shown(self.tokens.frame_open, self.tokens.frame_close, 1)

    def listing(self, listed: str) -> None:
        """What is read of a shelf, in the place of a picture."""
        self._add(self.tokens.encode(listed), 1)

    def question(self, turn: Turn, follows: bool = False, again: bool = False) -> bool:
        """Adds a question if there is room. One that `follows` is the next turn of the talk that the last one belongs
        to; it may have the picture `again`."""
        tokens, sees = self.tokens, turn.sees
        opening = tokens.encode(NEXT) if follows else []
        start = ASK if turn.thought is None else ASK + THINK
        said = turn.answer if turn.thought is None else turn.thought + THOUGHT + turn.answer
        # What was asked and what follows it are one text for the tokenizer.
        asked = turn.asked + tokens.encode(start)
        said_ids = tokens.encode(said) + [tokens.end]
        frame = PICO.vision.tokens + len(tokens.frame_open + tokens.frame_close) if again else 0
        if len(self.ids) + len(opening + asked + said_ids) + frame + turn.sound > self.length:
            return False
        self.groups += not follows
        group, first = self.groups - 1, PICO.vision.tokens
        self._add(opening, group, sees=sees)
        if again:
            self._shown(tokens.frame_open, tokens.frame_close, group)
        self._add([tokens.audio] * turn.sound, group, source=range(first, first + turn.sound), sees=sees)
        self._tell(turn, len(asked))
        self._add(asked, group, sees=sees)
        self._add(said_ids, group, sees=sees, weight=1.0)
        if turn.named and turn.thought is None:
            self.weight[-len(said_ids)] = DECIDES
        return True

    def _tell(self, turn: Turn, length: int) -> None:
        """At each token of the name in the question that comes next: whether something there begins with it so far; and
        at all that follow but the last, of so many: whether it is there."""
        name = self.tokens.encode(f" {turn.named}") if turn.named else []
        places = range(len(turn.asked) - len(name) + 1 if name else 0)
        at = next((at for at in places if turn.asked[at : at + len(name)] == name), length)
        for place in range(at, length - 1):
            found = self.tokens.decode(name[: place - at + 1]).strip() in turn.there
            self.told[len(self.ids) + place] = self.tokens.there if found else self.tokens.nowhere
            if place < at + len(name):
                self.early.add(len(self.ids) + place)

    def _shown(self, opening: list[int], closing: list[int], group: int) -> None:
        self._add(opening, group)
        self._add([self.tokens.image] * PICO.vision.tokens, group, source=range(PICO.vision.tokens))
        self._add(closing, group)

    def _add(self, ids, group: int, source=None, sees: bool = True, weight: float = 0.0) -> None:
        first = self.behind_picture if sees else len(self.tokens.header)
        start = self.ahead.get(group, first)
        self.ahead[group] = start + len(ids)
        if group == 1:
            self.behind_picture = self.ahead[group]
        self.ids += list(ids)
        self.source += list(source) if source is not None else [-1] * len(ids)
        self.group += [group] * len(ids)
        self.sees += [sees] * len(ids)
        self.weight += [weight] * len(ids)
        self.positions += range(start, start + len(ids))

    def arrays(self) -> dict[str, np.ndarray]:
        """The row, filled up. A position's target is the next token of its group."""
        count, length = len(self.ids), self.length

        def filled(values, fill, dtype):
            return np.array(list(values) + [fill] * (length - count), dtype)

        weight = filled(self.weight[1:] + [0.0], 0.0, np.float32)
        target = filled(self.ids[1:] + [0], 0, np.int32)
        early = np.zeros(length, bool)
        for at, token in self.told.items():
            target[at], weight[at], early[at] = token, 1.0, at in self.early
        return {
            "tokens": filled(self.ids, 0, np.int32),
            "source": filled(self.source, -1, np.int32),
            "group": filled(self.group, -1, np.int32),
            "sees": filled(self.sees, False, bool),
            "positions": filled(self.positions, 0, np.int32),
            "target": target,
            "weight": weight,
            "early": early,
        }
