"""Runs the scripts behind the runtime's golden files again: the references must still say what the files hold.

Numbers may differ by 1e-5, since other machines sum in another order; everything else must be the same.
"""

import json
import pathlib
import subprocess
import sys

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "runtime/tests/golden"
SCRIPTS = ["tokenizer", "chat_template", "decoder", "perplexity"]
TOLERANCE = 1e-5


def differs(a, b, path=""):
    """Where two documents differ first, or None."""
    if isinstance(a, float) and isinstance(b, (int, float)):
        return None if abs(a - b) <= TOLERANCE else path
    if type(a) is not type(b):
        return path
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return path
        return next(filter(None, (differs(a[key], b[key], f"{path}/{key}") for key in a)), None)
    if isinstance(a, list):
        if len(a) != len(b):
            return path
        return next(filter(None, (differs(x, y, f"{path}/{i}") for i, (x, y) in enumerate(zip(a, b)))), None)
    return None if a == b else path


def main():
    failed = 0
    for name in SCRIPTS:
        made = subprocess.run([sys.executable, GOLDEN / f"{name}.py"], check=True, capture_output=True).stdout
        where = differs(json.loads(made), json.loads((GOLDEN / f"{name}.json").read_text()))
        failed += where is not None
        print(f"{name}.json: {'the references still say so' if where is None else 'differs at ' + where}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
