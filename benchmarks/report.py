"""Figures as people and programs read them."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        key: Name in the JSON object.
        value: The figure.
        what: Its meaning, for people.
        unit: Shown behind the figure.
        target: What it should be, for people; empty where nothing is asked.
    """

    key: str
    value: float
    what: str
    unit: str = ""
    target: str = ""


def ratio(above: Iterable[float], below: Iterable[float]) -> float:
    """Median by median; not a number where there is nothing to divide by."""
    divisor = statistics.median(below)
    return statistics.median(above) / divisor if divisor > 0 else math.nan


def table(figures: Sequence[Figure]) -> str:
    """One line per figure: meaning, value with unit, target."""
    rows = [("figure", "value", "target")]
    rows += [(one.what, f"{_short(one.value)} {one.unit}".rstrip(), one.target) for one in figures]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{what:<{wide[0]}}  {value:>{wide[1]}}  {target}".rstrip() for what, value, target in rows]
    return "\n".join([lines[0], "-" * (sum(wide) + 4), *lines[1:]])


def last_line(figures: Sequence[Figure]) -> str:
    """One JSON object in one line; figures that are not finite are null, as JSON has no word for them."""
    plain = {one.key: float(f"{one.value:.6g}") if math.isfinite(one.value) else None for one in figures}
    return json.dumps(plain, allow_nan=False)


def _short(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
