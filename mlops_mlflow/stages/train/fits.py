"""The final fits, on all train rows: each candidate with its best parameters, and the baselines."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_mlflow.learning.baselines import baselines
from mlops_mlflow.learning.features import fit_features
from mlops_mlflow.learning.search import Params, Search, Trial
from mlops_mlflow.stages.train.before import Before
from mlops_mlflow.stages.train.workshop import Workshop


@dataclass(frozen=True)
class Fitted:
    """A candidate, fitted on all train rows with its best parameters.

    Attributes:
        name: Of the candidate.
        estimator: The whole pipeline: features and model.
        params: The best parameters, with the fixed ones.
        mean: Cross-validated tuning metric.
        spread: Its standard deviation over the folds; 0 on one hold-out.
        fit_seconds: Of the final fit.
        search: Its trials; None for a baseline.
        ref: What an earlier run's model is known by, where it was taken over.
    """

    name: str
    estimator: Any
    params: Params
    mean: float
    spread: float
    fit_seconds: float
    search: Search | None = None
    ref: Any = None

    @property
    def is_baseline(self) -> bool:
        """Whether it is there to be beaten."""
        return self.search is None


def fit_best(workshop: Workshop, name: str, best: Trial, search: Search, before: Before | None) -> Fitted:
    """The candidate with its best parameters: an earlier run's, or fitted now.

    Raises:
        CandidateError: The features cannot be fitted.
    """
    kept = before.fitted(best.params) if before else None
    if kept is None:
        estimator, seconds, ref = *_fit(workshop, name, best.params), None
    else:
        estimator, seconds, ref = kept.estimator, kept.fit_seconds, kept.ref
    params = {**workshop.problem.spec.candidates[name].fixed, **best.params}
    return Fitted(name, estimator, params, best.mean, float(np.std(best.figures)), seconds, search, ref)


def _fit(workshop: Workshop, name: str, params: Params) -> tuple[Any, float]:
    """Features and model in one pipeline, and how long they took to fit, s."""
    from sklearn.pipeline import Pipeline

    rows = workshop.rows
    began = time.perf_counter()
    features = workshop.features(workshop.encoding(name))
    estimator = workshop.estimator(name, params)
    estimator.fit(fit_features(features, rows.table, rows.actual), rows.actual)
    return Pipeline([("features", features), ("model", estimator)]), time.perf_counter() - began


def fit_baselines(workshop: Workshop) -> list[Fitted]:
    """The baselines, judged on the same folds."""
    problem, rows = workshop.problem, workshop.rows
    event_time = problem.spec.event_time
    column = event_time.column if event_time and event_time.column in rows.table else None
    unfitted = baselines(problem.outcomes.task, problem.package, event_time=column, table=rows.table)
    return [_fit_baseline(workshop, name, estimator) for name, estimator in unfitted.items()]


def _fit_baseline(workshop: Workshop, name: str, unfitted: Any) -> Fitted:
    from sklearn.base import clone

    rows, figures = workshop.rows, []
    for fit, judge in workshop.pairs:
        estimator = clone(unfitted).fit(rows.table.iloc[fit], rows.actual[fit])
        figures.append(workshop.figure(estimator, rows.table.iloc[judge], workshop.outcomes(judge)))
    began = time.perf_counter()
    unfitted.fit(rows.table, rows.actual)
    seconds = time.perf_counter() - began
    return Fitted(name, unfitted, {}, float(np.mean(figures)), float(np.std(figures)), seconds)
