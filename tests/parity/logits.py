"""Next-token logits and perplexity of quantized models: ours and llama.cpp's, on the same files.

The two round activations to 8 bits differently, lorgnette in blocks of 32, llama.cpp in blocks of 256 for K types.
Random weights give logits without contrast, of which that rounding decides which is largest. So the layers of this
model are random and its head is fitted, by ridge regression on the last hidden states, to say the token that comes
next in the text. It learns from states of quantized layers too: else quantizing would take the contrast away again.
A head that tells such states apart magnifies errors of the layers, which makes the comparison a strict one.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import models
import numpy as np

CONTEXT = 128
WIDTH = 768
SHAPE = dict(width=WIDTH, layers=2, feed_forward=1536, heads=12, kv_heads=4, vocab=WIDTH, bos=0, context=CONTEXT)
# Of a chunk, the positions whose next token is scored.
SCORED = slice(CONTEXT // 2, CONTEXT - 1)
TEXT = (pathlib.Path(__file__).resolve().parents[2] / "LICENSE-APACHE").read_text(encoding="utf-8")[:700]

# How the head is fitted: how much it is held back, relative to the mean square of the hidden states, the logit that it
# is to give what comes next, and the mixes whose states it learns from.
RIDGE = 0.03
LEARNED = ["F32", "Q4_0", "Q4_K_M"]
LOGIT = 12.0

# Share of the positions where both think the same token likeliest, and mean Kullback-Leibler divergence in nats.
SAME_TOP = 0.995
DIVERGENCE = {"F32": 2e-6, "F16": 2e-6, "Q8_0": 1e-3, "Q4_0": 1e-3, "Q5_0": 1e-3, "Q4_K_M": 5e-3}
TRIES = 5

# Between perplexities, relative.
PERPLEXITY = 0.01


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)


class Reference:
    """What llama-perplexity says of a model and a text; log-probabilities in steps of 16 / 65535."""

    def __init__(self, tool, model, text, folder):
        saved = folder / "logits.bin"
        self.perplexity = printed_perplexity(
            [tool, "--model", model, "--file", text, "--ctx-size", CONTEXT, "--save-all-logits", saved,
             "--cache-type-k", "f32", "--cache-type-v", "f32", "--flash-attn", "off"])
        bytes = saved.read_bytes()
        assert bytes[:8] == b"_logits_"
        context, vocab, chunks = np.frombuffer(bytes, np.int32, 3, 8)
        self.tokens = np.frombuffer(bytes, np.int32, context * chunks, 20).reshape(chunks, context).copy()
        self.tokens[:, 0] = SHAPE["bos"]
        scored = context - 1 - context // 2
        rows = np.frombuffer(bytes, np.uint16, offset=20 + self.tokens.nbytes).reshape(chunks, scored, -1)
        scale, least = np.ascontiguousarray(rows[..., :4]).view(np.float32).transpose(2, 0, 1)
        self.logs = scale[..., None] * rows[..., 4 : 4 + vocab] + least[..., None]


def printed_perplexity(command):
    """A thread of its own prints what llama-perplexity says, and now and then the process ends before it has."""
    for _ in range(TRIES):
        said = run(*command)
        estimate = re.search(r"Final estimate: PPL = ([\d.]+)", said.stdout + said.stderr)
        if estimate:
            return float(estimate[1])
    sys.exit(f"{command[0]} says no perplexity: {said.stdout}{said.stderr}")


def logits(lorgnette, model, chunk):
    tokens = ",".join(str(token) for token in chunk)
    return np.array(json.loads(run(lorgnette, "logits", "--model", model, "--tokens", tokens, "--every", "--json").stdout)["rows"])


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def fitted(lorgnette, tool, text, folder):
    """The model in F32. With the identity for a head, logits are hidden states."""
    bare, path = folder / "bare.gguf", folder / "F32.gguf"
    models.text(bare, dtype="f32", head=np.eye(WIDTH, dtype=np.float32), **SHAPE)
    chunks = Reference(tool, bare, text, folder).tokens
    states, following = [], []
    for mix in LEARNED:
        noisy = folder / "noisy.gguf"
        run(lorgnette, "quantize", bare, noisy, "--type", mix, "--tensor-type", "^output=f32")
        for chunk in chunks:
            states.append(logits(lorgnette, noisy, chunk)[SCORED])
            following.append(chunk[SCORED.start + 1 : SCORED.stop + 1])
    states, targets = np.concatenate(states), np.eye(WIDTH)[np.concatenate(following)] * LOGIT
    held_back = RIDGE * np.mean(states**2) * len(states) * np.eye(WIDTH)
    head = np.linalg.solve(states.T @ states + held_back, states.T @ targets).T
    models.text(path, dtype="f32", head=head.astype(np.float32), **SHAPE)
    return path


def differences(arguments, model, mix, text, folder):
    """Share of equal choices, mean and largest divergence, both perplexities."""
    theirs = Reference(arguments.llama_perplexity, model, text, folder)
    ours = np.stack([log_softmax(logits(arguments.lorgnette, model, chunk)[SCORED]) for chunk in theirs.tokens])
    same = np.mean(ours.argmax(-1) == theirs.logs.argmax(-1))
    divergence = np.sum(np.exp(theirs.logs) * (theirs.logs - ours), -1)
    said = run(arguments.lorgnette, "perplexity", "--model", model, "--file", text, "--context", CONTEXT, "--json")
    perplexity = json.loads(said.stdout)["perplexity"]["value"]
    print(f"{mix:8} {ours[..., 0].size} positions: same top {100 * same:.2f} %, divergence {divergence.mean():.2e}, at most "
          f"{divergence.max():.2e}; perplexity {perplexity:.4f}, llama.cpp's {theirs.perplexity:.4f}")
    return [message for message, wrong in [
        (f"{mix}: other choices than llama.cpp's", same < SAME_TOP),
        (f"{mix}: logits are too far from llama.cpp's", not abs(divergence.mean()) < DIVERGENCE[mix]),
        (f"{mix}: another perplexity than llama-perplexity's", not abs(perplexity / theirs.perplexity - 1) < PERPLEXITY),
    ] if wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lorgnette", required=True)
    parser.add_argument("--llama-perplexity", required=True)
    arguments = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        text = folder / "text.txt"
        text.write_text(TEXT)
        source = fitted(arguments.lorgnette, arguments.llama_perplexity, text, folder)
        for mix in DIVERGENCE:
            model = folder / f"{mix}.gguf"
            if model != source:
                run(arguments.lorgnette, "quantize", source, model, "--type", mix)
            failures += differences(arguments, model, mix, text, folder)
    sys.exit("\n".join(failures) or 0)


if __name__ == "__main__":
    main()
