"""What a stage costs beyond its own work: seconds per stage, bookkeeping of trials, memory."""

from __future__ import annotations

from benchmarks import memory
from benchmarks.report import Figure


def measure(*, repeats: int, quick: bool) -> list[Figure]:
    """Memory first, while this process is small; then what is measured inside of it."""
    peaks = [] if quick else memory.measure()
    from benchmarks import stages, trials

    return stages.measure(repeats=repeats) + trials.measure(repeats=repeats) + peaks
