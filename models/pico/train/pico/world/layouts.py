"""How scenes look: a label, a shelf of labels, a display."""

import random
from dataclasses import dataclass

from . import segments, split as splits
from .canvas import Canvas, Piece, colours, fit
from .goods import Product, Reading
from .questions import Scene

SIZES = [192, 224, 256, 288, 320, 384]

CAPTIONS = {
    "price": ["", "", "Price"],
    "protein": ["Protein"],
    "sugar": ["Sugar", "Sugars"],
    "calories": ["", "Calories", "Energy"],
}


@dataclass(frozen=True)
class Style:
    """The choices of a label. Their combination is what is held out."""

    align: str
    case: str
    gap: str
    panel: str
    colon: str

    def write(self, text: str) -> str:
        return {"title": text, "upper": text.upper(), "lower": text.lower()}[self.case]


def style(rng: random.Random, split: str) -> Style:
    while True:
        style = Style(
            align=rng.choice(["left", "middle", "columns"]),
            case=rng.choice(["title", "title", "upper", "lower"]),
            gap=rng.choice([" ", ""]),
            panel=rng.choice(["none", "box", "band"]),
            colon=rng.choice(["", ":"]),
        )
        if splits.layout_is_held_out(str(style)) == (split == splits.HELD_OUT):
            return style


def draw(scene: Scene, rng: random.Random) -> Canvas:
    width = height = rng.choice(SIZES)
    if rng.random() < 0.3:
        height = int(width * rng.uniform(0.75, 1.0))
    least = 60.0 if scene.level == 3 else 90.0
    ground, ink = colours(rng, least)
    canvas = Canvas(width, height, ground)
    fonts = splits.fonts(scene.split, scene.level)
    if scene.lines:
        _page(canvas, scene.lines, rng, fonts, ink)
        return canvas
    if scene.reading:
        _display(canvas, scene.reading, rng, scene.split, fonts, ink)
        return canvas
    look, face = style(rng, scene.split), rng.choice(fonts)
    cells = _cells(len(scene.products), width, height, rng)
    order = rng.random() < 0.5
    captions = {attribute: rng.choice(choices) for attribute, choices in CAPTIONS.items()}
    for canvas.product, (product, cell) in enumerate(zip(scene.products, cells), 1):
        inked = ink
        if look.panel == "box" and (len(cells) > 1 or rng.random() < 0.5):
            fill, inked = colours(rng, least)
            canvas.draw.rectangle(_inset(cell, 0.02), fill=fill, outline=inked)
        elif look.panel == "band":
            canvas.draw.line([cell[0], cell[3] - 1, cell[2], cell[3] - 1], fill=ink, width=2)
        # Every product of a shelf has its own small differences; what is shown and in which order is common.
        _label(canvas, product, cell, look, captions, face, inked, order, rng, scene)
    return canvas


def _cells(count: int, width: int, height: int, rng: random.Random) -> list[tuple[float, float, float, float]]:
    """Boxes (left, top, right, bottom), in reading order."""
    columns = {1: 1, 2: rng.choice([1, 2]), 3: 1, 4: 2}[count]
    rows = count // columns
    wide, high = width / columns, height / rows
    return [(c * wide, r * high, (c + 1) * wide, (r + 1) * high) for r in range(rows) for c in range(columns)]


def _inset(box, part: float):
    left, top, right, bottom = box
    dx, dy = part * (right - left), part * (bottom - top)
    return left + dx, top + dy, right - dx, bottom - dy


def _fact(product: Product, attribute: str, look: Style, captions) -> list[Piece]:
    """A caption, maybe none, and the value as it is printed."""
    caption = captions[attribute]
    value = product.fact(attribute).replace(" ", look.gap)
    if attribute == "calories" and caption == "Calories":
        value = product.values[attribute]
    return [(look.write(caption) + look.colon, "caption")] * bool(caption) + [(value, attribute)]


def _label(canvas, product, cell, look, captions, face, ink, price_first, rng, scene) -> None:
    attributes = list(product.values)
    if not price_first and "price" in attributes:
        attributes = [a for a in attributes if a != "price"] + ["price"]
    facts = [_fact(product, attribute, look, captions) for attribute in attributes]
    left, top, right, bottom = _inset(cell, rng.uniform(0.03, 0.09))
    wide, high = right - left, bottom - top
    words = look.write(product.name).split(" ")
    small = 0.62 if scene.level == 3 else 0.82
    flat = wide > 2.2 * high
    title = [" ".join(words)] if flat or rng.random() < 0.5 or len(facts) > 3 else words
    lines = [" ".join(text for text, _ in fact) for fact in facts]
    if flat and len(facts) > 1:
        half = (len(facts) + 1) // 2
        rows = [facts[:half], facts[half:]] if len(facts) > 2 else [facts]
    else:
        rows = [[fact] for fact in facts]
    count = len(title) + len(rows)
    pitch = high / count
    columns = max(len(row) for row in rows)
    title_size = int(fit(title, face, wide, min(pitch, 0.2 * canvas.image.height)) * rng.uniform(small, 1.0))
    size = int(
        fit(lines, face, 0.94 * wide / columns, min(pitch, 0.2 * canvas.image.height)) * rng.uniform(small, 1.0)
    )
    y = top + pitch / 2
    centred = look.align == "middle"
    x, anchor = ((left + right) / 2, "m") if centred else (left, "l")
    written = 0
    for line in title:
        canvas.text(x, y, [(line, "name")], face, title_size, ink, anchor, first=written)
        written += len(line.replace(" ", ""))
        y += pitch
    for row in rows:
        for column, fact in enumerate(row):
            if columns > 1:
                canvas.text(left + column * wide / columns, y, fact, face, size, ink)
            elif look.align == "columns" and len(fact) > 1:
                canvas.text(left, y, fact[:1], face, size, ink)
                canvas.text(right, y, fact[1:], face, size, ink, "r")
            else:
                canvas.text(x, y, fact, face, size, ink, anchor)
        y += pitch


def _page(canvas: Canvas, lines: list[str], rng: random.Random, fonts: list[str], ink) -> None:
    """Lines below each other, each in a font and a size of its own; digits now and then in seven segments."""
    width, height = canvas.image.size
    pitch = height / len(lines)
    for row, line in enumerate(lines):
        face = rng.choice(fonts)
        size = int(fit([line], face, 0.9 * width, min(0.9 * pitch, 0.2 * height)) * rng.uniform(0.8, 1.0))
        y = pitch * (row + 0.5)
        digits = "".join(c for c in line if c in "0123456789.")
        if digits.strip(".") and rng.random() < 0.15:
            tall = min(0.7 * pitch, 0.8 * width / segments.width(digits, 1.0))
            canvas.digits(rng.uniform(0.85, 0.98) * width, y - tall / 2, digits, tall, ink)
        else:
            canvas.text(rng.uniform(0.02, 0.07) * width, y, [(line, "")], face, size, ink)


def _display(canvas: Canvas, reading: Reading, rng: random.Random, split: str, fonts: list[str], ink) -> None:
    """A meter: captions in a font, values in seven segments or a font."""
    width, height = canvas.image.size
    rows = {
        "pressure": [("SYS", "systolic"), ("DIA", "diastolic"), ("PULSE", "pulse")],
        "temperature": [(reading.unit, "value")],
        "glucose": [(reading.unit, "value")],
    }[reading.kind]
    rows = [(caption, reading.values[key], key) for caption, key in rows if key in reading.values]
    variant, side, digits = _display_style(rng, split)
    face = rng.choice(fonts)
    if variant in "ab":
        fill, ink = colours(rng)
        canvas.draw.rounded_rectangle(_inset((0, 0, width, height), 0.04), 0.06 * width, fill=fill)
    pad = rng.uniform(0.08, 0.14) * width
    room = (height - 1.2 * pad) / len(rows)
    tall = min(room * rng.uniform(0.55, 0.8), 0.34 * height)
    tall = min(tall, 0.5 * width / max(segments.width(value, 1.0) for _, value, _ in rows))
    caption_size = fit([caption for caption, *_ in rows], face, 0.22 * width, 0.16 * height)
    for row, (caption, value, key) in enumerate(rows):
        part = reading.kind if key == "value" else key
        middle = 0.6 * pad + room * (row + 0.5)
        right = width - pad - (0.22 * width if side == "right" else 0)
        if digits == "segments":
            canvas.digits(right, middle - tall / 2, value, tall, ink, part)
        else:
            size = fit([value], face, 0.5 * width, tall)
            canvas.text(right, middle, [(value, part)], face, size, ink, "r")
        lower = 0.2 * tall if variant in "ac" else 0.0
        x, y = (right + 0.03 * width, middle + lower) if side == "right" else (0.7 * pad, middle - lower)
        canvas.text(x, y, [(caption, "unit" if key == "value" else "caption")], face, caption_size, ink)


def _display_style(rng: random.Random, split: str) -> tuple[str, str, str]:
    while True:
        style = rng.choice("abcd"), rng.choice(["left", "right"]), rng.choice(["segments", "segments", "font"])
        if splits.layout_is_held_out("/".join(style)) == (split == splits.HELD_OUT):
            return style
