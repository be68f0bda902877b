"""Begins a run with the weights that are shipped, to go on from: `python -m pico.restore RUN [--weights FOLDER]`.

FOLDER has `pico.gguf` and `pico-mmproj.gguf`, and may have `heads.safetensors`, as an export has: what training has
besides, the heads of `see` and `hear`, which are random where it has not. What eight bits rounded away is not in them.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import load_file

from . import checkpoint, tokens
from .config import PICO
from .export import HEADS
from .model import audio, pico, text, vision

SHIPPED = Path(__file__).parents[2]
# What the parts of layers are called in a GGUF, by the tower, and here.
ATTENTION = {f"attn_{part}": f"self_attn.{part}_proj" for part in "qkv"}
OUT = {"attn_out": "self_attn.out_proj"}
LAYERS = {
    "blk": (f"{text.MODEL}.layers", ATTENTION | {f"ffn_{part}": f"mlp.{part}_proj" for part in ["gate", "up", "down"]} | {
        "attn_output": "self_attn.o_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    }),
    "v.blk": (f"{vision.TOWER}.encoder.layers", ATTENTION | OUT | {
        "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2", "ln1": "layer_norm1", "ln2": "layer_norm2",
    }),
    "a.blk": (f"{audio.TOWER}.layers", ATTENTION | OUT | {
        "ffn_up": "fc1", "ffn_down": "fc2", "ln1": "self_attn_layer_norm", "ln2": "final_layer_norm",
    }),
}  # fmt: skip
OTHERS = {
    "token_embd": f"{text.MODEL}.embed_tokens",
    "output_norm": f"{text.MODEL}.norm",
    "v.patch_embd": f"{vision.TOWER}.embeddings.patch_embedding",
    "v.position_embd": f"{vision.TOWER}.embeddings.position_embedding",
    "v.post_ln": f"{vision.TOWER}.post_layernorm",
    "mm.model.fc": vision.CONNECTOR,
    "a.conv1d.1": f"{audio.TOWER}.conv1",
    "a.conv1d.2": f"{audio.TOWER}.conv2",
    "a.position_embd": f"{audio.TOWER}.embed_positions",
    "a.post_ln": f"{audio.TOWER}.layer_norm",
    "mm.a.mlp.1": f"{audio.PROJECTOR}.linear_1",
    "mm.a.mlp.2": f"{audio.PROJECTOR}.linear_2",
    "mm.a.norm_pre": f"{audio.PROJECTOR}.ln_pre",
    "mm.a.norm_mid": f"{audio.PROJECTOR}.ln_mid",
}


def restore(shipped: Path, run: Path) -> None:
    """Writes the weights of the files of `shipped` and their tokenizer to `run`, which has learned to hear then."""
    reader = GGUFReader(shipped / "pico.gguf")
    found = weights(reader) | weights(GGUFReader(shipped / "pico-mmproj.gguf"))
    made = pico.init(PICO, seed=0)
    heads = {name: value for name, value in made.items() if name.startswith(pico.NOT_EXPORTED)}
    found |= load_file(shipped / HEADS) if (shipped / HEADS).exists() else heads
    if unknown := found.keys() - made.keys():
        raise SystemExit(f"{shipped}: pico has no {sorted(unknown)}")
    if missing := made.keys() - found.keys():
        raise SystemExit(f"{shipped}: there is no {sorted(missing)}")
    run.mkdir(parents=True, exist_ok=True)
    # Biases of convolutions have another shape in a GGUF.
    found = {name: value.astype(np.float32).reshape(made[name].shape) for name, value in found.items()}
    checkpoint.save_weights(run, found)
    checkpoint.save_state(run, "hear-restored", {}, None, {"done": True})
    tokenizer(reader, run / "tokenizer.json")


def weights(reader: GGUFReader) -> dict[str, np.ndarray]:
    """The tensors of a file by the names that a checkpoint has for them, F32."""
    found = {}
    for tensor in reader.tensors:
        value = dequantize(tensor.data, tensor.tensor_type)
        if tensor.name.startswith("blk.") and tensor.name.endswith(("attn_q.weight", "attn_k.weight")):
            value = _halves(value, PICO.text.head_len)
        found[_name(tensor.name)] = value
    return found


def _name(name: str) -> str:
    name, kind = name.rsplit(".", 1)
    if name in OTHERS:
        return f"{OTHERS[name]}.{kind}"
    tower, number, part = name.rsplit(".", 2)
    layers, parts = LAYERS[tower]
    return f"{layers}.{number}.{parts[part]}.{kind}"


def _halves(value: np.ndarray, head_len: int) -> np.ndarray:
    """Rows of heads whose pairs are neighbours, as GGUF has them, to pairs of one row of each half."""
    return value.reshape(-1, head_len // 2, 2, value.shape[1]).swapaxes(1, 2).reshape(value.shape)


def tokenizer(reader: GGUFReader, path: Path) -> None:
    """The recipe's tokenizer with the tokens and merges of a file: its texts may have changed since."""
    listed, merges = (reader.fields[f"tokenizer.ggml.{key}"].contents() for key in ["tokens", "merges"])
    ids = {token: number for number, token in enumerate(listed)}
    made = json.loads(tokens.train(PICO.vocabulary).to_str())
    for added in made["added_tokens"]:
        added["id"] = ids.pop(added["content"])
    made["model"] |= {"vocab": ids, "merges": [merge.split(" ") for merge in merges]}
    path.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    restore(arguments.weights, arguments.run)


if __name__ == "__main__":
    main()
