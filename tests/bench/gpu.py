"""Measures lorgnette's GPU backend beside llama.cpp's Vulkan backend on the same adapter and writes its part of
docs/benchmarks.md.

Models and turns are those of runtime.py, towers those of towers.py. Without a GPU the adapter is Mesa's lavapipe, which
computes on the processor; with one, prompts are longer, and speeds are held against what the adapter can do.
"""

import os
import pathlib
import statistics
import tempfile

import report  # noqa: I001 # it says where models are
import models
import runtime
import towers

MIXES = ["Q8_0", "Q4_0"]
# Tokens that are read and made: on a program, and on a GPU.
LENGTHS = {True: (16, 16), False: (512, 64)}


def ours(arguments, model, *more, backend="gpu"):
    """What `lorgnette bench` says of a model."""
    return runtime.document([arguments.lorgnette, "bench", "--backend", backend, "--model", model, "--prompt", arguments.prompt,
                             "--generate", arguments.generate, "--repetitions", 1, "--json", *more])


def medians(document):
    return {test["test"]: test["median"] for test in document["tests"]}


def their_tests(arguments, model):
    """What the peer says of its own run: prefill, then decode."""
    tests = runtime.document([arguments.peer, "-m", model, "-p", arguments.prompt, "-n", arguments.generate, "-r", 1, "-ngl", 99,
                              "-o", "json"])
    return sorted(tests, key=lambda test: test["n_gen"])


def speed(out, arguments, files, adapter):
    """Writes the table and returns what the peer says of itself."""
    prompt, generate = arguments.prompt, arguments.generate
    out.append("### Speed on the GPU\n")
    out.append(f"Tokens a second: prefill of {prompt}, decode of {generate} from an empty context; `lorgnette bench --backend gpu` "
               f"and llama-bench `-ngl 99`, medians of {arguments.rounds} runs each, in turns.\n")
    out.append("| shape | mix | prefill: lorgnette | llama.cpp | ratio | decode: lorgnette | llama.cpp | ratio |")
    out.append("|---|---|---|---|---|---|---|---|")
    found = {}
    for (shape, mix), model in files.items():
        mine, theirs = [], []
        for _ in range(arguments.rounds):
            document = ours(arguments, model)
            tests = medians(document)
            mine.append((tests[f"pp{prompt}"], tests[f"tg{generate}"]))
            peer = their_tests(arguments, model)
            theirs.append([test["avg_ts"] for test in peer])
        cells = []
        for test in range(2):
            a, b = (statistics.median(turn[test] for turn in turns) for turns in (mine, theirs))
            cells += [f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}x"]
        out.append(f"| {shape} | {mix} | " + " | ".join(cells) + " |")
        found[shape, mix] = document["model"], *(statistics.median(turn[test] for turn in mine) for test in range(2))
    out.append("")
    if not adapter["software"]:
        shares(out, arguments, found)
    return peer[0]


def shares(out, arguments, found):
    """What part of the adapter is used."""
    speeds = doctor(arguments, "--kernels")["speeds"]
    copied = speeds["copied_bytes_a_second"]
    out.append(f"The adapter copies {copied / 1e9:.0f} GB/s, and a small kernel takes {speeds['kernel_microseconds']:.1f} µs "
               "(`lorgnette doctor --kernels`). A token reads all weights once; a token of a prompt takes two operations a weight.\n")
    out.append("| shape | mix | decode: share of what is copied | prefill |")
    out.append("|---|---|---|---|")
    for (shape, mix), (model, prefill, decode) in found.items():
        share, operations = model["bytes"] * decode / copied, 2 * model["weights"] * prefill / 1e12
        out.append(f"| {shape} | {mix} | {share:.0%} | {operations:.1f} TFLOP/s |")
    out.append("")


def doctor(arguments, *more):
    return runtime.document([arguments.lorgnette, "doctor", "--json", *more])["gpu"]


def start(out, arguments, files, folder):
    """Each run with a folder for caches of its own, then again with what the first left there."""
    out.append("### Start on the GPU\n")
    out.append(f"A whole process: start, load, a prompt of {len(runtime.QUESTION)} tokens, one token, end, by `lorgnette ask "
               "--backend gpu --max-tokens 1`: at first with empty caches, ours and the driver's, then again; how much of the first "
               "is the choice of kernels, and how many products that timed (`lorgnette doctor`); the most memory that was "
               "resident, which on lavapipe is the GPU's too, and what the GPU held after a `lorgnette bench`. Medians of "
               f"{arguments.rounds} runs.\n")
    out.append("| shape | mix | file | cold | cached | choice | products | resident | on the GPU |")
    out.append("|---|---|---|---|---|---|---|---|---|")
    for (shape, mix), model in files.items():
        command = [arguments.lorgnette, "ask", "--backend", "gpu", "--model", model, "--max-tokens", 1, "--json", runtime.QUESTION]
        runs, records = [], []
        for number in range(arguments.rounds):
            os.environ["XDG_CACHE_HOME"] = str(folder / f"cache-{shape}-{mix}-{number}")
            runs.append([report.run(command) for _ in range(2)])
            records.append(doctor(arguments)["record"])
        cold, cached = (statistics.median(run[turn][0] for run in runs) for turn in range(2))
        peak = statistics.median(run[1][1] for run in runs)
        chosen = statistics.median(record["milliseconds"] for record in records) / 1000
        timed = statistics.median(len(record["timings"]) for record in records)
        size, held = model.stat().st_size / 2**20, ours(arguments, model)["device_memory_bytes"] / 2**20
        out.append(f"| {shape} | {mix} | {size:.0f} MiB | {cold:.2f} s | {cached:.2f} s | {chosen:.2f} s | {timed:.0f} "
                   f"| {peak:.0f} MiB | {held:.0f} MiB |")
    out.append("")


def hear_and_see(out, arguments, folder):
    """The towers of towers.py, once each: on lavapipe a pass takes seconds."""
    quantize = arguments.reference / "llama.cpp/build/bin/llama-quantize"
    text = folder / "text.gguf"
    models.text(text, vocab=1024, context=2048, **towers.TEXT)
    out.append("### Towers on the GPU\n")
    out.append(f"A picture of 512 x 512 and {towers.SECONDS} s of sound in the towers of the part about towers, Q8_0: one pass by "
               "`lorgnette bench` after one to warm up, on the GPU and on the processor.\n")
    out.append("| tower | GPU | processor |")
    out.append("|---|---|---|")
    shapes = {"vision": (models.mmproj, towers.SMOLVLM, "image encode, 64 tokens"),
              "audio": (models.ultravox, towers.WHISPER_SMALL, f"audio encode, {towers.SECONDS} s")}
    for name, (make, shape, test) in shapes.items():
        mmproj = towers.files(folder, quantize, name, make, **shape)["Q8_0"]
        on_gpu, on_cpu = (medians(ours(arguments, text, "--mmproj", mmproj, backend=backend))[test] for backend in ("gpu", "cpu"))
        out.append(f"| {name} | {on_gpu:.0f} ms | {on_cpu:.0f} ms |")
    out.append("")


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--shapes", nargs="+", choices=runtime.SHAPES, default=["135M"])
    parser.add_argument("--peer", type=pathlib.Path, help="llama-bench with its Vulkan backend, where it is not in the folder")
    arguments = parser.parse_args()
    arguments.peer = arguments.peer or arguments.reference / "llama.cpp/build-vulkan/bin/llama-bench"
    # The peer does not list an adapter of software unless it is named.
    os.environ.setdefault("GGML_VK_VISIBLE_DEVICES", "0")
    out = []
    with tempfile.TemporaryDirectory(dir=arguments.reference) as folder:
        folder = pathlib.Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        adapter = doctor(arguments)["adapters"][0]
        arguments.prompt, arguments.generate = LENGTHS[adapter["software"]]
        files = runtime.make_models(arguments.lorgnette, folder, arguments.shapes, MIXES)
        report.settle()
        peer = speed(out, arguments, files, adapter)
        start(out, arguments, files, folder)
        hear_and_see(out, arguments, folder)
    named = f"llama.cpp {peer['build_commit']}, {peer['backends']} on {peer['gpu_info']}"
    report.write(arguments.output, "gpu", "On the GPU", out, lambda: named)


if __name__ == "__main__":
    main()
