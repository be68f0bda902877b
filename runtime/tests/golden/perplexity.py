"""Makes perplexity.json: the perplexity of checkpoints of quant/tests/data/convert on a text, by Hugging Face
transformers in f32, in the way of llama-perplexity: chunks of CONTEXT tokens, each begun by the token that starts a
text where the model has one, and the tokens of the second half scored.

    python perplexity.py > perplexity.json
"""

import json
import logging
import pathlib
import sys

import tokenizers
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[3]
TEXT = (ROOT / "LICENSE-MIT").read_text(encoding="utf-8").removesuffix("\n")
CONTEXT = 32
# Name, and the token that starts a text.
CHECKPOINTS = {"Qwen2.5-tiny": None, "Llama-3.2-tiny-Instruct": "<|begin_of_text|>"}


@torch.no_grad()
def perplexity(path, bos):
    model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    tokenizer = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
    tokens = tokenizer.encode(TEXT, add_special_tokens=False).ids
    if bos:
        tokens.insert(0, tokenizer.token_to_id(bos))
    surprise = []
    for start in range(0, len(tokens) - CONTEXT + 1, CONTEXT):
        chunk = torch.tensor(tokens[start : start + CONTEXT])
        fed = chunk.clone()
        if bos:
            fed[0] = tokenizer.token_to_id(bos)
        logs = model(fed[None]).logits[0].double().log_softmax(-1)
        surprise += [-logs[at, chunk[at + 1]] for at in range(CONTEXT // 2, CONTEXT - 1)]
    surprise = torch.stack(surprise)
    return {"perplexity": float(surprise.mean().exp()), "tokens": len(surprise), "chunks": len(tokens) // CONTEXT}


def main():
    logging.disable(logging.WARNING)
    data = ROOT / "quant/tests/data/convert"
    models = {name: perplexity(data / name / "model" / name, bos) for name, bos in CHECKPOINTS.items()}
    json.dump({"context": CONTEXT, "models": models}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
