"""Pictures to tiles, as `lorgnette_runtime::model::vision::Preprocessor::overview` does."""

import numpy as np
from PIL import Image

MEAN = STD = 0.5


def tile(image: Image.Image, edge: int) -> np.ndarray:
    """The whole picture in one tile: its longest edge at `edge`, then stretched to a square. Bytes."""
    width, height = image.size
    if width >= height:
        size = (edge, max(1, _even(int(edge / (width / height)))))
    else:
        size = (max(1, _even(int(edge * (width / height)))), edge)
    for wanted in (size, (edge, edge)):
        if image.size != wanted:
            image = image.resize(wanted, Image.Resampling.LANCZOS)
    return np.asarray(image)


def _even(side: int) -> int:
    return side + side % 2
