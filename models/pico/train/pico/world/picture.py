"""From a scene to a picture, and to what a tower is taught to read in it."""

import random

import numpy as np
from PIL import Image

from ..config import PICO
from ..frontend.pixels import tile
from . import layouts
from .canvas import PARTS, Char
from .questions import Scene
from .wear import wear

# Classes of characters in the dense loss: 0 is none, others follow ASCII from "!", then a few more.
EXTRA = "€£°"
CHARS = 1 + 94 + len(EXTRA)
# Places in a part that are told apart; all behind are the last.
PLACES = 8
# Products of a shelf that are told apart, and none.
PRODUCTS = 5
# What a slot says: a character, the part it belongs to (0 is unknown), its place there, and whose part that is.
CLASSES = (CHARS, len(PARTS), PLACES, PRODUCTS)
SLOTS = 3


def draw(scene: Scene, rng: random.Random) -> tuple[Image.Image, list[Char]]:
    """The picture at its own size, and its characters with their centres."""
    canvas = layouts.draw(scene, rng)
    if scene.level == 3:
        wear(canvas, rng)
    return canvas.image, canvas.chars


def char_class(char: str) -> int:
    return 95 + EXTRA.index(char) if char in EXTRA else ord(char) - 32


def patch_targets(chars: list[Char], width: int, height: int) -> np.ndarray:
    """`[patches][SLOTS][4]`: the characters whose centres lie in each patch, line by line."""
    side = PICO.vision.side
    cells: list[list[Char]] = [[] for _ in range(side * side)]
    for char in chars:
        column, row = int(char.x * side / width), int(char.y * side / height)
        if 0 <= column < side and 0 <= row < side:
            cells[row * side + column].append(char)
    targets = np.zeros((side * side, SLOTS, len(CLASSES)), np.uint8)
    for cell, found in zip(targets, cells):
        for slot, char in enumerate(sorted(found, key=lambda char: (char.line, char.x))[:SLOTS]):
            part, place = PARTS.index(char.part), min(char.place, PLACES - 1)
            cell[slot] = char_class(char.char), part, place, char.product
    return targets


def sample(scene: Scene, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """The tile as the runtime makes it, `[image][image][3]` in bytes, and the targets of its patches."""
    image, chars = draw(scene, rng)
    return tile(image, PICO.vision.image), patch_targets(chars, *image.size)
