"""Measures what capture costs on this machine and writes its part of docs/benchmarks.md."""

import argparse
import pathlib
import subprocess

import report

EXPLAINED = (
    "The fake camera of the tests at the pace of a real one, its copy of each picture included, for five seconds each. "
    "The newest frame is taken, judged by the gate, and decoded in colour if it is worth it; \"brightness\" is what has to "
    "be decoded for the gate. Medians in milliseconds, where nothing else is said.\n"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("bench", nargs="+", help="the command that prints the table")
    arguments = parser.parse_args()
    table = subprocess.check_output(arguments.bench, text=True)
    report.write(arguments.output, "capture", "Capture", [EXPLAINED, table], peer=None)


if __name__ == "__main__":
    main()
