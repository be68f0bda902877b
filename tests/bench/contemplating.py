"""Measures what contemplating costs on this machine and writes its part of docs/benchmarks.md."""

import argparse
import pathlib
import subprocess

import report

EXPLAINED = (
    "Against the server of the tests, on loopback and in the same thread: its work is part of the figures. Without a "
    "critic, so that a question takes a plan, its agents, and a writer. \"One after the other\" is the same endpoint with "
    "`at_once = 1`.\n"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("bench", nargs="+", help="the command that prints the tables")
    arguments = parser.parse_args()
    tables = subprocess.check_output(arguments.bench, text=True)
    report.write(arguments.output, "contemplating", "Contemplating", [EXPLAINED, tables], peer=None)


if __name__ == "__main__":
    main()
