"""How much a candidate leans on each column, beside a column of noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.metrics.measure import measure
from mlops_mlflow.learning.encoding import encoding_for
from mlops_mlflow.learning.features import build_features, fit_features
from mlops_mlflow.learning.predict import predictions, predictor
from mlops_mlflow.learning.problem import Problem, Rows

NOISE = "(noise)"
REPEATS = 3
FIT_ROWS = 20_000
JUDGE_ROWS = 4_000


@dataclass(frozen=True)
class Importance:
    """What shuffling a column costs: mean and standard deviation of the loss over the shuffles."""

    column: str
    mean: float
    spread: float


def importances(problem: Problem, estimator: Any, train: Rows, judge: Rows, *, metric: str) -> tuple[Importance, ...]:
    """Permutation importance of each column that the candidate takes, with noise as a yardstick.

    The candidate is fitted once more on a sample of the train rows with a column of random numbers beside its features;
    a column that matters no more than that one does not matter. Source: Breiman, Random Forests (2001), section 10.

    Args:
        problem: The learning problem.
        estimator: The candidate's unfitted last step.
        train: Rows to fit on; at most 20,000 are used.
        judge: Rows to shuffle; at most 4,000 are used.
        metric: What is watched.

    Returns:
        The largest loss first.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.inspection import permutation_importance
    from sklearn.pipeline import make_pipeline

    seed, outcomes = problem.spec.seed, problem.outcomes
    fit, shuffle = train.sample(FIT_ROWS, seed=seed), judge.sample(JUDGE_ROWS, seed=seed)
    encoding = encoding_for(estimator, problem.package)
    own = build_features(problem.features, problem.package, outcomes.task, encoding, seed=seed)
    features = ColumnTransformer(
        [("own", own, list(problem.features.columns)), ("noise", "passthrough", [NOISE])], sparse_threshold=0.0
    )
    estimator.fit(fit_features(features, _with_noise(fit.table, seed), fit.actual), fit.actual)
    model = make_pipeline(features, estimator)
    sign = 1 if CATALOGUE[metric].higher_is_better else -1

    def score(fitted: Any, table: pd.DataFrame, actual: Any) -> float:
        return sign * measure(metric, predictions(predictor(fitted, outcomes), table, actual, outcomes, None))

    table = _with_noise(shuffle.table, seed + 1)
    found = permutation_importance(model, table, shuffle.actual, scoring=score, n_repeats=REPEATS, random_state=seed)
    figures = zip(table.columns, found.importances_mean, found.importances_std, strict=True)
    rows = [Importance(str(name), float(mean), float(spread)) for name, mean, spread in figures]
    return tuple(sorted(rows, key=lambda row: -row.mean))


def _with_noise(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table.assign(**{NOISE: np.random.default_rng(seed).standard_normal(len(table))})
