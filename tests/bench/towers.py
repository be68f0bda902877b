"""Writes random-weight mmprojs of the shape of SmolVLM-256M's vision tower: `towers.py FOLDER [LLAMA_QUANTIZE]`.

The second, in Q8_0, needs llama-quantize or another program that takes its arguments.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))
import models  # noqa: E402

SMOLVLM = dict(width=768, layers=12, feed_forward=3072, heads=12, projection=576, image=512, scale=4, kept=False)


def main():
    folder = pathlib.Path(sys.argv[1])
    f16, q8 = folder / "tower-f16.gguf", folder / "tower-q8_0.gguf"
    models.mmproj(f16, **SMOLVLM)
    for quantize in sys.argv[2:3]:
        subprocess.run([quantize, f16, q8, "Q8_0"], check=True)


if __name__ == "__main__":
    main()
