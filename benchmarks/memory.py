"""Peak memory of child processes: a whole lifecycle, and ten million rows up to training on a sample of them."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.report import Figure
from benchmarks.timing import HERE, MLOPS, WORK, Measured, fresh, run, say


def measure() -> list[Figure]:
    """Both peaks. The process that asks must be small still: Linux counts its memory to its children's peaks."""
    flights, million = _flights(), _ten_million()
    return [
        Figure("peak_mb", max(flights, million), "peak memory, the larger of both", "MB"),
        Figure("peak_mb_flights", flights, "336,776 x 30 flights, whole lifecycle", "MB", "≤ 2,000"),
        Figure(
            "peak_mb_ten_million",
            million,
            "10,000,000 x 12 rows: extract, explore, prepare, train on a sample",
            "MB",
            "≤ 4,000",
        ),
    ]


def _flights() -> float:
    say("memory: the whole lifecycle of 336,776 x 30 flights")
    return _told(run((*MLOPS, "."), folder=fresh("joined", HERE / "joined")))


def _ten_million() -> float:
    data = _payments()
    folder = fresh("ten_million", HERE / "ten_million")
    (folder / data.name).symlink_to(data)
    peaks = []
    for stage in ("explore", "train"):  # each takes over what ran before it
        say(f"memory: {stage} of 10,000,000 rows")
        peaks.append(_told(run((*MLOPS, ".", "--stage", stage), folder=folder)))
    return max(peaks)


def _payments() -> Path:
    path = WORK / "payments.parquet"
    if not path.exists():
        say("writing 10,000,000 rows")
        part = path.with_suffix(".part")  # so that what was interrupted is not taken for the whole
        run((sys.executable, str(HERE / "payments_table.py"), str(part)), folder=fresh("payments"))
        part.rename(path)
    return path


def _told(measured: Measured) -> float:
    say(f"  {measured.peak_mb:,.0f} MB, {measured.seconds:.1f} s")
    return measured.peak_mb
