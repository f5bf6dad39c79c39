"""Distance between two distributions, from counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def jensen_shannon(a: ArrayLike, b: ArrayLike) -> float:
    """Jensen-Shannon distance: root of the divergence to base 2; 0 where shares are equal, 1 where nothing is shared.

    Small shifts of a normal column by d standard deviations give about d / 2.35.

    Source: Endres and Schindelin, A new metric for probability distributions (2003).

    Args:
        a: Counts or shares over bins, shape (bins,), none negative, not all zero.
        b: As ``a``, over the same bins.
    """
    p, q = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(min(max(divergence, 0.0), 1.0)))


def _relative_entropy(p: NDArray[np.float64], middle: NDArray[np.float64]) -> float:
    """Of ``p`` from ``middle``, in bits; what is empty in ``p`` adds nothing."""
    held = p > 0
    return float(p[held] @ np.log2(p[held] / middle[held]))
