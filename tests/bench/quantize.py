"""Measures lorgnette's quant crate beside llama.cpp on this machine and writes its part of docs/benchmarks.md.

Every comparison alternates the two programs on the same file with the same number of threads, so that both meet the
same weather, and reports medians.
"""

import json
import pathlib
import statistics
import subprocess
import tempfile

import gguf
import numpy as np

from report import parser, run, settle, write
import models  # noqa: I001 # report says where it is

SPEED_MIXES = ["Q8_0", "Q4_0", "Q4_K_M", "Q6_K"]
ERROR_TYPES = ["F16", "BF16", "Q8_0", "Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "IQ4_NL", "IQ4_XS", "Q4_1", "Q4_0", "MXFP4",
               "Q3_K", "Q2_K"]
OPENINGS = 21


def speed(out, tools, model, folder, rounds, threads):
    mib = model.stat().st_size / 2**20
    ours, theirs = tools
    out.append(f"### Quantizing F16, {mib:.0f} MiB, {threads} threads\n")
    out.append(f"Medians of {rounds} runs each, in turns. lorgnette's time includes its report (every block decoded and "
               "compared) and the sync to disk; llama-quantize makes neither. Both write the same bytes.\n")
    out.append("| mix | lorgnette | llama-quantize | ratio | peak memory | of llama-quantize |")
    out.append("|---|---|---|---|---|---|")
    result, reference = folder / "ours.gguf", folder / "theirs.gguf"
    for mix in SPEED_MIXES:
        seconds, memory = {ours: [], theirs: []}, {ours: 0, theirs: 0}
        for _ in range(rounds):
            for tool, command in [
                (ours, [ours, "quantize", model, result, "--type", mix, "--threads", str(threads)]),
                (theirs, [theirs, model, reference, mix, str(threads)]),
            ]:
                settle()
                elapsed, peak = run(command)
                seconds[tool].append(elapsed)
                memory[tool] = max(memory[tool], peak)
        same = subprocess.run(["cmp", "--silent", result, reference]).returncode == 0
        assert same, f"{mix}: the files differ"
        a, b = (statistics.median(seconds[tool]) for tool in (ours, theirs))
        out.append(f"| {mix} | {a:.2f} s ({mib / a:.0f} MiB/s) | {b:.2f} s ({mib / b:.0f} MiB/s) | {b / a:.2f}x | "
                   f"{memory[ours]:.0f} MiB | {memory[theirs]:.0f} MiB |")
    largest = max(int(t.n_bytes) for t in gguf.GGUFReader(model).tensors) / 2**20
    out.append(f"\nThe largest tensor has {largest:.0f} MiB.\n")


def opening(out, lorgnette, small, large):
    out.append("### Opening\n")
    out.append(f"`lorgnette inspect --json`, the whole process with what it prints, median of {OPENINGS}.\n")
    out.append("| file | tokens in its vocabulary | time | peak memory |")
    out.append("|---|---|---|---|")
    for path in (small, large):
        runs = [run([lorgnette, "inspect", "--json", path]) for _ in range(OPENINGS)]
        tokens = json.loads(subprocess.check_output([lorgnette, "inspect", "--json", path]))["summary"]["text"]["vocabulary"]
        out.append(f"| {path.stat().st_size / 2**20:.0f} MiB | {tokens} | {statistics.median(r[0] for r in runs) * 1000:.1f} ms | "
                   f"{max(r[1] for r in runs):.1f} MiB |")
    out.append("")


def rmse(source, path):
    """Over all tensors whose type differs from the source's."""
    before = {t.name: t for t in gguf.GGUFReader(source).tensors}
    squares, count = 0.0, 0
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.tensor_type != before[tensor.name].tensor_type:
            a = before[tensor.name].data.astype(np.float64)
            b = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)
            squares += np.sum((a - b.reshape(a.shape)) ** 2)
            count += a.size
    return (squares / count) ** 0.5


def errors(out, tools, folder):
    ours, theirs = tools
    model, result, reference = folder / "errors.gguf", folder / "ours.gguf", folder / "theirs.gguf"
    imatrix = folder / "imatrix.gguf"
    models.text(model, layers=4, tied=False, dtype="f32")
    models.imatrix(imatrix, model)
    out.append("### Error of each type\n")
    out.append("Root mean squared difference from normal weights of deviation 0.02 with one column in 64 ten times louder, "
               "every weight in one type.\n")
    out.append("| type | bits | lorgnette | llama-quantize | with imatrix: lorgnette | llama-quantize |")
    out.append("|---|---|---|---|---|---|")
    for ty in ERROR_TYPES:
        row = []
        for options in [[], ["--imatrix", imatrix]]:
            if ty in ("F16", "BF16"):
                run([ours, "quantize", model, result, "--type", ty, *options])
                run([theirs, *options, model, reference, ty])
            else:
                options = options + ["--tensor-type", f"weight={ty.lower()}"]
                run([ours, "quantize", model, result, "--type", "Q8_0", *options])
                run([theirs, *options, model, reference, "Q8_0"])
            row += [f"{rmse(model, path):.4e}" for path in (result, reference)]
        block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[ty]]
        out.append(f"| {ty} | {size * 8 / block:g} | " + " | ".join(row) + " |")
    out.append("")


def main():
    arguments = parser(__doc__).parse_args()
    tools = arguments.lorgnette, arguments.reference / "llama.cpp/build/bin/llama-quantize"
    out = []
    with tempfile.TemporaryDirectory(dir=arguments.reference) as folder:
        folder = pathlib.Path(folder)
        small, large = folder / "small.gguf", folder / "large.gguf"
        models.text(small, vocab=128000, layers=2)
        models.text(large, width=1024, feed_forward=4096, layers=24, heads=16, kv_heads=8, vocab=128000)
        speed(out, tools, large, folder, arguments.rounds, arguments.threads)
        opening(out, arguments.lorgnette, small, large)
        errors(out, tools, folder)
    write(arguments.output, "quantize", "Files", out)


if __name__ == "__main__":
    main()
