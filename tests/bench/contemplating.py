"""Measures what contemplating costs on this machine and writes its part of docs/benchmarks.md."""

import report

EXPLAINED = (
    "Against the server of the tests, on loopback and in the same thread: its work is part of the figures. Without a "
    "critic, so that a question takes a plan, its agents, and a writer. \"One after the other\" is the same endpoint with "
    "`at_once = 1`.\n"
)


if __name__ == "__main__":
    report.write_tables(__doc__, "contemplating", "Contemplating", EXPLAINED)
