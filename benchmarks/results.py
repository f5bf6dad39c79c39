"""Run every benchmark and write down what it printed.

usage: python -m benchmarks.results
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from benchmarks.__main__ import NAMES
from benchmarks.timing import HERE

HEAD = """# Results

Written by `make bench`. Ratios compare sides of one run on one machine; absolute figures are those of this machine:
{cores} cores, Python {python}, {system}.
"""


def main() -> None:
    """Every benchmark in a process of its own: the memory of one must not count for another."""
    parts = [HEAD.format(cores=os.cpu_count(), python=platform.python_version(), system=platform.system())]
    for name in NAMES:
        done = subprocess.run(  # noqa: S603  # a command of ours
            [sys.executable, "-m", "benchmarks", name], check=True, stdout=subprocess.PIPE, text=True
        )
        parts.append(f"## {name}\n\n```text\n{done.stdout.strip()}\n```\n")
    (HERE / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
