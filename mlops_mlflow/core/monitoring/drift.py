"""Drift: how far each column, and each output of the model, has moved away.

A distance above its limit is more than chance, and is a **warning**: input that moved explains damage, and is none by
itself. It is an **alarm** where, without what chance adds and weighted by how much the model leans on the column, it
still reaches ``SEVERE``: half a standard deviation in the most important column, a whole one in a column half as
important, nothing at all in one that the model hardly looks at. What the model puts out has full weight.

Against the window before, a difference is at most a warning: the way back to normal is a change too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlops_mlflow.core.monitoring.cells import Cells, cells
from mlops_mlflow.core.monitoring.distance import jensen_shannon
from mlops_mlflow.core.monitoring.health import Health, Signal, SignalKind
from mlops_mlflow.core.monitoring.limits import SEVERE, DistanceLimit, distance_limit, groups, per_test
from mlops_mlflow.core.profiles import ColumnProfile, TableProfile

METHOD = "jensen_shannon"


@dataclass(frozen=True)
class _Comparison:
    """A column beside its baseline: counts over groups, or the reason why there are none."""

    kind: SignalKind
    column: str
    weight: float
    rows: int
    counts: Cells | str


def drift_signals(
    reference: TableProfile,
    window: TableProfile,
    *,
    importances: Mapping[str, float],
    outputs: Sequence[str] = (),
    minimum_rows: int,
    previous: TableProfile | None = None,
) -> tuple[Signal, ...]:
    """Judge each column and output.

    Datetime columns, columns that are constant or empty in the reference, and values each of which is too rare to be
    compared give ``insufficient data`` with the reason. Missing values are the feed's matter, as are new levels.

    Args:
        reference: Profile of what the model learned from, with its outputs there.
        window: Profile of the window over the reference's edges and categories.
        importances: Columns to judge, and how much the model leans on each, in any unit; below zero counts as nothing.
        outputs: Further columns to judge: score, predicted class.
        minimum_rows: Columns with fewer values in the window, or in the one before, give ``insufficient data``.
        previous: Profile of the window before over the same edges and categories; gives signals of kind ``change``.

    Returns:
        For each column one signal against the reference and, with ``previous``, one against that; by distance, without
        what chance adds, times importance: greatest first.
    """
    weights = _weights(importances) | dict.fromkeys(outputs, 1.0)
    bases: list[tuple[bool, TableProfile]] = [(False, reference)] + ([(True, previous)] if previous else [])
    compared = [
        _compared(
            "change" if changed else "score" if name in outputs else "drift",
            weight,
            base.column(name) or name,
            window.column(name),
            minimum_rows=minimum_rows,
            least_before=minimum_rows if changed else 0,
        )
        for name, weight in weights.items()
        for changed, base in bases
    ]
    alpha = per_test(sum(isinstance(one.counts, Cells) for one in compared))
    ranked = sorted((_judged(one, alpha) for one in compared), key=lambda found: -found[0])
    return tuple(signal for _, signal in ranked)


def _weights(importances: Mapping[str, float]) -> dict[str, float]:
    """Relative to the greatest; NaN and what is below zero as 0."""
    known = {name: value if value > 0 else 0.0 for name, value in importances.items()}
    greatest = max(known.values(), default=0.0)
    return {name: value / greatest if greatest else 0.0 for name, value in known.items()}


def _compared(
    kind: SignalKind,
    weight: float,
    before: ColumnProfile | str,
    now: ColumnProfile | None,
    *,
    minimum_rows: int,
    least_before: int,
) -> _Comparison:
    name = before if isinstance(before, str) else before.name
    known = None if isinstance(before, str) else before
    rows, rows_before = _held(now), _held(known)
    if now is not None and known is not None and min(rows - minimum_rows, rows_before - least_before) < 0:
        few = f"{rows:,} values" if rows < minimum_rows else f"{rows_before:,} values in the window before"
        return _Comparison(kind, name, weight, rows, f"{few}, fewer than {minimum_rows:,}")
    counts = cells(known, now)
    return _Comparison(kind, name, weight, rows, counts if isinstance(counts, str) else _grouped(counts, rows))


def _held(column: ColumnProfile | None) -> int:
    return 0 if column is None else column.rows - column.missing


def _grouped(counts: Cells, rows: int) -> Cells | str:
    starts = groups(counts.reference, rows)
    if len(starts) < 2:
        return "the reference has all of its values in one bin"
    return Cells(np.add.reduceat(counts.reference, starts), np.add.reduceat(counts.window, starts))


def _judged(one: _Comparison, alpha: float) -> tuple[float, Signal]:
    """The weighted distance without noise, and the signal."""
    if isinstance(one.counts, str):
        return -1.0, Signal(one.kind, one.column, "insufficient data", None, METHOD, None, one.rows, one.counts)
    distance = jensen_shannon(one.counts.reference, one.counts.window)
    limit = distance_limit(one.counts.reference, one.rows, alpha)
    weighted = limit.effect(distance) * one.weight
    health = _health(distance, limit, 0.0 if one.kind == "change" else weighted)
    return weighted, Signal(
        one.kind, one.column, health, distance, METHOD, limit.distance, one.rows, _reason(one, distance, limit)
    )


def _health(distance: float, limit: DistanceLimit, weighted: float) -> Health:
    if limit.distance >= 1.0:
        return "insufficient data"
    if distance <= limit.distance:
        return "ok"
    return "alarm" if weighted >= SEVERE else "warning"


def _reason(one: _Comparison, distance: float, limit: DistanceLimit) -> str:
    base = "the window before" if one.kind == "change" else "the reference"
    if limit.distance >= 1.0:
        return f"{one.rows:,} values tell nothing: any distance to {base} may be chance"
    within = "within" if distance <= limit.distance else "above"
    return f"distance {distance:.3g} to {base}, {within} the limit {limit.distance:.3g} of {one.rows:,} values"
