"""False alarms of drift and feed, and shifts that they find, on batches whose truth is known.

Batches are drawn from the distribution itself and not from the reference's rows, so that the reference is a sample too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import watching
from benchmarks.report import Figure
from benchmarks.timing import fresh, say
from mlops_mlflow.core.monitoring.drift import drift_signals
from mlops_mlflow.core.monitoring.feed import feed_signals
from mlops_mlflow.core.monitoring.health import Health, Signal
from mlops_mlflow.core.profiles import ColumnProfile, Histogram, TableProfile
from mlops_mlflow.core.usecase.data import Contract

Batch = Mapping[str, NDArray[np.float64]]

REFERENCE_ROWS = 50_000
SIZES, BATCHES = (30, 100, 500, 5_000), 2_000
SHIFT, SHIFTED, SHIFT_ROWS, SHIFT_DRAWS = 0.5, {"normal_0", "normal_2", "normal_7"}, 1_000, 200
NORMALS, NULL_SHARES = 10, {"normal_1": 0.05, "normal_2": 0.2}


def _shares(levels: int, slope: float) -> NDArray[np.float64]:
    weights = np.arange(1, levels + 1) ** -slope
    return weights / weights.sum()


CATEGORIES = {"three": _shares(3, 1.0), "ten": _shares(10, 0.5), "fifty": _shares(50, 0.5), "zipf": _shares(1_000, 1.0)}


@dataclass(frozen=True)
class Found:
    """What came of one batch: columns that warn or alarm, those that alarm, and how many judgements were not made."""

    flagged: frozenset[str]
    alarmed: frozenset[str]
    unjudged: int
    judged: int


def measure(*, repeats: int, quick: bool) -> list[Figure]:  # noqa: ARG001  # as every benchmark is called
    """Shares of batches, and of windows of streams; seeds are fixed, so nothing would come of repeating."""
    reference = reference_profile(fresh("alarms"))
    quiet = {}
    for rows in SIZES:
        say(f"{BATCHES:,} batches of {rows:,} rows without a change")
        quiet[rows] = [judged(reference, batch) for batch in batches(rows, BATCHES)]
    say(f"{SHIFT_DRAWS} batches of {SHIFT_ROWS:,} rows, {len(SHIFTED)} columns shifted")
    shifted = [judged(reference, moved(batch)) for batch in batches(SHIFT_ROWS, SHIFT_DRAWS)]
    return [*figures(quiet, shifted), *([] if quick else watching.measured())]


def figures(quiet: Mapping[int, list[Found]], shifted: list[Found]) -> list[Figure]:
    """Of batches by their size, and of shifted ones."""
    false = {rows: sum(bool(one.flagged) for one in found) / len(found) for rows, found in quiet.items()}
    unjudged = {
        rows: sum(one.unjudged for one in found) / sum(one.unjudged + one.judged for one in found)
        for rows, found in quiet.items()
    }
    warned = [one.flagged >= SHIFTED for one in shifted]
    alarmed = [one.alarmed >= SHIFTED for one in shifted]
    return [
        *(Figure(f"false_alarm_share_{rows}", share, f"false alarms, {rows:,} rows") for rows, share in false.items()),
        Figure("worst_false_alarm_share", max(false.values()), "false alarms, worst size", "", "≤ 0.05, aim 0.02"),
        Figure("detection_share", sum(warned) / len(warned), "shifts: all three columns warn or alarm", "", "≥ 0.95"),
        Figure("detection_alarm_share", sum(alarmed) / len(alarmed), "shifts: all three columns alarm"),
        Figure("insufficient_share", max(unjudged.values()), "judgements not made, worst size"),
    ]


def judged(reference: TableProfile, batch: Batch) -> Found:
    """Drift and feed of one batch, small as it may be."""
    window, names = profiled(reference, batch), [column.name for column in reference.columns]
    drift = drift_signals(reference, window, importances=dict.fromkeys(names, 1.0), minimum_rows=1)
    feed = feed_signals(reference, window, columns=names, contract=Contract(), minimum_rows=1)
    signals = [*drift, *(signal for signal in feed if signal.method != "volume")]  # batches have no other windows
    return Found(_loud(signals, "warning", "alarm"), _loud(signals, "alarm"), *_judgements(signals))


def _loud(signals: list[Signal], *health: Health) -> frozenset[str]:
    return frozenset(signal.subject for signal in signals if signal.health in health)


def _judgements(signals: list[Signal]) -> tuple[int, int]:
    unjudged = sum(signal.health == "insufficient data" for signal in signals)
    return unjudged, len(signals) - unjudged


def batches(rows: int, count: int) -> Iterator[Batch]:
    """Batches of this size, the same ones each time."""
    for number in range(count):
        yield drawn(np.random.default_rng((rows, number)), rows)


def drawn(random: np.random.Generator, rows: int) -> Batch:
    """Twenty columns of mixed kinds; categories by their number."""
    table = {f"normal_{number}": random.normal(number, 1 + number, rows) for number in range(NORMALS)}
    for name, share in NULL_SHARES.items():
        table[name][random.random(rows) < share] = np.nan
    table |= {"lognormal_0": random.lognormal(0, 1, rows), "lognormal_1": random.lognormal(3, 0.5, rows)}
    table |= {"poisson": random.poisson(20, rows), "whole": random.integers(0, 1_000, rows)}
    table |= {"grade": random.binomial(4, 0.4, rows), "flag": random.random(rows) < 0.3}
    for name, shares in CATEGORIES.items():
        table[name] = np.searchsorted(np.cumsum(shares)[:-1], random.random(rows), side="right")
    return table


def moved(batch: Batch) -> Batch:
    """Some columns shifted by half a standard deviation."""
    return {name: values + SHIFT * np.nanstd(values) if name in SHIFTED else values for name, values in batch.items()}


def reference_profile(folder: Path) -> TableProfile:
    """As the stage ``prepare`` makes it, of rows that no batch has."""
    return written_profile(folder / "reference.parquet", drawn(np.random.default_rng(0), REFERENCE_ROWS), None)


def written_profile(path: Path, batch: Batch, reference: TableProfile | None) -> TableProfile:
    """By way of a file, as windows of production are profiled."""
    import pyarrow.parquet as pq

    from mlops_mlflow.engines.profile import profile

    pq.write_table(arrow(batch), path)
    return profile(path, target=None, event_time=None, reference=reference)


def arrow(batch: Batch) -> Any:
    """As an Arrow table, categories by their names."""
    import pyarrow as pa

    columns = {
        name: pa.array(_names(values) if name in CATEGORIES else values, from_pandas=True)
        for name, values in batch.items()
    }
    return pa.table(columns)


def _names(numbers: NDArray[np.float64]) -> list[str]:
    return [f"level {number}" for number in numbers]


def profiled(reference: TableProfile, batch: Batch) -> TableProfile:
    """What ``engines.profile`` says of the batch, a hundred times faster for want of a file; without quantiles."""
    columns = (_column(known, batch[known.name]) for known in reference.columns)
    return TableProfile(rows=len(next(iter(batch.values()))), columns=tuple(columns))


def _column(known: ColumnProfile, values: NDArray[np.float64]) -> ColumnProfile:
    held = values[~np.isnan(values)] if known.name in NULL_SHARES else values
    counts = {"rows": len(values), "missing": len(values) - len(held), "distinct": len(np.unique(held))}
    plain = replace(known, **counts, minimum=None, maximum=None, mean=None, std=None, quantiles=())
    if known.histogram is None:
        return _levels(plain, held)
    if not len(held):
        return replace(plain, histogram=Histogram(known.histogram.edges, (0,) * len(known.histogram.counts)))
    bins = np.bincount(np.searchsorted(known.histogram.edges, held), minlength=len(known.histogram.counts))
    return replace(
        plain,
        minimum=float(held.min()),
        maximum=float(held.max()),
        mean=float(held.mean()),
        std=float(held.std()),
        histogram=Histogram(known.histogram.edges, tuple(bins.tolist())),
    )


def _levels(plain: ColumnProfile, held: NDArray[np.float64]) -> ColumnProfile:
    by_number = np.bincount(held.astype(int), minlength=len(CATEGORIES.get(plain.name, (0, 1)))).tolist()
    names = _names(np.arange(len(by_number))) if plain.name in CATEGORIES else ["false", "true"]
    there = dict(zip(names, by_number, strict=True))
    listed = sorted(((value, there[value]) for value, _ in plain.categories), key=lambda item: (-item[1], item[0]))
    return replace(plain, categories=tuple(listed), other=len(held) - sum(count for _, count in listed))
