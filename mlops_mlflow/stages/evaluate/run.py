"""Compare the candidates on validation rows and choose one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.metrics.catalogue import CATALOGUE, DEFAULT_METRIC
from mlops_mlflow.core.metrics.measure import Predictions, measure_all
from mlops_mlflow.core.records import (
    Artifact,
    ChildEnd,
    ChildRun,
    Emit,
    Metric,
    Model,
    ModelFile,
    Param,
    Progress,
    Tag,
)
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.value import check_prices
from mlops_mlflow.learning.decide import DECISION_METRICS, tune_threshold, with_threshold
from mlops_mlflow.learning.importance import FIT_ROWS, NOISE, Importance, importances
from mlops_mlflow.learning.kept import FILE, Kept, Role, to_parquet
from mlops_mlflow.learning.predict import predictions, predictor
from mlops_mlflow.learning.problem import Problem, Rows, chosen_model, slice_rows

WORST = 10


@dataclass(frozen=True)
class Candidate:
    """What evaluate needs to know of a fitted candidate."""

    name: str
    estimator: Any
    params: Mapping[str, Any]
    mean: float
    is_baseline: bool


@dataclass(frozen=True)
class Inputs:
    """The learning problem, its fitted candidates, and the profile that travels with the chosen one."""

    problem: Problem
    candidates: tuple[Candidate, ...]
    reference: str


@dataclass(frozen=True)
class Judged:
    """A candidate on validation rows.

    Attributes:
        name: Of the candidate.
        model: The fitted pipeline, deciding at its threshold; None in what an earlier run gave, unless it is needed.
        threshold: None where there is none.
        metrics: Every metric of the task.
        is_baseline: Whether it is there to be beaten.
        made: Its predictions.
    """

    name: str
    model: Any
    threshold: float | None
    metrics: Mapping[str, float]
    is_baseline: bool
    made: Predictions


@dataclass(frozen=True)
class Slice:
    """The chosen candidate on the rows of one value of a column."""

    column: str
    value: str
    rows: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Output:
    """The comparison and the choice.

    Attributes:
        choose_by: Metric of the choice.
        judged: All candidates, best first.
        chosen: Name of the best that is not a baseline.
        baseline: Name of the best baseline.
        slices: Of the chosen.
        watched: Metric of the importances.
        importances: What shuffling a column costs, the largest first.
        worst: Rows with the largest errors; None where examples are switched off, and in what an earlier run gave.
    """

    choose_by: str
    judged: tuple[Judged, ...]
    chosen: str
    baseline: str
    slices: tuple[Slice, ...]
    watched: str
    importances: tuple[Importance, ...]
    worst: pd.DataFrame | None

    @property
    def model(self) -> str:
        """Name under which the chosen model is logged."""
        return chosen_model(self.chosen)

    def of(self, name: str) -> Judged:
        """The candidate of this name."""
        return next(one for one in self.judged if one.name == name)


def run(inputs: Inputs, emit: Emit) -> Output:
    """Measure, choose, explain.

    Raises:
        UseCaseError: Prices do not suit the target.
    """
    from sklearn.base import clone

    problem, spec = inputs.problem, inputs.problem.spec
    if spec.value is not None:
        check_prices(spec.value, problem.outcomes.task, problem.outcomes.classes)  # they may be newer than `prepare`
    rows = problem.rows("validation")
    choose_by = choice_metric(spec, problem)
    total = len(inputs.candidates) + 2
    emit(problem.input("validation"))
    emit(Param("choose_by", choose_by))
    judged = []
    for number, candidate in enumerate(inputs.candidates):
        emit(Progress(number, total, f"measuring {candidate.name}"))
        one = _judge(problem, candidate, rows, choose_by)
        _log_candidate(problem, candidate, one, emit)
        judged.append(one)
    sign = -1 if CATALOGUE[choose_by].higher_is_better else 1
    judged.sort(key=lambda one: sign * one.metrics[choose_by])
    chosen = next(one for one in judged if not one.is_baseline)
    baseline = next(one for one in judged if one.is_baseline)
    emit(Progress(total - 2, total, "slices and importances"))
    watched = DEFAULT_METRIC[problem.outcomes.task]
    step = clone(next(one for one in inputs.candidates if one.name == chosen.name).estimator[-1])
    weighty = importances(problem, step, problem.rows("train", FIT_ROWS), rows, metric=watched)
    output = Output(
        choose_by,
        tuple(judged),
        chosen.name,
        baseline.name,
        tuple(slices(problem, chosen.made, rows)),
        watched,
        weighty,
        worst_rows(chosen.made, rows) if spec.card.examples else None,
    )
    _log_choice(inputs, output, rows, emit)
    return output


def choice_metric(spec: UseCaseSpec, problem: Problem) -> str:
    """What candidates are chosen by: as told, else by value where there are prices, else as they were tuned."""
    by_default = "value_per_row" if spec.value else spec.tuning.metric or DEFAULT_METRIC[problem.outcomes.task]
    return spec.evaluation.choose_by or by_default


def _judge(problem: Problem, candidate: Candidate, rows: Rows, choose_by: str) -> Judged:
    spec, outcomes, model, threshold = problem.spec, problem.outcomes, candidate.estimator, None
    metric = "value_per_row" if spec.value else choose_by
    if outcomes.task == "binary" and metric in DECISION_METRICS:
        threshold = tune_threshold(model, rows.table, rows.actual, outcomes, metric=metric, value=spec.value)
        model = with_threshold(model, threshold, outcomes, rows.table, rows.actual)
    made = predictions(predictor(model, outcomes), rows.table, rows.actual, outcomes, spec.value)
    figures = measure_all(problem.metrics, made)
    return Judged(candidate.name, model, threshold, figures, candidate.is_baseline, made)


def slices(problem: Problem, made: Predictions, rows: Rows) -> list[Slice]:
    """Every metric in every slice with enough rows, largest slices first."""
    spec, found = problem.spec, []
    for column in spec.evaluation.slices:
        for value, inside in slice_rows(rows.about[column], spec.evaluation.minimum_rows):
            found.append(Slice(column, value, len(inside), measure_all(problem.metrics, made.take(inside))))
    return found


def worst_rows(made: Predictions, rows: Rows) -> pd.DataFrame:
    """The rows that were predicted worst, with key, outcome and prediction."""
    if made.scores is None:
        error = np.abs(made.decided.astype(float) - made.actual.astype(float))
        says = made.decided
    else:
        right = made.scores[np.arange(len(made)), made.actual.astype(int)]
        error, says = 1 - right, right
    worst = np.argsort(-error, kind="stable")[:WORST]
    name = "predicted" if made.scores is None else "probability of what happened"
    about = rows.about.iloc[worst].reset_index(drop=True)
    return about.assign(outcome=rows.actual[worst], **{name: says[worst]})


def _log_candidate(problem: Problem, candidate: Candidate, one: Judged, emit: Emit) -> None:
    tags = {"mlops.kind": "candidate", "mlops.candidate": one.name}
    emit(ChildRun(one.name, one.name, tags))
    emit(problem.input("validation", one.name))
    for name, value in {"candidate": one.name, **candidate.params}.items():
        emit(Param(name, value, one.name))
    for name, figure in one.metrics.items():
        if np.isfinite(figure):
            emit(Metric(name, figure, model=one.name, dataset=problem.dataset("validation"), run=one.name))
    if one.threshold is not None:
        emit(Metric("threshold", one.threshold, run=one.name))
    emit(ChildEnd(one.name))


def _log_choice(inputs: Inputs, output: Output, rows: Rows, emit: Emit) -> None:
    problem, chosen = inputs.problem, output.of(output.chosen)
    name = output.model
    candidate = next(one for one in inputs.candidates if one.name == output.chosen)
    params = dict(candidate.params) | ({} if chosen.threshold is None else {"threshold": chosen.threshold})
    emit(
        Model(
            name,
            chosen.model,
            rows.table.head(100),
            code=problem.package.folder,
            trusted_types=problem.spec.features.trusted_types,
            params=params,
            tags={"mlops.candidate": output.chosen, "mlops.chosen": "true"},
        )
    )
    emit(ModelFile(name, "reference_profile.json", inputs.reference))
    weights = {one.column: one.mean for one in output.importances if one.column != NOISE}
    emit(ModelFile(name, "importances.json", json.dumps(weights)))
    emit(ModelFile(name, "split.json", json.dumps(problem.plan.to_dict(), indent=2)))
    emit(Tag("mlops.chosen", output.chosen))
    emit(Param("chosen", output.chosen))
    for metric, figure in chosen.metrics.items():
        if np.isfinite(figure):
            emit(Metric(metric, figure, model=name, dataset=problem.dataset("validation")))
    if chosen.threshold is not None:
        emit(Metric("threshold", chosen.threshold))
    emit(Artifact("candidates.csv", table(output).to_csv()))
    emit(Artifact(FILE, to_parquet(_kept(output, rows))))


def _kept(output: Output, rows: Rows) -> list[Kept]:
    """What each candidate said of the validation rows, best first."""
    roles: dict[str, Role] = {one.name: "baseline" if one.is_baseline else "candidate" for one in output.judged}
    roles[output.chosen] = "chosen"
    return [Kept(roles[one.name], one.name, rows.numbers, one.made) for one in output.judged]


def table(output: Output) -> pd.DataFrame:
    """One row per candidate, best first: its metrics and threshold."""
    rows = {one.name: {**one.metrics, "threshold": one.threshold} for one in output.judged}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "candidate"
    return frame[[output.choose_by, *(name for name in frame if name != output.choose_by)]]
