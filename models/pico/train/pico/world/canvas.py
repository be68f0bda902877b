"""A picture in the making, which remembers where each character stands."""

import random
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from . import segments, split as splits

Colour = tuple[int, int, int]


@lru_cache(maxsize=512)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(splits.font_path(name), size, layout_engine=ImageFont.Layout.BASIC)


class Canvas:
    """`chars` are (character, x, y, line) of all that was written: its centre in pixels, and the number of the text that
    it is part of. Blanks are left out."""

    def __init__(self, width: int, height: int, colour: Colour):
        self.image = Image.new("RGB", (width, height), colour)
        self.draw = ImageDraw.Draw(self.image)
        self.chars: list[tuple[str, float, float, int]] = []
        self.lines = 0

    def text(self, x: float, y: float, text: str, name: str, size: int, colour: Colour, anchor: str = "l") -> None:
        """Writes `text` with its middle at height `y`, and its left end, middle or right end (`l`, `m`, `r`) at `x`."""
        face = font(name, size)
        length = face.getlength(text)
        left = x - {"l": 0, "m": length / 2, "r": length}[anchor]
        self.draw.text((left, y), text, font=face, fill=colour, anchor="lm")
        for i, char in enumerate(text):
            if char != " ":
                start, end = face.getlength(text[:i]), face.getlength(text[: i + 1])
                self.chars.append((char, left + (start + end) / 2, y, self.lines))
        self.lines += 1

    def digits(self, x: float, y: float, text: str, height: float, colour: Colour) -> None:
        """Writes digits of seven segments with their top right at (`x`, `y`)."""
        left = x - segments.width(text, height)
        centres = segments.draw(self.draw, left, y, text, height, max(2.0, 0.13 * height), colour)
        self.chars += [(*centre, self.lines) for centre in centres]
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
