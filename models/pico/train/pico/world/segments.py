"""Digits of seven segments, as displays have them."""

from PIL import ImageDraw

#      0
#    5   1
#      6
#    4   2
#      3
_LIT = {
    "0": "012345", "1": "12", "2": "01643", "3": "01623", "4": "5612", "5": "05623", "6": "056234", "7": "012",
    "8": "0123456", "9": "012356", "-": "6",
}  # fmt: skip


def width(text: str, height: float) -> float:
    return sum(_advance(c, height) for c in text)


def _advance(char: str, height: float) -> float:
    return height * (0.25 if char == "." else 0.64)


def draw(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, height: float, thick: float, fill) -> list:
    """Draws `text` with its top left at (`x`, `y`), and gives its characters with their centres."""
    centres = []
    for char in text:
        advance = _advance(char, height)
        wide = height * 0.48
        if char == ".":
            draw.rectangle([x, y + height - 1.3 * thick, x + 1.3 * thick, y + height], fill=fill)
            centres.append((char, x + 0.6 * thick, y + height - 0.6 * thick))
        else:
            for segment in _LIT[char]:
                draw.polygon(_segment(int(segment), x, y, wide, height, thick), fill=fill)
            centres.append((char, x + wide / 2, y + height / 2))
        x += advance
    return centres


def _segment(number: int, x: float, y: float, wide: float, height: float, thick: float) -> list:
    half = thick / 2
    gap = 0.15 * thick
    if number in (0, 3, 6):
        middle = y + {0: half, 6: height / 2, 3: height - half}[number]
        left, right = x + half + gap, x + wide - half - gap
        return [
            (left, middle), (left + half, middle - half), (right - half, middle - half), (right, middle),
            (right - half, middle + half), (left + half, middle + half),
        ]  # fmt: skip
    middle = x + (wide - half if number in (1, 2) else half)
    top = y + (half if number in (1, 5) else height / 2) + gap
    bottom = y + (height / 2 if number in (1, 5) else height - half) - gap
    return [
        (middle, top), (middle + half, top + half), (middle + half, bottom - half), (middle, bottom),
        (middle - half, bottom - half), (middle - half, top + half),
    ]  # fmt: skip
