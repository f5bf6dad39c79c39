"""Search each candidate's parameters, fit the best of each, and fit the baselines beside them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.errors import CandidateError
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, DEFAULT_METRIC
from mlops_mlflow.core.metrics.measure import Predictions, best_value, measure
from mlops_mlflow.core.records import Artifact, ChildEnd, ChildRun, Emit, Metric, Model, Param, Progress, Tag
from mlops_mlflow.core.usecase.candidates import Candidate
from mlops_mlflow.learning.baselines import baselines
from mlops_mlflow.learning.estimators import build_estimator, check_task
from mlops_mlflow.learning.features import build_features, fit_features
from mlops_mlflow.learning.folds import folds
from mlops_mlflow.learning.predict import predictor
from mlops_mlflow.learning.problem import Problem, Rows
from mlops_mlflow.learning.search import Params, Search, Trial, run_search


@dataclass(frozen=True)
class Inputs:
    """The learning problem."""

    problem: Problem


@dataclass(frozen=True)
class Fitted:
    """A candidate, fitted on all train rows with its best parameters.

    Attributes:
        name: Of the candidate.
        estimator: The whole pipeline: features and model.
        params: The best parameters, with the fixed ones.
        mean: Cross-validated tuning metric.
        spread: Its standard deviation over the folds.
        fit_seconds: Of the final fit.
        search: Its trials; None for a baseline.
    """

    name: str
    estimator: Any
    params: Params
    mean: float
    spread: float
    fit_seconds: float
    search: Search | None = None

    @property
    def is_baseline(self) -> bool:
        """Whether it is there to be beaten."""
        return self.search is None


@dataclass(frozen=True)
class Output:
    """The leaderboard, best first; and candidates of which every trial failed, with the reason."""

    metric: str
    fitted: tuple[Fitted, ...]
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PreparedFold:
    """Features of one fold, fitted on its own train rows and shared by all trials."""

    train: Any
    train_outcomes: NDArray[Any]
    judge: Any
    judge_outcomes: NDArray[Any]


def run(inputs: Inputs, emit: Emit) -> Output:
    """Tune and fit.

    Raises:
        CandidateError: The features cannot be fitted, or no candidate could be.
    """
    problem, spec = inputs.problem, inputs.problem.spec
    metric = spec.tuning.metric or DEFAULT_METRIC[problem.outcomes.task]
    for name, candidate in spec.candidates.items():
        check_task(name, candidate, build_estimator(name, candidate, {}, seed=spec.seed), problem.outcomes.task)
    rows = problem.rows("train")
    total = sum(spec.tuning.trials if one.space else 1 for one in spec.candidates.values()) + 2
    emit(Progress(0, total, "fitting the features of each fold"))
    for name, value in {"metric": metric, "folds": spec.tuning.folds, "algorithm": spec.tuning.algorithm}.items():
        emit(Param(name, value))
    emit(Param("seed", spec.seed))
    emit(problem.input("train"))
    pairs = folds(problem, rows)
    workshop = _Workshop(problem, rows, metric, [_prepare(problem, rows, pair) for pair in pairs])
    fitted, failed, done = [], {}, 1
    for name, candidate in spec.candidates.items():
        search = _search(workshop, name, candidate, emit, (done, total))
        done += len(search.trials)
        best = search.best(higher_is_better=CATALOGUE[metric].higher_is_better)
        if best is None:
            failed[name] = search.trials[0].error.partition("\n")[0]
            continue
        emit(Progress(done, total, f"fitting {name} on all train rows"))
        fitted.append(_fit(workshop, name, candidate, best, search))
    if not fitted:
        told = "; ".join(f"{name}: {error}" for name, error in failed.items())
        raise CandidateError(
            "no candidate could be fitted: every trial failed",
            expected="one trial of one candidate that can be fitted and measured",
            got=told,
            hint="correct `fixed` and `space` of the candidates; each failed trial is a run that says why",
        )
    fitted += _fit_baselines(workshop, pairs)
    sign = -1 if CATALOGUE[metric].higher_is_better else 1
    output = Output(metric, tuple(sorted(fitted, key=lambda one: sign * one.mean)), failed)
    _log(workshop, output, emit)
    return output


@dataclass(frozen=True)
class _Workshop:
    problem: Problem
    rows: Rows
    metric: str
    prepared: list[PreparedFold]

    def figure(self, estimator: Any, table: Any, actual: NDArray[Any]) -> float:
        outcomes, spec = self.problem.outcomes, self.problem.spec
        decided, scores = predictor(estimator, outcomes)(table)
        made = Predictions(
            outcomes.task, outcomes.encode(actual), outcomes.encode(decided), scores, outcomes.classes, spec.value
        )
        priced = self.metric == "value_per_row" and outcomes.task == "binary"
        return best_value(made) if priced else measure(self.metric, made)


def _prepare(problem: Problem, rows: Rows, pair: tuple[NDArray[np.int64], NDArray[np.int64]]) -> PreparedFold:
    fit, judge = pair
    features = build_features(problem.features, problem.package, problem.outcomes.task, seed=problem.spec.seed)
    train = fit_features(features, rows.table.iloc[fit], rows.actual[fit])
    return PreparedFold(train, rows.actual[fit], features.transform(rows.table.iloc[judge]), rows.actual[judge])


def _search(workshop: _Workshop, name: str, candidate: Candidate, emit: Emit, progress: tuple[int, int]) -> Search:
    spec, metric = workshop.problem.spec, workshop.metric
    done, total = progress
    best: list[float] = []

    def attempt(params: Params) -> tuple[float, ...]:
        figures = []
        for fold in workshop.prepared:
            estimator = build_estimator(name, candidate, params, seed=spec.seed)
            estimator.fit(fold.train, fold.train_outcomes)
            figures.append(workshop.figure(estimator, fold.judge, fold.judge_outcomes))
        return tuple(figures)

    def begin(number: int, params: Params) -> None:
        key = f"{name}-{number:03}"
        emit(Progress(done + number, total, f"{name}, trial {number + 1}"))
        emit(ChildRun(key, key, {"mlops.kind": "trial", "mlops.candidate": name}))
        for param, value in {"candidate": name, **candidate.fixed, **params}.items():
            emit(Param(param, value, key))

    def end(trial: Trial) -> None:
        key = f"{name}-{trial.number:03}"
        if trial.error or not np.isfinite(trial.mean):
            emit(Tag("mlops.error", trial.error or f"{metric} is not defined in every fold", key))
            emit(ChildEnd(key, "FAILED"))
            return
        emit(Metric(metric, trial.mean, dataset=workshop.problem.dataset("train"), run=key))
        emit(Metric(f"{metric}_std", float(np.std(trial.figures)), run=key))
        emit(Metric("trial_seconds", trial.seconds, run=key))
        best.append(trial.mean)
        extreme = max(best) if CATALOGUE[metric].higher_is_better else min(best)
        emit(Metric(f"best_{metric}_{name}", extreme, step=trial.number))
        emit(ChildEnd(key))

    return run_search(
        candidate,
        spec.tuning,
        attempt,
        seed=spec.seed,
        higher_is_better=CATALOGUE[metric].higher_is_better,
        begin=begin,
        end=end,
    )


def _fit(workshop: _Workshop, name: str, candidate: Candidate, best: Trial, search: Search) -> Fitted:
    from sklearn.pipeline import Pipeline

    problem, rows = workshop.problem, workshop.rows
    began = time.perf_counter()
    features = build_features(problem.features, problem.package, problem.outcomes.task, seed=problem.spec.seed)
    estimator = build_estimator(name, candidate, best.params, seed=problem.spec.seed)
    estimator.fit(fit_features(features, rows.table, rows.actual), rows.actual)
    pipeline = Pipeline([("features", features), ("model", estimator)])
    seconds = time.perf_counter() - began
    params = {**candidate.fixed, **best.params}
    return Fitted(name, pipeline, params, best.mean, float(np.std(best.figures)), seconds, search)


def _fit_baselines(workshop: _Workshop, pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> list[Fitted]:
    from sklearn.base import clone

    problem, rows = workshop.problem, workshop.rows
    event_time = problem.spec.event_time
    column = event_time.column if event_time and event_time.column in rows.table else None
    found = []
    for name, unfitted in baselines(
        problem.outcomes.task, problem.package, event_time=column, table=rows.table
    ).items():
        figures = []
        for fit, judge in pairs:
            estimator = clone(unfitted).fit(rows.table.iloc[fit], rows.actual[fit])
            figures.append(workshop.figure(estimator, rows.table.iloc[judge], rows.actual[judge]))
        began = time.perf_counter()
        unfitted.fit(rows.table, rows.actual)
        seconds = time.perf_counter() - began
        found.append(Fitted(name, unfitted, {}, float(np.mean(figures)), float(np.std(figures)), seconds))
    return found


def _log(workshop: _Workshop, output: Output, emit: Emit) -> None:
    problem, metric = workshop.problem, output.metric
    example = workshop.rows.table.head(100)
    for one in output.fitted:
        tags = {"mlops.candidate": one.name, "mlops.use_case": problem.spec.use_case}
        emit(
            Model(
                one.name,
                one.estimator,
                example,
                code=problem.package.folder,
                trusted_types=problem.spec.features.trusted_types,
                params=one.params,
                tags=tags,
            )
        )
        emit(Metric(f"{metric}_{one.name}", one.mean, model=one.name, dataset=problem.dataset("train")))
    if truncated := [one.name for one in output.fitted if one.search and one.search.truncated]:
        emit(Tag("mlops.truncated", ", ".join(truncated)))
    emit(Metric(metric, next(one for one in output.fitted if not one.is_baseline).mean))
    emit(Artifact("leaderboard.csv", table(output).to_csv()))


def table(output: Output) -> pd.DataFrame:
    """One row per candidate, best first: cross-validated metric, trials, seconds, parameters."""
    rows = {}
    for one in output.fitted:
        trials = one.search.trials if one.search else ()
        rows[one.name] = {
            output.metric: one.mean,
            "std": one.spread,
            "trials": len(trials),
            "failed": sum(bool(trial.error) for trial in trials),
            "truncated": bool(one.search and one.search.truncated),
            "fit_seconds": one.fit_seconds,
            "params": ", ".join(f"{name}={value}" for name, value in one.params.items()),
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "candidate"
    return frame
