"""The threshold at which a binary classifier says yes, chosen for what decisions are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.learning.target import Outcomes

DECISION_METRICS = frozenset({"value_per_row", "accuracy", "balanced_accuracy", "f1", "matthews_corrcoef"})
"""Metrics that a threshold can be chosen for; those of scores do not depend on it."""
STEPS = 200


def tune_threshold(
    estimator: Any, table: pd.DataFrame, actual: Any, outcomes: Outcomes, *, metric: str, value: Value | None
) -> float:
    """The threshold that maximises a metric on these rows, found by scikit-learn's ``TunedThresholdClassifierCV``.

    Args:
        estimator: A fitted binary classifier.
        table: Rows that it was not fitted on.
        actual: Their outcomes.
        outcomes: Labels of the target.
        metric: One of ``DECISION_METRICS``.
        value: Prices, for ``value_per_row``.

    Returns:
        A probability; above 1 where saying no to every row is best. Of up to 200 distinct probabilities each is
        tried, of more 200 quantiles.
    """
    from sklearn.frozen import FrozenEstimator
    from sklearn.metrics import make_scorer
    from sklearn.model_selection import TunedThresholdClassifierCV

    def score(truth: Any, decided: Any, *, pos_label: Any) -> float:  # noqa: ARG001  # the scorer reads it, see below
        made = Predictions("binary", outcomes.encode(truth), outcomes.encode(decided), None, outcomes.classes, value)
        return measure(metric, made)

    positive = list(estimator.classes_).index(outcomes.positive)
    scores = estimator.predict_proba(table)[:, positive]
    distinct = np.unique(scores)
    if len(distinct) > STEPS:
        distinct = np.quantile(scores, np.linspace(0, 1, STEPS), method="higher")
    grid = np.unique(np.r_[0.0, distinct, 1.01])
    tuned = TunedThresholdClassifierCV(
        FrozenEstimator(estimator),
        scoring=make_scorer(score, pos_label=outcomes.positive),  # otherwise the greater label would be the positive
        response_method="predict_proba",
        thresholds=grid,
        cv="prefit",
        refit=False,
    )
    return float(tuned.fit(table, actual).best_threshold_)


def deciding(estimator: Any, threshold: float | None, outcomes: Outcomes, table: pd.DataFrame, actual: Any) -> Any:
    """The same fitted estimator, deciding at this threshold; as it is where there is none."""
    return estimator if threshold is None else with_threshold(estimator, threshold, outcomes, table, actual)


def with_threshold(estimator: Any, threshold: float, outcomes: Outcomes, table: pd.DataFrame, actual: Any) -> Any:
    """The same fitted estimator, deciding at this threshold.

    ``table`` and ``actual`` teach scikit-learn the names of columns and classes; nothing is fitted.
    """
    from sklearn.frozen import FrozenEstimator
    from sklearn.model_selection import FixedThresholdClassifier

    decided = FixedThresholdClassifier(
        FrozenEstimator(estimator),
        threshold=threshold,
        pos_label=outcomes.positive,
        response_method="predict_proba",
    )
    return decided.fit(table, actual)
