"""Makes decoder.json: logits of Hugging Face transformers, in f32, for the checkpoints of quant/tests/data/convert.

    python decoder.py > decoder.json
"""

import json
import logging
import pathlib
import sys

import torch
import transformers

TOKENS = [1, 17, 250, 3, 3, 99, 140, 7, 201, 64, 33, 128, 5, 77, 160, 2, 19, 84, 111, 42]
GREEDY = 24


def text_model(path):
    config = transformers.AutoConfig.from_pretrained(path)
    if config.model_type in ("smolvlm", "idefics3"):
        return transformers.AutoModelForImageTextToText.from_pretrained(path, dtype=torch.float32)
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def greedy(model, tokens):
    made = []
    for _ in range(GREEDY):
        made.append(int(model(torch.tensor([tokens + made])).logits[0, -1].argmax()))
    return made


@torch.no_grad()
def main():
    logging.disable(logging.WARNING)
    data = pathlib.Path(__file__).resolve().parents[3] / "quant/tests/data/convert"
    cases = {}
    for path in sorted(data.glob("*/model/*")):
        if path.name.startswith("ultravox"):
            continue
        model = text_model(path).eval()
        logits = model(torch.tensor([TOKENS])).logits[0]
        rows = [[round(float(value), 6) for value in row] for row in logits[[0, 1, 10, 19]]]
        cases[path.name] = {"rows": rows, "greedy": greedy(model, TOKENS)}
    json.dump({"tokens": TOKENS, "positions": [0, 1, 10, 19], "models": cases}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
