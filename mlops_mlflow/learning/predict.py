"""From fitted estimators to predictions that can be measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.learning.target import Outcomes

Predictor = Callable[[pd.DataFrame], "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]"]
"""From a table to decisions (labels or numbers) and probabilities (shape (rows, classes); None for a regression)."""


def predictor(estimator: Any, outcomes: Outcomes) -> Predictor:
    """A fitted estimator as a function; probabilities are in the order of the outcomes' labels."""

    def predict(table: pd.DataFrame) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
        if outcomes.task == "regression":
            return np.asarray(estimator.predict(table), dtype=float), None
        scores = in_order(estimator.predict_proba(table), estimator.classes_, outcomes)
        threshold = getattr(estimator, "threshold", None)
        # As the estimator's own ``predict`` would, without computing the probabilities twice.
        chosen = scores.argmax(axis=1) if threshold is None else (scores[:, 1] >= threshold).astype(int)
        return np.asarray(outcomes.labels, dtype=object)[chosen], scores

    return predict


def in_order(scores: Any, classes: Any, outcomes: Outcomes) -> np.ndarray[Any, Any]:
    """Probabilities with one column per label of the outcomes, in their order; unseen labels get 0.

    Raises:
        DataError: None of the labels is known: the model is about another target, or writes outcomes otherwise.
    """
    known = list(classes)
    if not any(label in known for label in outcomes.labels):
        raise DataError(
            "the model knows none of the outcomes",
            expected=", ".join(map(repr, outcomes.labels)),
            got=", ".join(map(repr, np.asarray(classes).tolist())),
        )
    scores = np.asarray(scores, dtype=float)
    ordered = np.zeros((len(scores), len(outcomes.labels)))
    for place, label in enumerate(outcomes.labels):
        if label in known:
            ordered[:, place] = scores[:, known.index(label)]
    return ordered


def predictions(
    predict: Predictor, table: pd.DataFrame, actual: Any, outcomes: Outcomes, value: Value | None
) -> Predictions:
    """What a predictor says of a table, beside what happened."""
    decided, scores = predict(table)
    return Predictions(
        outcomes.task, outcomes.encode(actual), outcomes.encode(decided), scores, outcomes.classes, value
    )
