"""What a model said of its test rows, as a profile that windows are held against: its score and its decisions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.profiles import ColumnProfile, Histogram, TableProfile

FILE = "reference_outputs.json"
"""Its name among the files of a model."""
SCORE, DECISION = "(score)", "(decision)"
"""Columns of outputs beside those of the input; the number that is predicted, or the probability that decides."""
BINS = 20


def outputs_profile(made: Predictions) -> TableProfile:
    """Profile of outputs: the number, or a probability, and the mix of decisions.

    Of several classes it is the probability of the decided one, of two that of the positive one.

    Args:
        made: What the model said.
    """
    rows = len(made)
    columns = [_numbers(_score(made))]
    if made.task != "regression":
        counts = np.bincount(made.decided.astype(np.int64), minlength=len(made.classes))
        listed = sorted(zip(made.classes, counts.tolist(), strict=True), key=lambda one: (-one[1], one[0]))
        distinct = int(np.count_nonzero(counts))
        columns.append(
            ColumnProfile(DECISION, "VARCHAR", "categorical", rows, 0, distinct, True, categories=tuple(listed))
        )
    return TableProfile(rows, tuple(columns))


def _score(made: Predictions) -> NDArray[np.float64]:
    if made.scores is None:
        return np.asarray(made.decided, dtype=float)
    return made.scores[:, 1] if made.task == "binary" else made.scores.max(axis=1)


def _numbers(values: NDArray[np.float64]) -> ColumnProfile:
    known = values[np.isfinite(values)]
    plain = ColumnProfile(
        SCORE, "DOUBLE", "numeric", len(values), len(values) - len(known), len(np.unique(known)), True
    )
    if not len(known):
        return plain
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return ColumnProfile(
        SCORE,
        "DOUBLE",
        "numeric",
        plain.rows,
        plain.missing,
        plain.distinct,
        True,
        float(known.min()),
        float(known.max()),
        float(known.mean()),
        float(known.std()),
        tuple(
            (p, float(np.quantile(known, p, method="inverted_cdf"))) for p in (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
        ),
        Histogram(tuple(edges.tolist()), tuple(counts.tolist())),
    )
