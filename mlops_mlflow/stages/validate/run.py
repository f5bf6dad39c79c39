"""Judge the chosen candidate on rows that nobody has seen, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding, Verdict, verdict
from mlops_mlflow.core.metrics.catalogue import DEFAULT_METRIC
from mlops_mlflow.core.metrics.measure import Predictions, measure, measure_all
from mlops_mlflow.core.monitoring.outputs import FILE as OUTPUTS
from mlops_mlflow.core.monitoring.outputs import outputs_profile
from mlops_mlflow.core.monitoring.reference import FILE as REFERENCE
from mlops_mlflow.core.records import Artifact, Dataset, Emit, Metric, ModelFile, ModelUse, Param, Progress, Tag
from mlops_mlflow.core.splits import SplitPlan, assign
from mlops_mlflow.engines.digest import row_positions
from mlops_mlflow.learning.kept import FILE, Kept, to_parquet
from mlops_mlflow.learning.predict import Predictor, predictions
from mlops_mlflow.learning.problem import Problem, Rows, blocks, chosen_model, event_nanoseconds, slice_rows
from mlops_mlflow.stages.validate.criteria import Measured, asks_more, better_than_baseline
from mlops_mlflow.stages.validate.reference import reference
from mlops_mlflow.stages.validate.requirements import judge_bound

FEWEST_COMMON = 100


@dataclass(frozen=True)
class Champion:
    """The version in Production.

    Attributes:
        version: Its number in the registry.
        predict: Its predictions; raises where it cannot take these rows.
        plan: How the rows that it was made with were divided; None where that is not known.
    """

    version: str
    predict: Predictor
    plan: SplitPlan | None


@dataclass(frozen=True)
class Inputs:
    """What is judged, and with what it is compared.

    Attributes:
        problem: The learning problem.
        chosen: Name of the candidate.
        predict: The chosen model, as it was saved and loaded again.
        threshold: At which it decides; None where there is none.
        baseline: Name of the best baseline.
        baseline_predict: Its predictions.
        champion: None where nothing is in Production.
        model_size_mb: Size of the saved model, MB.
        training_seconds: Time of the final fit, s.
        choose_by: Metric of the choice.
        clock: Monotonic, s; for latency.
    """

    problem: Problem
    chosen: str
    predict: Predictor
    threshold: float | None
    baseline: str
    baseline_predict: Predictor
    champion: Champion | None
    model_size_mb: float
    training_seconds: float
    choose_by: str
    clock: Callable[[], float]


@dataclass(frozen=True)
class SliceFigure:
    """One metric in one slice of the test rows, with its interval."""

    column: str
    value: str
    rows: int
    metric: str
    figure: float
    interval: Interval | None


@dataclass(frozen=True)
class Output:
    """The verdict and what it stands on.

    Attributes:
        verdict: ``passed``, ``failed`` or ``unknown``.
        findings: One per criterion and requirement.
        metrics: The chosen model on test rows.
        intervals: Of some of these metrics.
        baseline_metrics: The baseline on the same rows.
        champion_metrics: The champion on the rows that neither was made with; empty without one.
        slices: Figures per slice.
        made: Predictions on test rows.
        block: What the intervals resample.
        dataset: The test rows.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    baseline_metrics: Mapping[str, float]
    champion_metrics: Mapping[str, float]
    slices: tuple[SliceFigure, ...]
    made: Predictions
    block: str
    dataset: Dataset

    @property
    def pending(self) -> tuple[Finding, ...]:
        """Approvals that people still have to give."""
        return tuple(finding for finding in self.findings if finding.outcome == "pending")


def run(inputs: Inputs, emit: Emit) -> Output:
    """Judge every criterion and requirement that a program can check."""
    problem, spec = inputs.problem, inputs.problem.spec
    rows = problem.rows("test")
    numbers, block = blocks(spec, rows.about)
    emit(Progress(0, 3, "predicting the test rows"))
    measured = _measure(inputs, rows, numbers)
    emit(Progress(1, 3, "judging criteria"))
    findings = [] if asks_more(spec.success, inputs.choose_by) else [better_than_baseline(measured, inputs.choose_by)]
    findings += [judge_bound(one, measured, inputs.predict, rows.table, inputs.clock) for one in spec.success]
    emit(Progress(2, 3, "checking requirements"))
    findings += [judge_bound(one, measured, inputs.predict, rows.table, inputs.clock) for one in spec.requirements]
    names = problem.metrics
    output = Output(
        verdict(findings),
        tuple(findings),
        measure_all(names, measured.chosen) | dict(measured.technical),
        {name: found for name in shown(inputs) if (found := measured.interval(name))},
        measure_all(names, measured.baseline),
        measure_all(names, measured.champion[0]) if measured.champion else {},
        tuple(_slices(problem, measured, shown(inputs))),
        measured.chosen,
        block,
        problem.input("test"),
    )
    _log(inputs, output, emit)
    emit(Artifact(FILE, to_parquet(list(_kept(inputs, measured, rows)))))
    # With the run as well: a later call that takes this result over sees by it whether the model still carries it.
    figures = json.dumps(reference(problem, measured, rows, block).to_dict())
    emit(Artifact(REFERENCE, figures))
    emit(ModelFile(chosen_model(inputs.chosen), REFERENCE, figures))
    said = json.dumps(outputs_profile(measured.chosen).to_dict())
    emit(ModelFile(chosen_model(inputs.chosen), OUTPUTS, said))
    return output


def shown(inputs: Inputs) -> tuple[str, ...]:
    """Metrics that are worth an interval: that of the choice, and the usual one of the task."""
    return tuple(dict.fromkeys([inputs.choose_by, DEFAULT_METRIC[inputs.problem.outcomes.task]]))


def _measure(inputs: Inputs, rows: Rows, numbers: NDArray[np.int64]) -> Measured:
    champion, silent = (None, "") if inputs.champion is None else _compare(inputs, inputs.champion, rows)
    return Measured(
        chosen=_made(inputs, inputs.predict, rows),
        baseline=_made(inputs, inputs.baseline_predict, rows),
        champion=champion,
        champion_silent=silent,
        about=rows.about,
        blocks=numbers,
        seed=inputs.problem.spec.seed,
        technical={"model_size_mb": inputs.model_size_mb, "training_seconds": inputs.training_seconds},
    )


def _made(inputs: Inputs, predict: Predictor, rows: Rows) -> Predictions:
    problem = inputs.problem
    return predictions(predict, rows.table, rows.actual, problem.outcomes, problem.spec.value)


def _compare(
    inputs: Inputs, champion: Champion, rows: Rows
) -> tuple[tuple[Predictions, NDArray[np.int64]] | None, str]:
    """The champion's predictions and the test rows that they are of; or None, and why there are none."""
    called = f"the champion (version {champion.version})"
    fresh = _unseen(inputs.problem, champion.plan, rows)
    if fresh is None:
        return None, f"which of the test rows {called} was made with cannot be told from what it carries"
    if len(fresh) < FEWEST_COMMON:
        return None, f"only {len(fresh)} test rows are new to {called}"
    try:
        return (_made(inputs, champion.predict, rows).take(fresh), fresh), ""
    except Exception as error:  # noqa: BLE001  # whatever an old model raises on new rows is a finding
        told = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return None, f"{called} cannot predict these rows: {told}"


def _unseen(problem: Problem, plan: SplitPlan | None, rows: Rows) -> NDArray[np.int64] | None:
    """Test rows that a version with this plan was neither trained nor chosen on; None where that cannot be told."""
    spec, strata = problem.spec, None
    if plan is None:
        return None
    if plan.by == "time":
        if spec.event_time is None:
            return None
        positions: NDArray[Any] = event_nanoseconds(spec, problem.columns, rows.about[spec.event_time.column])
    else:
        # A hash of other columns than the plan's would scatter the rows anew, those of its training into test.
        if plan.columns is None or not set(plan.columns) <= set(problem.columns):
            return None
        positions = row_positions(problem.path, plan.columns, seed=plan.seed)[rows.numbers]
        strata = np.asarray(rows.actual, dtype=object) if plan.by == "stratified" else None
    return np.flatnonzero(assign(plan, positions, strata) == 2)


def _kept(inputs: Inputs, measured: Measured, rows: Rows) -> Iterator[Kept]:
    """What each model said of the test rows; of the champion's, those that are new to it."""
    yield Kept("chosen", inputs.chosen, rows.numbers, measured.chosen)
    yield Kept("baseline", inputs.baseline, rows.numbers, measured.baseline)
    if inputs.champion is not None and measured.champion is not None:
        made, fresh = measured.champion
        yield Kept("champion", inputs.champion.version, rows.numbers[fresh], made)


def _slices(problem: Problem, measured: Measured, names: tuple[str, ...]) -> Iterator[SliceFigure]:
    spec = problem.spec
    for column in spec.evaluation.slices:
        for value, inside in slice_rows(measured.about[column], spec.evaluation.minimum_rows):
            for name in names:
                figure = measure(name, measured.chosen.take(inside))
                yield SliceFigure(column, value, len(inside), name, figure, measured.interval(name, inside))


def _log(inputs: Inputs, output: Output, emit: Emit) -> None:
    problem = inputs.problem
    name, dataset = chosen_model(inputs.chosen), problem.dataset("test")
    emit(output.dataset)
    emit(ModelUse(name, "input"))
    emit(Tag("mlops.verdict", output.verdict))
    emit(Param("chosen", inputs.chosen))
    for metric, figure in output.metrics.items():
        if np.isfinite(figure):
            emit(Metric(metric, figure, model=name, dataset=dataset))
    for metric, interval in output.intervals.items():
        emit(Metric(f"{metric}_low", interval.low))
        emit(Metric(f"{metric}_high", interval.high))
    for metric, figure in output.baseline_metrics.items():
        if np.isfinite(figure):
            emit(Metric(f"baseline_{metric}", figure, dataset=dataset))
    for metric, figure in output.champion_metrics.items():
        if np.isfinite(figure):
            emit(Metric(f"champion_{metric}", figure, dataset=dataset))
    emit(Artifact("verdict.json", json.dumps(verdict_dict(output), indent=2)))
    emit(Artifact("findings.csv", table(output).to_csv(index=False)))


def verdict_dict(output: Output) -> dict[str, Any]:
    """The verdict, its findings and figures as plain values; figures that are not defined are left out."""
    return {
        "verdict": output.verdict,
        "findings": [asdict(finding) for finding in output.findings],
        "metrics": {name: figure for name, figure in output.metrics.items() if np.isfinite(figure)},
        "intervals": {name: asdict(interval) for name, interval in output.intervals.items()},
        "interval_blocks": output.block,
    }


def table(output: Output) -> pd.DataFrame:
    """One row per criterion and requirement: outcome, figure, bound, interval, reason."""
    return pd.DataFrame(
        [
            {
                "outcome": finding.outcome,
                "subject": finding.subject,
                "kind": finding.kind,
                "figure": finding.figure,
                "bound": finding.limit,
                "low": finding.interval.low if finding.interval else None,
                "high": finding.interval.high if finding.interval else None,
                "rows": finding.rows,
                "reason": finding.reason,
            }
            for finding in output.findings
        ]
    )
