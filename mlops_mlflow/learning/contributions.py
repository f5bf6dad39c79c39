"""What each column contributed to one prediction: Shapley values, by sampling.

A column's contribution is how much the prediction moves when the column takes the row's value instead of that of a
background row, averaged over the orders in which columns may do so, and over background rows. Each background row is
walked through in a random order and in its reverse, which cancels much of what the order does. Source: Štrumbelj and
Kononenko, Explaining prediction models and individual predictions with feature contributions (2014).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BACKGROUND = 400
FEWEST = 20
PREDICTED = 100_000
"""Rows that a model is asked about for one explanation; a wide table is walked from fewer background rows."""
AT_ONCE = 8_192
_NOISE = 8 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Contributions:
    """Why a prediction is not the average.

    Attributes:
        columns: Names, shape (columns,).
        values: What each column moved the prediction by; with ``average`` they add up to ``prediction``.
        errors: Standard error of each value, from the spread over background rows; NaN of a single one.
        average: Mean prediction of the background rows.
        prediction: Of the row.
        background: How many background rows there were.
    """

    columns: tuple[str, ...]
    values: Floats
    errors: Floats
    average: float
    prediction: float
    background: int

    @property
    def order(self) -> list[int]:
        """Places of the columns, the largest contribution first."""
        return [int(place) for place in np.argsort(-np.abs(self.values), kind="stable")]


def background_size(columns: int) -> int:
    """How many background rows are enough for a table of so many columns, and not too dear."""
    return max(FEWEST, min(BACKGROUND, PREDICTED // (2 * (columns + 1))))


def contributions(
    predict: Callable[[pd.DataFrame], Floats], row: pd.DataFrame, background: pd.DataFrame, *, seed: int
) -> Contributions:
    """Explain one prediction by the columns that it was made of.

    Args:
        predict: From a table to one number for each row, shape (rows,).
        row: One row.
        background: Rows of the same columns and types to compare it with; at least one.
        seed: Of the orders.
    """
    stacked = pd.concat([row, background], ignore_index=True)
    count, width = len(background), row.shape[1]
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(width), (count, 1)), axis=1)
    ranks = np.stack([order, width - 1 - order], axis=1)  # shape (background, 2, columns): each order and its reverse
    chunk = max(1, AT_ONCE // (2 * (width + 1)))
    walked = [
        _walk(predict, stacked, np.arange(begin, min(begin + chunk, count)), ranks[begin : begin + chunk])
        for begin in range(0, count, chunk)
    ]
    moved, started = (np.concatenate(parts) for parts in zip(*walked, strict=True))
    return Contributions(
        tuple(map(str, row.columns)),
        moved.mean(axis=0),
        moved.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.full(width, np.nan),
        float(started.mean()),
        float(predict(row)[0]),
        count,
    )


def _walk(
    predict: Callable[[pd.DataFrame], Floats], stacked: pd.DataFrame, chosen: NDArray[Any], ranks: NDArray[Any]
) -> tuple[Floats, Floats]:
    """From background rows to the row, a column at a time.

    Args:
        predict: As of ``contributions``.
        stacked: The row, then all background rows.
        chosen: Numbers of the background rows to start from, shape (n,).
        ranks: When each column's turn comes, shape (n, 2, columns).

    Returns:
        What each column moved, shape (n, columns), and the prediction at the start, shape (n,).
    """
    width = ranks.shape[-1]
    arrived = ranks[:, :, None, :] < np.arange(width + 1)[:, None]  # shape (n, 2, columns + 1, columns)
    places = np.where(arrived, 0, 1 + chosen[:, None, None, None]).reshape(-1, width)
    table = pd.DataFrame({name: stacked[name].array.take(places[:, at]) for at, name in enumerate(stacked.columns)})
    predicted = np.asarray(predict(table), dtype=float).reshape(arrived.shape[:-1])
    steps = np.diff(predicted, axis=-1)
    # Rows of a batch are added up in another order than alone: what that leaves in the last digits moved nothing.
    steps[np.abs(steps) <= _NOISE * np.abs(predicted).max()] = 0.0
    return np.take_along_axis(steps, ranks, axis=-1).mean(axis=1), predicted[:, 0, 0]
