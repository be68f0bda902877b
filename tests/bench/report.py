"""What the benchmarks share: how a program is measured, and docs/benchmarks.md, of which each writes its own part."""

import argparse
import os
import pathlib
import platform
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))

# In the order they stand in the page.
PARTS = ["runtime", "gpu", "towers", "live", "listening", "quantize", "capture", "contemplating"]
HEAD = "# Benchmarks\n\nWritten by `make bench`, `make gpu-bench`, `make live-bench`, `make listening-bench`,\n`make device-bench` and `make cloud-bench`; do not edit.\n"


def run(command):
    """Seconds and peak resident MiB of one run."""
    measure = [sys.executable, "-S", "-E", pathlib.Path(__file__).with_name("measure.py")]
    output = subprocess.check_output([str(word) for word in measure + command])
    seconds, peak = output.split()
    return float(seconds), int(peak) / 2**20


def parser(description):
    """What every benchmark is told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--reference", type=pathlib.Path, required=True, help="folder that tests/parity/set-up filled")
    parser.add_argument("--lorgnette", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser


def settle():
    """What one program leaves to be written must not be paid by the next."""
    os.sync()


def machine():
    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}"


def llama_cpp():
    version = (pathlib.Path(__file__).parents[1] / "parity/llama.cpp.txt").read_text().strip()
    return f"llama.cpp of {version}, built natively (`GGML_NATIVE=ON`)"


def write(page, part, title, lines, peer=llama_cpp):
    """Puts `lines` into their part of `page`; the other parts stay. `peer` names what was measured beside lorgnette."""
    written = page.read_text() if page.exists() else ""
    parts = dict(re.findall(r"<!-- (\w+) -->\n(.*?)<!-- end -->\n", written, re.DOTALL))
    facts = [f"- machine: {machine()}"] + ([f"- peer: {peer()}"] if peer else [])
    head = [f"## {title}\n", "\n".join(facts) + "\n"]
    parts[part] = "\n".join(head + lines).rstrip("\n") + "\n"
    blocks = [f"\n<!-- {name} -->\n{parts[name]}<!-- end -->\n" for name in PARTS if name in parts]
    page.write_text(HEAD + "".join(blocks))


def write_tables(description, part, title, explained):
    """The whole of a benchmark that is a command which prints its tables."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("bench", nargs="+", help="the command that prints the tables")
    arguments = parser.parse_args()
    tables = subprocess.check_output(arguments.bench, text=True)
    write(arguments.output, part, title, [explained, tables], peer=None)
