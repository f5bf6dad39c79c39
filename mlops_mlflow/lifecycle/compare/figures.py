"""Figures of several models on the same rows, and how far they are apart, each with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.bootstrap import Interval, block_interval
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.learning.problem import slice_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Outcome = Literal["better", "worse", "unclear", "equal", "unknown"]


@dataclass(frozen=True)
class Figure:
    """A figure and where it would lie in 95 of 100 such samples; None where that cannot be told."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True)
class Compared:
    """One metric of all sides.

    Attributes:
        metric: Its name.
        figures: One for each side.
        apart: The first side's figure less each other's, without the first; empty where rows differ.
    """

    metric: str
    figures: tuple[Figure, ...]
    apart: tuple[Figure, ...] = ()

    def outcome(self, place: int = 0) -> Outcome:
        """How the first side stands against another; ``unclear`` where the interval holds both signs."""
        return "unknown" if not self.apart else judged(self.metric, self.apart[place])


@dataclass(frozen=True)
class ComparedSlice:
    """The rows of one value of a column."""

    column: str
    value: str
    rows: int
    compared: Compared


def judged(metric: str, apart: Figure) -> Outcome:
    """What a difference says of the first of two models."""
    if np.isnan(apart.value):
        return "unknown"
    if apart.value == 0:
        return "equal"
    if apart.interval is None or apart.interval.holds(0.0):
        return "unclear"
    return "better" if (apart.value > 0) == CATALOGUE[metric].higher_is_better else "worse"


def compared(metrics: Iterable[str], made: Sequence[Predictions], blocks: Ints, *, seed: int) -> list[Compared]:
    """Measure models on the same rows.

    Args:
        metrics: Which.
        made: Predictions of each model, of the same rows in the same order.
        blocks: What intervals resample, shape (rows,).
        seed: Of the draws, which are the same for all models.
    """
    return [_compared(metric, made, blocks, seed) for metric in metrics]


def _compared(metric: str, made: Sequence[Predictions], blocks: Ints, seed: int) -> Compared:
    values = [measure(metric, one) for one in made]
    drawn = [_drawn(metric, one, blocks, seed) for one in made]
    figures = [Figure(value, _interval(draws, blocks, seed)) for value, draws in zip(values, drawn, strict=True)]
    apart = [
        Figure(values[0] - value, _interval([a - b for a, b in zip(drawn[0], draws, strict=True)], blocks, seed))
        for value, draws in zip(values[1:], drawn[1:], strict=True)
    ]
    return Compared(metric, tuple(figures), tuple(apart))


def _drawn(metric: str, made: Predictions, blocks: Ints, seed: int) -> list[float]:
    """The metric in each draw. Measuring is what takes long, so it is done once for figures and differences."""
    draws: list[float] = []

    def one(weight: Floats) -> float:
        draws.append(measure(metric, made, weight))
        return draws[-1]

    block_interval(one, blocks, seed=seed)
    return draws


def _interval(draws: Sequence[float], blocks: Ints, seed: int) -> Interval | None:
    """The interval of a statistic whose value in each draw is known: the same seed makes the same draws again."""
    following = iter(draws)
    return block_interval(lambda _: next(following), blocks, seed=seed)


def in_slices(
    metrics: Iterable[str],
    made: Sequence[Predictions],
    column: pd.Series[str],
    minimum: int,
    blocks: Ints,
    *,
    seed: int,
) -> list[ComparedSlice]:
    """The same for each value of a column that has enough rows, the largest first."""
    metrics = list(metrics)
    return [
        ComparedSlice(str(column.name), value, len(inside), one)
        for value, inside in slice_rows(column, minimum)
        for one in compared(metrics, [side.take(inside) for side in made], blocks[inside], seed=seed)
    ]


def as_logged(metrics: Iterable[str], logged: Sequence[Mapping[str, float]], *, same_rows: bool) -> list[Compared]:
    """Figures as the runs hold them, some with an interval; without differences where the rows are not the same."""
    found = []
    for metric in metrics:
        figures = [_logged(metric, one) for one in logged]
        if any(np.isfinite(one.value) for one in figures):
            apart = [Figure(figures[0].value - one.value) for one in figures[1:]] if same_rows else []
            found.append(Compared(metric, tuple(figures), tuple(apart)))
    return found


def _logged(metric: str, logged: Mapping[str, float]) -> Figure:
    low, high = (logged.get(f"{metric}_{end}") for end in ("low", "high"))
    around = None if low is None or high is None else Interval(low, high, 0)
    return Figure(logged.get(metric, float("nan")), around)
