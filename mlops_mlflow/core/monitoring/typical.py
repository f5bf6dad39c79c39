"""Rows as they might have been: drawn from a profile, column by column, where the real ones are not at hand.

A version carries the profile of its train rows and not the rows. What compares columns one by one, as Evidently's
report does, needs no more than rows with these distributions; how columns go together is not in them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.profiles import ColumnProfile, TableProfile

OTHER = "(other)"


def typical_rows(profile: TableProfile, rows: int, *, seed: int) -> pd.DataFrame:
    """Rows of which each column is distributed as the profile says.

    Numbers are spread evenly between the edges of their bins. Columns of times and texts are left out.

    Args:
        profile: Of the real rows.
        rows: How many to draw.
        seed: Of the draws.
    """
    random = np.random.default_rng(seed)
    drawn = {column.name: _drawn(column, rows, random) for column in profile.columns if column.rows}
    return pd.DataFrame({name: values for name, values in drawn.items() if values is not None})


def _drawn(column: ColumnProfile, rows: int, random: np.random.Generator) -> Any:
    if column.kind == "numeric":
        values: Any = _numbers(column, rows, random)
    elif column.kind in ("categorical", "boolean"):
        values = _levels(column, rows, random)
    else:
        return None
    missing = random.random(rows) < column.missing / column.rows
    return pd.Series(values).mask(missing)


def _numbers(column: ColumnProfile, rows: int, random: np.random.Generator) -> NDArray[np.float64]:
    least, greatest = column.minimum, column.maximum
    if column.histogram is None or not isinstance(least, int | float) or not isinstance(greatest, int | float):
        return np.full(rows, np.nan)
    edges = np.clip(np.array([least, *column.histogram.edges, greatest], dtype=float), least, greatest)
    counts = np.array(column.histogram.counts, dtype=float)
    bins = random.choice(len(counts), rows, p=counts / counts.sum())
    values = edges[bins] + random.random(rows) * (edges[bins + 1] - edges[bins])
    whole = "INT" in column.type.upper()
    return np.asarray(np.ceil(values) if whole else values, dtype=float)


def _levels(column: ColumnProfile, rows: int, random: np.random.Generator) -> NDArray[np.object_]:
    names = np.array([*(name for name, _ in column.categories), OTHER], dtype=object)
    counts = np.array([*(count for _, count in column.categories), column.other], dtype=float)
    if not counts.sum():
        return np.full(rows, None, dtype=object)
    return np.asarray(random.choice(names, rows, p=counts / counts.sum()), dtype=object)
