"""Limits that a window of so many rows passes by chance with a chosen small probability.

A fixed limit means something else at every size: a distance of 0.1 is noise in a hundred rows and a large change in a
hundred thousand. So each limit follows from the rows of the window and of the reference, both of which are samples, and
from how many limits are held at once; and it is never below a floor, as with enough rows any difference is significant
and few of them matter. Everything is a formula: no draws, so no seed, and microseconds for a column. How well they hold
is in ``docs/adr/0020-limits-are-formulas.md``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.monitoring.distance import jensen_shannon

ALPHA = 0.01
"""Probability of a false finding in a window, over all columns together; once for drift and once for the feed."""
FLOOR = 0.1
"""Least distance worth telling: a normal column that moved by 0.24 standard deviations, or 2 % of a value that was not
there before."""
SEVERE = 2 * FLOOR
"""Distance worth an alarm: 0.48 standard deviations, or 8 % of a value that was not there before."""
FEWEST_EXPECTED = 10
"""Rows that a window of its size would have in each group; below, the formula of the limit is off by more than 2."""
FEWEST_REFERENCE = 25
"""Rows of the reference in each group; below, its share is too uncertain to be compared with."""


@dataclass(frozen=True)
class DistanceLimit:
    """What the distance of a window may be.

    Attributes:
        distance: Limit of the Jensen-Shannon distance.
        noise: Square of the distance that is expected where nothing changed.
    """

    distance: float
    noise: float

    def effect(self, distance: float) -> float:
        """The distance without what chance adds to it."""
        return math.sqrt(max(distance**2 - self.noise, 0.0))


def per_test(tests: int) -> float:
    """Probability for each of so many limits, for ``ALPHA`` over all of them (Sidak)."""
    return -math.expm1(math.log1p(-ALPHA) / max(tests, 1))


def groups(reference: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Join neighbouring bins until a window of this size would have enough rows in each.

    Where that would leave one group, the two halves that are nearest in size remain.

    Args:
        reference: Counts of the reference, shape (bins,), neighbours alike.
        rows: Of the window.

    Returns:
        First bin of each group, ascending; a single 0 where all rows are in one bin.
    """
    total = int(reference.sum())
    enough = max(FEWEST_EXPECTED * total / max(rows, 1), FEWEST_REFERENCE)
    starts, held = [0], 0
    for place, count in enumerate(reference.tolist()):
        if held >= enough:
            starts.append(place)
            held = 0
        held += count
    if held < enough and len(starts) > 1:
        starts.pop()
    return np.array(starts if len(starts) > 1 else _halves(reference))


def _halves(reference: NDArray[np.int64]) -> list[int]:
    below = np.cumsum(reference)[:-1]
    total = reference.sum()
    if not ((below > 0) & (below < total)).any():
        return [0]
    return [0, 1 + int(np.argmin(np.abs(below - total / 2)))]


def distance_limit(reference: NDArray[np.int64], rows: int, alpha: float) -> DistanceLimit:
    """The Jensen-Shannon distance that a window of the same distribution passes with probability ``alpha``.

    To second order, 8 ln 2 / (1/n + 1/N) times the divergence is chi-square with one degree of freedom less than there
    are groups. Small groups make it larger: with e rows expected in each, the next order of a Poisson count adds
    0.375 sum(1/e) to its mean and 2.75 sum(1/e) to its variance; a gamma distribution has these moments.

    Args:
        reference: Counts of the reference over groups, shape (groups,), at least two and none zero.
        rows: Of the window, at least one.
        alpha: For this limit alone.
    """
    from scipy.special import gammainccinv

    total, least = float(reference.sum()), float(reference.min())
    scale = (1 / rows + 1 / total) / (8 * math.log(2))
    small = float((total / reference).sum()) / min(rows, total)
    mean, variance = len(reference) - 1 + 0.375 * small, 2 * (len(reference) - 1) + 2.75 * small
    quantile = float(gammainccinv(mean**2 / variance, alpha)) * variance / mean
    limits = [FLOOR, math.sqrt(quantile * scale)]
    if (1 - least / total) ** rows >= alpha:  # none of a rare value is a leap that no smooth distribution knows
        without = np.where(np.arange(len(reference)) == int(reference.argmin()), 0, reference)
        limits.append(jensen_shannon(reference, without))
    return DistanceLimit(min(max(limits), 1.0), mean * scale)


def share_limit(reference: int, reference_rows: int, rows: int, alpha: float) -> float:
    """The share of rows that a window passes with probability ``alpha``, and not less than ``FLOOR`` away.

    Given the reference, the count in the window is negative binomial: Poisson, of a rate known as well as its rows
    tell. For shares near one half that is wider than the binomial by a factor of up to 1.4, so errs to the quiet side.

    Args:
        reference: Rows of the reference that have it.
        reference_rows: Of the reference, at least one.
        rows: Of the window, at least one.
        alpha: For this limit alone.
    """
    from scipy.special import nbdtrik

    count = math.ceil(float(nbdtrik(1 - alpha, reference + 1, reference_rows / (reference_rows + rows))))
    return min(max(count / rows, share_at(reference / reference_rows, FLOOR)), 1.0)


@functools.lru_cache(maxsize=4096)  # the shares of a reference are asked for again in every window and slice
def share_at(share: float, distance: float) -> float:
    """The greater share that is so far away: 1 where there is none."""
    low, high = share, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        near = jensen_shannon((1 - share, share), (1 - middle, middle)) < distance
        low, high = (middle, high) if near else (low, middle)
    return high


def rejected_limit(share: float, rows: int, alpha: float) -> float:
    """The share that so many rows pass with probability ``alpha`` where each is rejected with probability ``share``."""
    from scipy.special import bdtrik

    return min(math.ceil(float(bdtrik(1 - alpha, rows, share))) / rows, 1.0) if 0 < share < 1 else share


def volume_limits(usual: Sequence[int], alpha: float) -> tuple[float, float]:
    """Rows that a window has with probability ``1 - alpha``, from those that others had.

    A prediction interval of Student's t for the logarithm: rows of windows vary with seasons and days off, and Poisson
    would call most of them odd. Their spread is never taken for smaller than Poisson's.

    Args:
        usual: Rows of at least two windows of this length.
        alpha: For both sides together.
    """
    from scipy.special import stdtrit

    logs = np.log1p(np.asarray(usual, dtype=float))
    count, middle = len(logs), float(logs.mean())
    spread = math.sqrt(max(float(logs.var(ddof=1)), math.exp(-middle)) * (1 + 1 / count))
    reach = float(stdtrit(count - 1, 1 - alpha / 2)) * spread
    return max(math.expm1(middle - reach), 0.0), math.expm1(min(middle + reach, 700.0))
