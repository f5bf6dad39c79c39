"""From a profile's histogram, whose bins hold equally many rows, to one whose bins are equally wide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.profiles import ColumnProfile

Floats = NDArray[np.float64]

BINS = 24
_LONG_TAIL = 2.0  # times the distance of the 1st from the 99th percentile


def evened(column: ColumnProfile, *, whole: bool) -> tuple[list[float], list[float]] | None:
    """Edges and rows of equally wide bins, rows spread evenly within each of the profile's bins.

    Args:
        column: Its profile.
        whole: Whether the outermost values may be shown; otherwise, and where they lie far out, the picture covers the
            middle 98 % of the rows.

    Returns:
        Edges, shape (bins + 1,), and rows, shape (bins,); None where the profile has no histogram.
    """
    if column.histogram is None or not column.histogram.edges:
        return None
    given = np.array(column.histogram.edges, dtype=float)
    low, high = _ends(column, given, whole=whole)
    bounds = np.concatenate([[min(low, given[0])], given, [max(high, given[-1])]])
    below = np.concatenate([[0.0], np.cumsum(column.histogram.counts)])
    ends = np.linspace(low, high, BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    heights = np.interp(ends, bounds, below)
    if ends[0] <= given[0]:
        heights[0] = 0.0  # many equal values at the lower end belong to the first bin
    if ends[-1] >= given[-1]:
        heights[-1] = below[-1]
    return ends.tolist(), np.diff(heights).tolist()


def _ends(column: ColumnProfile, given: Floats, *, whole: bool) -> tuple[float, float]:
    quantiles = dict(column.quantiles)
    inner = quantiles.get(0.01, float(given[0])), quantiles.get(0.99, float(given[-1]))
    outer = [
        float(v) if isinstance(v, int | float) else i
        for v, i in zip((column.minimum, column.maximum), inner, strict=True)
    ]
    if not whole or max(inner[0] - outer[0], outer[1] - inner[1]) > _LONG_TAIL * (inner[1] - inner[0]):
        return inner
    return outer[0], outer[1]
