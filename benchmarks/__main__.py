"""``python -m benchmarks NAME``: measure, print a table, and one JSON object as the last line.

A benchmark measures and does not judge: it ends with 0 whenever it ran; targets stand beside the figures.
"""

from __future__ import annotations

import argparse
import importlib

import click

from benchmarks.report import last_line, table

NAMES = {
    "recipes": "one job beside MLflow Recipes 2.22.5, the launcher, and a plain script: cold and cached",
    "overhead": "what a stage costs beyond its own work: seconds, bookkeeping of trials, memory",
    "scoring": "1,000,000 rows scored by `mlops score` beside a plain script; memory for 1 and 4 million",
    "registry": "1,000 models x 20 versions, 100,000 records: decide, status, verify, and MLflow's own calls",
    "alarms": "false alarms on batches without a change, shifts that are found, losses on three real streams",
    "drift": "1,000,000 x 20 rows against a stored profile beside Evidently's drift preset; 100,000,000 rows",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark; without a name, list them."""
    listed = "\n".join(f"  {name:10} {what}" for name, what in NAMES.items())
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description="Side-by-side measurements. Ratios are computed within one run: a busy machine slows both sides.",
        epilog=f"names:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=NAMES, metavar="NAME")
    parser.add_argument("--repeats", type=int, default=3, help="times that each side is measured; medians count")
    parser.add_argument("--quick", action="store_true", help="overhead, scoring: leave out the memory part")
    asked = parser.parse_args(arguments)
    if asked.name is None:
        parser.print_help()
        return 0
    if asked.repeats < 1:
        parser.error("--repeats must be at least 1")
    figures = importlib.import_module(f"benchmarks.{asked.name}").measure(repeats=asked.repeats, quick=asked.quick)
    click.echo(table(figures))
    click.echo(last_line(figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
