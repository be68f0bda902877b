"""From a scene to a picture, and to what a tower is taught to read in it."""

import random

import numpy as np
from PIL import Image

from ..config import PICO
from ..frontend.pixels import tile
from . import layouts
from .questions import Scene
from .wear import wear

# Classes of characters in the dense loss: 0 is none, others follow ASCII from "!", then a few more.
EXTRA = "€£°"
CLASSES = 1 + 94 + len(EXTRA)
SLOTS = 3


def draw(scene: Scene, rng: random.Random) -> tuple[Image.Image, list]:
    """The picture at its own size, and its characters with their centres."""
    canvas = layouts.draw(scene, rng)
    if scene.level == 3:
        wear(canvas, rng)
    return canvas.image, canvas.chars


def char_class(char: str) -> int:
    return 95 + EXTRA.index(char) if char in EXTRA else ord(char) - 32


def patch_targets(chars: list, width: int, height: int) -> np.ndarray:
    """`[patches][SLOTS]`: the characters whose centres lie in each patch, line by line."""
    side = PICO.vision.side
    cells: list[list] = [[] for _ in range(side * side)]
    for char, x, y, line in chars:
        column, row = int(x * side / width), int(y * side / height)
        if 0 <= column < side and 0 <= row < side:
            cells[row * side + column].append((line, x, char))
    targets = np.zeros((side * side, SLOTS), np.uint8)
    for cell, found in zip(targets, cells):
        for slot, (_, _, char) in enumerate(sorted(found)[:SLOTS]):
            cell[slot] = char_class(char)
    return targets


def sample(scene: Scene, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """The tile as the runtime makes it, `[image][image][3]` in bytes, and the targets of its patches."""
    image, chars = draw(scene, rng)
    return tile(image, PICO.vision.image), patch_targets(chars, *image.size)
