"""Measures lorgnette's GPU backend beside llama.cpp's Vulkan backend on the same adapter and writes its part of
docs/benchmarks.md.

Models and turns are those of runtime.py. Without a GPU the adapter is Mesa's lavapipe, which computes on the processor.
"""

import os
import pathlib
import statistics
import tempfile

import report  # noqa: I001 # it says where models are
import runtime

MIXES = ["Q8_0", "Q4_0"]
PROMPT, GENERATE = 16, 16


def our_speeds(lorgnette, model):
    """Tokens a second of prefill and decode."""
    tests = runtime.document([lorgnette, "bench", "--backend", "gpu", "--model", model, "--prompt", PROMPT, "--generate", GENERATE,
                              "--repetitions", 1, "--json"])["tests"]
    found = {test["test"]: test["median"] for test in tests}
    return found[f"pp{PROMPT}"], found[f"tg{GENERATE}"]


def their_tests(bench, model):
    """What the peer says of its own run: prefill, then decode."""
    tests = runtime.document([bench, "-m", model, "-p", PROMPT, "-n", GENERATE, "-r", 1, "-ngl", 99, "-o", "json"])
    return sorted(tests, key=lambda test: test["n_gen"])


def speed(out, arguments, files):
    """Writes the table and returns what the peer says of itself."""
    out.append("### Speed on the GPU\n")
    out.append(f"Tokens a second: prefill of {PROMPT}, decode of {GENERATE} from an empty context; `lorgnette bench --backend gpu` "
               f"and llama-bench `-ngl 99`, medians of {arguments.rounds} runs each, in turns.\n")
    out.append("| shape | mix | prefill: lorgnette | llama.cpp | ratio | decode: lorgnette | llama.cpp | ratio |")
    out.append("|---|---|---|---|---|---|---|---|")
    for (shape, mix), model in files.items():
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            ours.append(our_speeds(arguments.lorgnette, model))
            tests = their_tests(arguments.peer, model)
            theirs.append([test["avg_ts"] for test in tests])
        cells = []
        for test in range(2):
            a, b = (statistics.median(turn[test] for turn in turns) for turns in (ours, theirs))
            cells += [f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}x"]
        out.append(f"| {shape} | {mix} | " + " | ".join(cells) + " |")
    out.append("")
    return tests[0]


def start(out, arguments, files, folder):
    """Each run with a folder for caches of its own, then again with what the first left there."""
    out.append("### Start on the GPU\n")
    out.append(f"A whole process: start, load, a prompt of {len(runtime.QUESTION)} tokens, one token, end, by `lorgnette ask "
               "--backend gpu --max-tokens 1`: at first with empty caches, ours and the driver's, then again; and the most "
               f"memory that was resident, which on lavapipe is the GPU's too. Medians of {arguments.rounds} runs.\n")
    out.append("| shape | mix | file | cold | cached | memory |")
    out.append("|---|---|---|---|---|---|")
    for (shape, mix), model in files.items():
        command = [arguments.lorgnette, "ask", "--backend", "gpu", "--model", model, "--max-tokens", 1, "--json", runtime.QUESTION]
        runs = []
        for number in range(arguments.rounds):
            os.environ["XDG_CACHE_HOME"] = str(folder / f"cache-{mix}-{number}")
            runs.append([report.run(command) for _ in range(2)])
        cold, cached = (statistics.median(run[turn][0] for run in runs) for turn in range(2))
        peak = statistics.median(run[1][1] for run in runs)
        size = model.stat().st_size / 2**20
        out.append(f"| {shape} | {mix} | {size:.0f} MiB | {cold:.2f} s | {cached:.2f} s | {peak:.0f} MiB |")
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
        files = runtime.make_models(arguments.lorgnette, folder, arguments.shapes, MIXES)
        report.settle()
        peer = speed(out, arguments, files)
        start(out, arguments, files, folder)
    named = f"llama.cpp {peer['build_commit']}, {peer['backends']} on {peer['gpu_info']}"
    report.write(arguments.output, "gpu", "On the GPU", out, lambda: named)


if __name__ == "__main__":
    main()
