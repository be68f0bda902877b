"""Every mix on every kind of model: our file and llama-quantize's must be the same bytes."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import models

MIXES = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K"]


def make_models(folder):
    """Name of each model, its path, and the options to quantize it with."""
    text, odd = folder / "text.gguf", folder / "odd.gguf"
    experts, tower = folder / "experts.gguf", folder / "mmproj.gguf"
    models.text(text, layers=17)
    models.text(odd, width=288, heads=9, kv_heads=3, feed_forward=720, tied=False, dtype="f32")
    models.text(experts, layers=9, experts=4, dtype="bf16")
    models.text(folder / "eight.gguf", layers=9, experts=8, feed_forward=256)
    models.text(folder / "big.gguf", layers=80, feed_forward=256)
    models.mmproj(tower)
    for name, model in {"text": text, "experts": experts}.items():
        models.imatrix(folder / f"{name}.imatrix.gguf", model)
    models.imatrix(folder / "text.imatrix.dat", text, legacy=True)
    yield "text", text, []
    yield "rows that are no blocks, untied, F32", odd, []
    yield "4 experts, BF16", experts, []
    yield "8 experts", folder / "eight.gguf", []
    yield "80 layers", folder / "big.gguf", []
    yield "mmproj", tower, []
    yield "text, imatrix", text, ["--imatrix", folder / "text.imatrix.gguf"]
    yield "text, legacy imatrix", text, ["--imatrix", folder / "text.imatrix.dat"]
    yield "4 experts, imatrix", experts, ["--imatrix", folder / "experts.imatrix.gguf"]
    overrides = ["attn_v=q2_k", r"blk\.[0-3]\.ffn_down=q3_k", "ffn_up=iq4_xs", "ATTN_Q=iq4_nl", "ffn_gate=mxfp4", "attn_v=q8_0"]
    flags = [word for override in overrides for word in ("--tensor-type", override)]
    yield "text, overrides", text, flags
    yield "text, overrides, imatrix", text, flags + ["--imatrix", folder / "text.imatrix.gguf"]


def differing(ours, theirs):
    """Why two files differ, in words."""
    import gguf
    a, b = ({t.name: t for t in gguf.GGUFReader(path).tensors} for path in (ours, theirs))
    for name in b:
        if name not in a:
            return f"{name} is missing"
        if a[name].tensor_type != b[name].tensor_type:
            return f"{name} is {a[name].tensor_type.name}, not {b[name].tensor_type.name}"
        if a[name].data.tobytes() != b[name].data.tobytes():
            return f"{name} ({a[name].tensor_type.name}) has other bytes"
    return "the header"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lorgnette", required=True)
    parser.add_argument("--llama-quantize", required=True)
    arguments = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ours, theirs = folder / "ours.gguf", folder / "theirs.gguf"
        for name, model, options in make_models(folder):
            for mix in MIXES:
                subprocess.run([arguments.lorgnette, "quantize", model, ours, "--type", mix, *options], check=True,
                               stdout=subprocess.DEVNULL)
                subprocess.run([arguments.llama_quantize, *options, model, theirs, mix, "2"], check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                same = ours.read_bytes() == theirs.read_bytes()
                failed += not same
                print(f"{name:40} {mix:8} {'same bytes' if same else 'DIFFERS: ' + differing(ours, theirs)}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
