"""How good a version was on its test rows: figures with their errors, which windows are held against.

The error of a figure is the standard deviation over draws of whole blocks (days), since rows of one day are alike,
widened by what draws from so few blocks are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.bootstrap import DRAWS
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.plain import from_plain, to_plain

Ints = NDArray[np.int64]

FILE = "reference_performance.json"
"""Its name among the files of a model."""
VERSION = 1
MOST_DRAWN = 100_000
"""Rows that are resampled; of more, so many evenly drawn: their error is a little greater than that of all."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its standard error.

    Attributes:
        figure: The metric; None where it is not defined.
        error: Its standard error; None where that cannot be told, as of one block.
        rows: Rows that it stands on.
        blocks: Blocks that these rows are of.
    """

    figure: float | None
    error: float | None
    rows: int
    blocks: int


@dataclass(frozen=True)
class Slice:
    """Rows that have one value in a column.

    Attributes:
        column: The column.
        value: The value, as text.
        rows: Places of the rows.
    """

    column: str
    value: str
    rows: Ints


@dataclass(frozen=True)
class SliceFigures:
    """Figures of one slice, by metric."""

    column: str
    value: str
    figures: Mapping[str, Estimate]


@dataclass(frozen=True)
class ReferencePerformance:
    """How good a version was on its test rows.

    Attributes:
        block: What was resampled: ``day``, ``row``, or the column of a group.
        figures: Of all rows, by metric.
        slices: Of slices with enough rows.
    """

    block: str
    figures: Mapping[str, Estimate]
    slices: tuple[SliceFigures, ...] = ()

    def of(self, column: str, value: str) -> Mapping[str, Estimate]:
        """Figures of a slice; none where it had too few rows."""
        return next((one.figures for one in self.slices if (one.column, one.value) == (column, value)), {})

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {"version": VERSION, **to_plain(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> ReferencePerformance:
        """From what ``to_dict`` gave.

        Raises:
            ValueError: It is something else.
        """
        if plain.get("version") != VERSION:
            raise ValueError(f"a reference performance of version {plain.get('version')!r}, not {VERSION}")
        return from_plain(cls, {name: value for name, value in plain.items() if name != "version"})


def reference_performance(
    made: Predictions,
    blocks: Ints,
    block: str,
    *,
    metrics: Iterable[str],
    slices: Iterable[Slice],
    slice_metrics: Iterable[str],
    seed: int,
) -> ReferencePerformance:
    """The reference of a version, from its test rows.

    Args:
        made: What it said of them.
        blocks: Block of each row, shape (rows,).
        block: What the blocks are.
        metrics: Of all rows.
        slices: Those that windows will be looked at by.
        slice_metrics: Of slices.
        seed: Of the draws.
    """
    figures = estimates(metrics, made, blocks, seed=seed)
    return ReferencePerformance(block, figures, slice_estimates(slice_metrics, made, blocks, slices, seed=seed))


def estimates(metrics: Iterable[str], made: Predictions, blocks: Ints, *, seed: int) -> dict[str, Estimate]:
    """Several metrics with their errors.

    Args:
        metrics: Which.
        made: Outcomes beside what a model said.
        blocks: Block of each row, shape (rows,).
        seed: Of the draws.
    """
    names, count = list(metrics), len(np.unique(blocks))
    errors = _errors(names, made, blocks, seed)
    return {
        name: Estimate(_defined(measure(name, made)), error, len(made), count)
        for name, error in zip(names, errors, strict=True)
    }


def slice_estimates(
    metrics: Iterable[str], made: Predictions, blocks: Ints, slices: Iterable[Slice], *, seed: int
) -> tuple[SliceFigures, ...]:
    """The same for each of some slices."""
    names = list(metrics)
    return tuple(
        SliceFigures(one.column, one.value, estimates(names, made.take(one.rows), blocks[one.rows], seed=seed))
        for one in slices
    )


def _errors(names: Sequence[str], made: Predictions, blocks: Ints, seed: int) -> Iterator[float | None]:
    """Standard error of each metric; None of one block, or where few draws define it."""
    random = np.random.default_rng(seed)
    if len(made) > MOST_DRAWN:
        places = np.sort(random.choice(len(made), MOST_DRAWN, replace=False))
        made, blocks = made.take(places), blocks[places]
    blocks = np.unique(blocks, return_inverse=True)[1]
    count = int(blocks.max(initial=-1)) + 1
    if count < 2:
        yield from (None for _ in names)
        return
    draws = (np.bincount(random.integers(0, count, count), minlength=count).astype(float) for _ in range(DRAWS))
    figures = np.array([[measure(name, made, drawn[blocks]) for name in names] for drawn in draws])
    for column in figures.T:
        defined = column[np.isfinite(column)]
        enough = len(defined) > DRAWS / 2
        yield float(np.std(defined)) * math.sqrt(count / (count - 1)) if enough else None


def _defined(figure: float) -> float | None:
    return float(figure) if math.isfinite(figure) else None
