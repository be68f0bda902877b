"""Runs the scripts behind the runtime's golden files again: the references must still say what the files hold.

Numbers may differ by 1e-5, since other machines sum in another order; everything else must be the same.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "runtime/tests/golden"
SCRIPTS = ["tokenizer", "chat_template", "decoder", "vision_tower", "audio_tower", "perplexity"]
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


def printed(name):
    made = subprocess.run([sys.executable, GOLDEN / f"{name}.py"], check=True, capture_output=True).stdout
    return json.loads(made)


def front_ends():
    """This one writes files."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, GOLDEN / "front_ends.py", folder], check=True, capture_output=True)
        return json.loads(pathlib.Path(folder, "front_ends.json").read_text())


def main():
    failed = 0
    for name in [*SCRIPTS, "front_ends"]:
        made = front_ends() if name == "front_ends" else printed(name)
        where = differs(made, json.loads((GOLDEN / f"{name}.json").read_text()))
        failed += where is not None
        print(f"{name}.json: {'the references still say so' if where is None else 'differs at ' + where}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
