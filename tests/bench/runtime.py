"""Measures lorgnette's runtime beside llama.cpp on this machine and writes its part of docs/benchmarks.md.

The models have the shapes of real ones and random weights; what is computed does not depend on them. The two programs
take turns on the same file with the same number of threads, and medians are reported.
"""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import report  # noqa: I001 # it says where models are
import models

SHAPES = {
    "135M": dict(width=576, feed_forward=1536, layers=30, heads=9, kv_heads=3),
    "360M": dict(width=960, feed_forward=2560, layers=32, heads=15, kv_heads=5),
    "428M": dict(width=1024, feed_forward=4096, layers=24, heads=16, kv_heads=8),
}
VOCABULARY = 49152
MIXES = ["Q8_0", "Q4_0", "Q4_K_M"]
PROMPT, GENERATE = 512, 64
# Sixteen tokens: the pre-tokenizer cuts digits apart.
QUESTION = "3141592653589793"
CONTEXT = 4096


class Tools:
    def __init__(self, arguments):
        built = arguments.reference / "llama.cpp/build/bin"
        self.lorgnette = arguments.lorgnette
        self.bench, self.completion = built / "llama-bench", built / "llama-completion"
        self.threads = arguments.threads


def document(command):
    return json.loads(subprocess.check_output([str(word) for word in command], stderr=subprocess.DEVNULL))


def our_speeds(tools, model):
    """Tokens a second of prefill and decode."""
    tests = document([tools.lorgnette, "bench", "--model", model, "--prompt", PROMPT, "--generate", GENERATE,
                      "--repetitions", 1, "--threads", tools.threads, "--json"])["tests"]
    found = {test["test"]: test["median"] for test in tests}
    return found[f"pp{PROMPT}"], found[f"tg{GENERATE}"]


def their_speeds(tools, model):
    tests = document([tools.bench, "-m", model, "-p", PROMPT, "-n", GENERATE, "-r", 1, "-t", tools.threads, "-o", "json"])
    found = {(test["n_prompt"], test["n_gen"]): test["avg_ts"] for test in tests}
    return found[PROMPT, 0], found[0, GENERATE]


def speed(out, tools, files, rounds):
    out.append(f"### Speed, {tools.threads} threads\n")
    out.append(f"Tokens a second: prefill of {PROMPT}, decode of {GENERATE} from an empty context; `lorgnette bench` and "
               f"llama-bench, medians of {rounds} runs each, in turns.\n")
    out.append("| shape | mix | prefill: lorgnette | llama.cpp | ratio | decode: lorgnette | llama.cpp | ratio |")
    out.append("|---|---|---|---|---|---|---|---|")
    for (shape, mix), model in files.items():
        turns = [(our_speeds(tools, model), their_speeds(tools, model)) for _ in range(rounds)]
        cells = []
        for test in range(2):
            ours, theirs = (statistics.median(turn[tool][test] for turn in turns) for tool in range(2))
            cells += [f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}x"]
        out.append(f"| {shape} | {mix} | " + " | ".join(cells) + " |")
    out.append("")


def cold_start(out, tools, files, rounds):
    out.append("### Cold start\n")
    out.append(f"A whole process: start, load, a prompt of {len(QUESTION)} tokens, one token, end. `lorgnette ask --max-tokens 1` "
               "and `llama-completion -n 1 --no-warmup` with a context of 512, the file in the page cache, medians of "
               f"{rounds} runs each, in turns.\n")
    out.append("| shape | mix | lorgnette | llama.cpp | ratio |")
    out.append("|---|---|---|---|---|")
    for (shape, mix), model in files.items():
        ours = [tools.lorgnette, "ask", "--model", model, "--max-tokens", 1, "--threads", tools.threads, "--json", QUESTION]
        theirs = [tools.completion, "--model", model, "--prompt", QUESTION, "-n", 1, "--no-warmup", "-no-cnv",
                  "--ctx-size", 512, "--threads", tools.threads]
        found = document(ours)["prompt_tokens"]
        assert found == len(QUESTION), f"the prompt has {found} tokens"
        turns = [(report.run(ours)[0], report.run(theirs)[0]) for _ in range(rounds)]
        a, b = (statistics.median(turn[tool] for turn in turns) for tool in range(2))
        out.append(f"| {shape} | {mix} | {a * 1000:.0f} ms | {b * 1000:.0f} ms | {b / a:.2f}x |")
    out.append("")


def memory(out, tools, files):
    out.append("### Peak memory\n")
    out.append(f"Most that was resident, the mapped file included, with a context of {CONTEXT} tokens filled in one prompt: "
               "`lorgnette bench` and llama-bench. Both keep keys and values in F16.\n")
    out.append("| shape | mix | file | lorgnette | llama.cpp |")
    out.append("|---|---|---|---|---|")
    for (shape, mix), model in files.items():
        ours = [tools.lorgnette, "bench", "--model", model, "--prompt", CONTEXT, "--generate", 1, "--repetitions", 1,
                "--threads", tools.threads]
        theirs = [tools.bench, "-m", model, "-p", CONTEXT, "-n", 1, "-r", 1, "-t", tools.threads]
        size = model.stat().st_size / 2**20
        out.append(f"| {shape} | {mix} | {size:.0f} MiB | {report.run(ours)[1]:.0f} MiB | {report.run(theirs)[1]:.0f} MiB |")
    out.append("")


def make_models(lorgnette, folder, shapes, mixes=MIXES):
    """A file for each shape and mix."""
    files = {}
    for shape in shapes:
        source = folder / "source.gguf"
        models.text(source, vocab=VOCABULARY, context=2 * CONTEXT, **SHAPES[shape])
        for mix in mixes:
            files[shape, mix] = folder / f"{shape}-{mix}.gguf"
            report.run([lorgnette, "quantize", source, files[shape, mix], "--type", mix])
        source.unlink()
    return files


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    arguments = parser.parse_args()
    tools = Tools(arguments)
    out = []
    with tempfile.TemporaryDirectory(dir=arguments.reference) as folder:
        files = make_models(arguments.lorgnette, pathlib.Path(folder), arguments.shapes)
        report.settle()
        smallest = {key: model for key, model in files.items() if key[0] == arguments.shapes[0]}
        speed(out, tools, files, arguments.rounds)
        cold_start(out, tools, smallest, arguments.rounds)
        memory(out, tools, smallest)
    report.write(arguments.output, "runtime", "Answering", out)


if __name__ == "__main__":
    main()
