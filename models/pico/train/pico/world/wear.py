"""What real cameras do to a picture, and what stands in the way (level 3): clutter, tilt, glare, blur, noise."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .canvas import Canvas


def wear(canvas: Canvas, rng: random.Random) -> None:
    """Changes the picture and moves its characters along."""
    if rng.random() < 0.4:
        _clutter(canvas, rng)
    if rng.random() < 0.7:
        _tilt(canvas, rng)
    if rng.random() < 0.3:
        _glare(canvas, rng)
    if rng.random() < 0.5:
        radius = rng.uniform(0.2, 1.1) * canvas.image.width / 192
        canvas.image = canvas.image.filter(ImageFilter.GaussianBlur(radius))
    if rng.random() < 0.7:
        _noise(canvas, rng)


def _clutter(canvas: Canvas, rng: random.Random) -> None:
    """A few things at the rim."""
    width, height = canvas.image.size
    for _ in range(rng.randint(1, 4)):
        colour = tuple(rng.randint(0, 255) for _ in range(3))
        along, across = (
            (rng.uniform(0, width), rng.choice([0, height])),
            (rng.choice([0, width]), rng.uniform(0, height)),
        )
        x, y = rng.choice([along, across])
        r = rng.uniform(0.01, 0.035) * width
        shape = rng.choice([canvas.draw.ellipse, canvas.draw.rectangle])
        shape([x - r, y - r, x + r, y + r], fill=colour)


def _tilt(canvas: Canvas, rng: random.Random) -> None:
    """A turn, a shear and a smaller scale about the middle, with another ground around."""
    width, height = canvas.image.size
    angle, shear = math.radians(rng.gauss(0, 4)), rng.gauss(0, 0.04)
    scale = rng.uniform(0.82, 0.97)
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    forward = np.array([[cos, -sin + shear], [sin, cos]])
    centre = np.array([width / 2, height / 2])
    shift = centre + np.array([rng.uniform(-0.03, 0.03) * width, rng.uniform(-0.03, 0.03) * height])
    inverse = np.linalg.inv(forward)
    offset = centre - inverse @ shift
    data = (*inverse[0], offset[0], *inverse[1], offset[1])
    ground = tuple(rng.randint(0, 255) for _ in range(3))
    canvas.image = canvas.image.transform(
        (width, height), Image.Transform.AFFINE, data, Image.Resampling.BICUBIC, fillcolor=ground
    )
    canvas.draw = ImageDraw.Draw(canvas.image)
    moved = [forward @ (np.array([char.x, char.y]) - centre) + shift for char in canvas.chars]
    canvas.chars = [char._replace(x=x, y=y) for char, (x, y) in zip(canvas.chars, moved)]


def _glare(canvas: Canvas, rng: random.Random) -> None:
    width, height = canvas.image.size
    y, x = np.mgrid[0:height, 0:width]
    radius = rng.uniform(0.1, 0.3) * width
    distance = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height))
    light = rng.uniform(60, 130) * np.exp(-((distance / radius) ** 2))
    canvas.image = Image.fromarray(np.clip(np.asarray(canvas.image) + light[..., None], 0, 255).astype(np.uint8))


def _noise(canvas: Canvas, rng: random.Random) -> None:
    generator = np.random.default_rng(rng.getrandbits(32))
    pixels = np.asarray(canvas.image).astype(np.float32)
    pixels = (pixels - 128) * rng.uniform(0.75, 1.1) + 128 + rng.uniform(-20, 20)
    pixels += generator.normal(0, rng.uniform(1, 10), pixels.shape)
    canvas.image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
