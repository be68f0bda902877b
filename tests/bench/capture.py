"""Measures what capture costs on this machine and writes its part of docs/benchmarks.md."""

import report

EXPLAINED = (
    "The fake camera of the tests at the pace of a real one, its copy of each picture included, for five seconds each. "
    "The newest frame is taken, judged by the gate, and decoded in colour if it is worth it; \"brightness\" is what has to "
    "be decoded for the gate. Medians in milliseconds, where nothing else is said.\n"
)


if __name__ == "__main__":
    report.write_tables(__doc__, "capture", "Capture", EXPLAINED)
