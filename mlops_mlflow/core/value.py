"""Worth of predictions at the prices of a use case."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.usecase.success import Value

Floats = NDArray[np.float64]


def worth_matrix(value: Value, classes: tuple[str, ...]) -> Floats:
    """Worth of each pair of classes, shape (actual, predicted); for a binary target the positive class comes second."""
    if value.matrix is not None:
        return np.array([[value.matrix.get(a, {}).get(p, 0.0) for p in classes] for a in classes], dtype=float)
    outcomes = (value.true_negative, value.false_positive, value.false_negative, value.true_positive)
    return np.array([0.0 if worth is None else worth for worth in outcomes]).reshape(2, 2)


def worth_of_errors(value: Value, actual: Floats, predicted: Floats) -> Floats:
    """Worth of each row of a regression: units too high times ``over`` plus units too low times ``under``."""
    error = predicted - actual
    return np.where(error > 0, error * (value.over or 0.0), -error * (value.under or 0.0))
