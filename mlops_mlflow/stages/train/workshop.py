"""The folds of the train rows, their features, and what it takes to fit on them and to judge a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.metrics.measure import Predictions, best_value, measure
from mlops_mlflow.learning.encoding import Encoding, encoding_for
from mlops_mlflow.learning.estimators import build_estimator
from mlops_mlflow.learning.features import build_features, fit_features
from mlops_mlflow.learning.folds import Fold, folds
from mlops_mlflow.learning.predict import predictor
from mlops_mlflow.learning.problem import Problem, Rows
from mlops_mlflow.learning.search import Params


@dataclass(frozen=True)
class PreparedFold:
    """Features of one fold, fitted on its own train rows and shared by all trials of one encoding.

    Attributes:
        train: What a model is fitted on, shape (rows, features).
        train_outcomes: As in the data.
        judge: What it is judged by.
        judge_outcomes: Encoded, as metrics take them.
    """

    train: Any
    train_outcomes: NDArray[Any]
    judge: Any
    judge_outcomes: NDArray[Any]


@dataclass(frozen=True)
class Workshop:
    """Where candidates are tried and fitted.

    Attributes:
        problem: The learning problem.
        rows: Its train rows.
        metric: What a trial is judged by.
    """

    problem: Problem
    rows: Rows
    metric: str
    _prepared: dict[Encoding, list[PreparedFold]] = field(default_factory=dict, init=False, repr=False)

    @property
    def higher_is_better(self) -> bool:
        """Direction of the metric."""
        return CATALOGUE[self.metric].higher_is_better

    @cached_property
    def pairs(self) -> list[Fold]:
        """Rows to fit on and rows to judge by, of each fold."""
        return folds(self.problem, self.rows)

    def prepared(self, encoding: Encoding) -> list[PreparedFold]:
        """The folds with features of this encoding; made when the first trial needs them.

        Raises:
            CandidateError: The features cannot be fitted.
        """
        if encoding not in self._prepared:
            self._prepared[encoding] = [self._prepare(encoding, *pair) for pair in self.pairs]
        return self._prepared[encoding]

    def _prepare(self, encoding: Encoding, fit: NDArray[np.int64], judge: NDArray[np.int64]) -> PreparedFold:
        rows, features = self.rows, self.features(encoding)
        train = fit_features(features, rows.table.iloc[fit], rows.actual[fit])
        return PreparedFold(train, rows.actual[fit], features.transform(rows.table.iloc[judge]), self.outcomes(judge))

    def outcomes(self, judge: NDArray[np.int64]) -> NDArray[Any]:
        """Outcomes of these rows, encoded."""
        return self.problem.outcomes.encode(self.rows.actual[judge])

    def features(self, encoding: Encoding) -> Any:
        """An unfitted feature pipeline."""
        problem = self.problem
        return build_features(
            problem.features, problem.package, problem.outcomes.task, encoding, seed=problem.spec.seed
        )

    def estimator(self, name: str, params: Params) -> Any:
        """A candidate with these parameters, unfitted.

        Raises:
            CandidateError: It does not take them.
        """
        spec = self.problem.spec
        return build_estimator(name, spec.candidates[name], params, seed=spec.seed)

    def encoding(self, name: str) -> Encoding:
        """What a candidate is given, the same in each of its trials."""
        return encoding_for(self.estimator(name, {}), self.problem.package)

    def attempt(self, name: str, encoding: Encoding, params: Params) -> tuple[float, ...]:
        """The metric of a candidate with these parameters, of each fold."""
        figures = []
        for fold in self.prepared(encoding):
            estimator = self.estimator(name, params).fit(fold.train, fold.train_outcomes)
            figures.append(self.figure(estimator, fold.judge, fold.judge_outcomes))
        return tuple(figures)

    def figure(self, estimator: Any, table: Any, actual: NDArray[Any]) -> float:
        """The metric of a fitted estimator on these rows, of which the outcomes are encoded."""
        outcomes, spec = self.problem.outcomes, self.problem.spec
        decided, scores = predictor(estimator, outcomes)(table)
        made = Predictions(outcomes.task, actual, outcomes.encode(decided), scores, outcomes.classes, spec.value)
        priced = self.metric == "value_per_row" and outcomes.task == "binary"
        return best_value(made) if priced else measure(self.metric, made)
