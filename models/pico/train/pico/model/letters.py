"""The letters that the CTC head spells; 0 is the blank."""

LETTERS = "_" + " abcdefghijklmnopqrstuvwxyz0123456789"


def spelled(text: str) -> list[int]:
    """What is heard of a text: letters, digits, single spaces."""
    kept = "".join(c if c in LETTERS[1:] else " " if c in "/-" else "" for c in text.lower())
    return [LETTERS.index(c) for c in " ".join(kept.split())]


def collapsed(best: list[int]) -> str:
    """The text of the best letters of each row."""
    return "".join(LETTERS[c] for c, last in zip(best, [0, *best]) if c != last and c != 0)
