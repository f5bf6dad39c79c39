"""What of a column is compared: counts of two profiles over the same bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.monitoring.limits import FEWEST_REFERENCE
from mlops_mlflow.core.profiles import ColumnProfile

RARE = 4 * FEWEST_REFERENCE
"""Rows of the reference; the counts of categories with fewer are off by more than a tenth."""


@dataclass(frozen=True)
class Cells:
    """Rows with a value, by bin.

    Bins of numbers, and of the lengths of texts, are in their order; those of categories begin with all that are not
    listed, then rare ones by name, then the others from the rarest to the most frequent.

    Attributes:
        reference: Shape (bins,).
        window: Shape (bins,).
    """

    reference: NDArray[np.int64]
    window: NDArray[np.int64]


def cells(reference: ColumnProfile | None, window: ColumnProfile | None) -> Cells | str:
    """Counts of both profiles over the reference's bins, or the reason why they cannot be compared."""
    if reference is None or window is None:
        return f"the {'reference' if reference is None else 'window'} has no such column"
    if reference.kind == "datetime":
        return "times always move on, and are not compared"
    if reference.rows <= reference.missing or window.rows <= window.missing:
        empty = "reference" if reference.rows <= reference.missing else "window"
        return f"the {empty} has no value in this column"
    if reference.kind != window.kind:
        return f"{reference.kind} in the reference and {window.kind} in the window"
    return by_level(reference, window) if reference.kind in ("categorical", "boolean") else _by_bin(reference, window)


def by_level(reference: ColumnProfile, window: ColumnProfile) -> Cells:
    """Counts by category, all others first.

    Neighbours may be put together, and should be alike. But the reference's counts of rare categories are luck: in
    their order those that were unlucky would come together, and look as if they had become more since. Names know
    nothing of luck.

    Where categories are many, the listed ones are those that came most often in the reference, some of them by luck;
    rare ones would look as if they had become rarer since. They count among the others.
    """
    fewest = RARE if reference.other else 0
    listed = [(value, count) for value, count in reference.categories if count >= fewest]
    kept = sorted(listed, key=lambda one: (one[1] if one[1] >= RARE else 0, one[0]))
    there = dict(window.categories)
    before, now = [count for _, count in kept], [there.get(value, 0) for value, _ in kept]
    rest = reference.rows - reference.missing - sum(before), window.rows - window.missing - sum(now)
    return Cells(np.array([rest[0], *before]), np.array([rest[1], *now]))


def _by_bin(reference: ColumnProfile, window: ColumnProfile) -> Cells | str:
    if reference.histogram is None or window.histogram is None or reference.histogram.edges != window.histogram.edges:
        return "the window was not profiled over the reference's bins"
    return Cells(np.array(reference.histogram.counts), np.array(window.histogram.counts))
