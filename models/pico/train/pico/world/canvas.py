"""A picture in the making, which remembers where each character stands."""

import random
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from . import segments, split as splits

Colour = tuple[int, int, int]


class Char(NamedTuple):
    """A character with its centre in pixels, and the number of the text it stands in; and what that says: the part of
    the scene (of `PARTS`, nothing when it is not told), its place in that part, blanks left out, and the product that it is
    about, in reading order from 1, or 0."""

    char: str
    x: float
    y: float
    line: int
    part: str = ""
    place: int = 0
    product: int = 0


# What a text says: a product's name or value, a value of a display, or what stands beside values.
PARTS = [
    "", "caption", "unit", "name", "price", "protein", "sugar", "calories", "systolic", "diastolic", "pulse",
    "temperature", "glucose",
]  # fmt: skip
# A text with the part it is; several stand in a line.
Piece = tuple[str, str]


@lru_cache(maxsize=512)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(splits.font_path(name), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=65536)
def advance(name: str, size: int, char: str) -> float:
    return font(name, size).getlength(char)


class Canvas:
    """`chars` are all that was written, blanks left out; `product` is what is written about from now on, or 0."""

    def __init__(self, width: int, height: int, colour: Colour):
        self.image = Image.new("RGB", (width, height), colour)
        self.draw = ImageDraw.Draw(self.image)
        self.chars: list[Char] = []
        self.lines = 0
        self.product = 0

    def text(
        self, x: float, y: float, pieces: list[Piece], name: str, size: int, colour: Colour, anchor="l", first: int = 0
    ) -> None:
        """Writes `pieces` with their middle at height `y`, and their left end, middle or right end (`l`, `m`, `r`) at `x`.
        `first` is the place of the first character in its part."""
        face = font(name, size)
        text = " ".join(piece for piece, _ in pieces)
        parts = [part for piece, part in pieces for part in [*([part] * len(piece)), ""]]
        length = face.getlength(text)
        left = x - {"l": 0, "m": length / 2, "r": length}[anchor]
        self.draw.text((left, y), text, font=face, fill=colour, anchor="lm")
        # Without kerning, which moves a centre by less than a pixel.
        ends = list(accumulate((advance(name, size, char) for char in text), initial=0.0))
        places = {part: first for part in parts}
        for i, char in enumerate(text):
            if char != " ":
                middle = left + (ends[i] + ends[i + 1]) / 2 * length / ends[-1]
                self.chars.append(Char(char, middle, y, self.lines, parts[i], places[parts[i]], self.product))
                places[parts[i]] += 1
        self.lines += 1

    def digits(self, x: float, y: float, text: str, height: float, colour: Colour, part: str = "") -> None:
        """Writes digits of seven segments with their top right at (`x`, `y`)."""
        left = x - segments.width(text, height)
        centres = segments.draw(self.draw, left, y, text, height, max(2.0, 0.13 * height), colour)
        self.chars += [Char(*centre, self.lines, part, place) for place, centre in enumerate(centres)]
        self.lines += 1


def fit(lines: list[str], name: str, width: float, height: float) -> int:
    """The largest size of a font at which `lines` fit into `width` and one of them into `height`."""
    at = 40
    face = font(name, at)
    widest = max(face.getlength(line) for line in lines)
    return max(6, int(min(at * width / max(widest, 1), height / 1.15)))


def colours(rng: random.Random, least: float = 90.0) -> tuple[Colour, Colour]:
    """A ground and an ink that can be told apart: their luminances differ by `least` of 255 at least."""
    while True:
        ground, ink = (tuple(rng.randint(0, 255) for _ in range(3)) for _ in range(2))
        if rng.random() < 0.4:
            grey = rng.choice([0, 255, rng.randint(0, 40), rng.randint(215, 255)])
            ground, ink = (ground, (255 - grey,) * 3) if rng.random() < 0.5 else ((grey,) * 3, ink)
        if abs(luminance(ground) - luminance(ink)) >= least:
            return ground, ink


def luminance(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
