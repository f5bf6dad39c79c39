"""How much a candidate leans on each column, beside a column of noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
AT_ONCE = 100_000


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
    from sklearn.pipeline import make_pipeline

    seed, outcomes = problem.spec.seed, problem.outcomes
    fit, shuffle = train.sample(FIT_ROWS, seed=seed), judge.sample(JUDGE_ROWS, seed=seed)
    encoding = encoding_for(estimator, problem.package)
    own = build_features(problem.features, problem.package, outcomes.task, encoding, seed=seed)
    features = ColumnTransformer(
        [("own", own, list(problem.features.columns)), ("noise", "passthrough", [NOISE])], sparse_threshold=0.0
    )
    estimator.fit(fit_features(features, _with_noise(fit.table, seed), fit.actual), fit.actual)
    predict = predictor(make_pipeline(features, estimator), outcomes)

    def figures(table: pd.DataFrame) -> list[float]:
        """Of a table that holds the judged rows once or several times."""
        times = len(table) // len(shuffle)
        found = predictions(predict, table, np.tile(np.asarray(shuffle.actual), times), outcomes, None)
        parts = np.split(np.arange(len(table)), times)
        return [measure(metric, found.take(part)) for part in parts]

    table = _with_noise(shuffle.table, seed + 1)
    whole, by_column = figures(table)[0], _shuffled(table, figures, seed)
    sign = 1 if CATALOGUE[metric].higher_is_better else -1
    losses = {name: sign * (whole - np.asarray(found)) for name, found in by_column.items()}
    rows = [Importance(name, float(found.mean()), float(found.std())) for name, found in losses.items()]
    return tuple(sorted(rows, key=lambda row: -row.mean))


def _shuffled(
    table: pd.DataFrame, figures: Callable[[pd.DataFrame], Sequence[float]], seed: int
) -> dict[str, list[float]]:
    """Figures of the table with each column shuffled, a few times each.

    Many shuffles are predicted together: a call for a few thousand rows costs more than the rows do.
    """
    drawn = np.random.default_rng(seed)
    orders = [drawn.permutation(len(table)) for _ in range(REPEATS)]
    many = max(1, AT_ONCE // max(1, len(table) * REPEATS))
    names = list(table.columns)
    found: dict[str, list[float]] = {}
    for start in range(0, len(names), many):
        some = names[start : start + many]
        tables = [table.assign(**{name: table[name].array[order]}) for name in some for order in orders]
        flat = iter(figures(pd.concat(tables, ignore_index=True)))
        found |= {str(name): [next(flat) for _ in orders] for name in some}
    return found


def _with_noise(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table.assign(**{NOISE: np.random.default_rng(seed).standard_normal(len(table))})
