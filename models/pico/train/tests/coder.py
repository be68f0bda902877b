"""For tests that write with tokens."""

import tempfile
from pathlib import Path

from pico import tokens


def coder_of(tokenizer) -> tokens.Tokens:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(str(Path(folder) / "tokenizer.json"))
        return tokens.Tokens(Path(folder) / "tokenizer.json")
