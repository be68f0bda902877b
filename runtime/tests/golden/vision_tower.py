"""Makes vision_tower.json: what Hugging Face transformers' SmolVLM makes of a picture, in f32, for the checkpoint of
quant/tests/data/convert: the rows that the connector gives the language model, and the logits that follow them and some tokens.

    python vision_tower.py > vision_tower.json
"""

import json
import logging
import pathlib
import sys

import torch
import transformers

NAME = "SmolVLM2-tiny-Video-Instruct"
SIDE = 16
ROWS = 4
BEFORE = [17, 250, 3, 99]
AFTER = [140, 7, 201]


def tile(seed):
    """Pixels [3][SIDE][SIDE] from -1 to 1 that a test can make too: a linear congruential generator."""
    values = []
    for _ in range(3 * SIDE * SIDE):
        seed = (seed * 1664525 + 1013904223) % 2**32
        values.append((seed >> 8) / 2**23 - 1)
    return torch.tensor(values, dtype=torch.float32).reshape(3, SIDE, SIDE)


def logits(model, pixels):
    tokens = BEFORE + [model.config.image_token_id] * ROWS + AFTER
    return model(input_ids=torch.tensor([tokens]), pixel_values=pixels[None, None]).logits[0, -1]


def rounded(values):
    return [round(float(value), 7) for value in values]


@torch.no_grad()
def main():
    logging.disable(logging.WARNING)
    path = pathlib.Path(__file__).resolve().parents[3] / "quant/tests/data/convert" / NAME / "model" / NAME
    model = transformers.AutoModelForImageTextToText.from_pretrained(path, dtype=torch.float32).eval()
    cases = []
    for seed in (1, 2, 3):
        pixels = tile(seed)
        features = model.model.get_image_features(pixels[None, None])
        features = getattr(features, "pooler_output", features)
        features = features if isinstance(features, torch.Tensor) else features[0]
        rows = features.reshape(ROWS, -1)
        cases.append(
            {
                "seed": seed,
                "rows": [rounded(row) for row in rows],
                "logits": rounded(logits(model, pixels)),
            }
        )
    json.dump({"model": NAME, "before": BEFORE, "after": AFTER, "cases": cases}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
