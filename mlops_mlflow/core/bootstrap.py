"""Intervals by resampling blocks of rows.

Rows of one day (or of one group) are alike, so resampling rows makes intervals far too narrow: on flights the ROC AUC
of a month varies by 0.004 when rows are drawn and by 0.029 when days are. Blocks are drawn with replacement and a draw
is a vector of row weights; a statistic that compares two models sees the same weights for both, so its interval is
paired.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), percentile intervals; blocks as in Künsch (1989).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_BLOCKS = 8
DRAWS = 200


@dataclass(frozen=True)
class Interval:
    """Where a figure would lie in 95 of 100 such samples, and how many blocks stand behind it."""

    low: float
    high: float
    blocks: int

    def holds(self, figure: float) -> bool:
        """Whether the interval contains the figure."""
        return self.low <= figure <= self.high


def block_interval(
    statistic: Callable[[NDArray[np.float64]], float],
    blocks: NDArray[np.int64],
    *,
    seed: int,
    draws: int = DRAWS,
) -> Interval | None:
    """A 95 % percentile interval of a statistic.

    Args:
        statistic: From row weights, shape (rows,), to a figure.
        blocks: The block of each row, a number, shape (rows,).
        seed: Of the draws.
        draws: How many.

    Returns:
        The interval; None when there are fewer than 8 blocks or too few draws define the statistic.
    """
    blocks = np.unique(blocks, return_inverse=True)[1]
    count = int(blocks.max(initial=-1)) + 1
    if count < FEWEST_BLOCKS:
        return None
    random = np.random.default_rng(seed)

    def weights() -> NDArray[np.float64]:
        drawn = random.integers(0, count, count)
        return np.bincount(drawn, minlength=count).astype(float)[blocks]

    figures = [statistic(weights()) for _ in range(draws)]
    defined = np.array(figures)[np.isfinite(figures)]
    if len(defined) < draws / 2:
        return None
    low, high = np.quantile(defined, [0.025, 0.975])
    return Interval(float(low), float(high), count)
