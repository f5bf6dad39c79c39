"""Search each candidate's parameters, fit the best of each, and fit the baselines beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from mlops_mlflow.core.errors import CandidateError
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, DEFAULT_METRIC
from mlops_mlflow.core.records import Artifact, Emit, Metric, Model, ModelAgain, Param, Progress, Tag
from mlops_mlflow.learning.estimators import build_estimator, check_task
from mlops_mlflow.learning.problem import Problem
from mlops_mlflow.stages.train.before import Before, KeptModel, fit_key
from mlops_mlflow.stages.train.fits import Fitted, fit_baselines, fit_best
from mlops_mlflow.stages.train.trials import search
from mlops_mlflow.stages.train.workshop import Workshop

__all__ = ["Before", "Inputs", "KeptModel", "Output", "fit_key", "run", "table"]


@dataclass(frozen=True)
class Inputs:
    """The learning problem, and what earlier runs found out about it, by name of the candidate."""

    problem: Problem
    before: Mapping[str, Before] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """The leaderboard, best first; and candidates of which every trial failed, with the reason."""

    metric: str
    fitted: tuple[Fitted, ...]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def truncated(self) -> tuple[str, ...]:
        """Candidates whose search the time guard cut: another run may get further."""
        return tuple(one.name for one in self.fitted if one.search and one.search.truncated)


def run(inputs: Inputs, emit: Emit) -> Output:
    """Tune and fit.

    Raises:
        CandidateError: The features cannot be fitted, or no candidate could be.
    """
    problem, spec = inputs.problem, inputs.problem.spec
    metric = spec.tuning.metric or DEFAULT_METRIC[problem.outcomes.task]
    for name, candidate in spec.candidates.items():
        check_task(name, candidate, build_estimator(name, candidate, {}, seed=spec.seed), problem.outcomes.task)
    workshop = Workshop(problem, problem.rows("train", spec.tuning.rows), metric)
    for name, value in {"metric": metric, "folds": spec.tuning.folds, "algorithm": spec.tuning.algorithm}.items():
        emit(Param(name, value))
    emit(Param("seed", spec.seed))
    emit(Param("rows", len(workshop.rows)))
    emit(problem.input("train"))
    fitted, failed = _fit_candidates(workshop, inputs.before, emit)
    fitted += fit_baselines(workshop)
    sign = -1 if CATALOGUE[metric].higher_is_better else 1
    output = Output(metric, tuple(sorted(fitted, key=lambda one: sign * one.mean)), failed)
    _log(workshop, inputs, output, emit)
    return output


def _fit_candidates(
    workshop: Workshop, before: Mapping[str, Before], emit: Emit
) -> tuple[list[Fitted], dict[str, str]]:
    """Candidates with their best parameters; and by name why every trial of another failed."""
    spec, fitted, failed, done = workshop.problem.spec, [], {}, 1
    total = sum(spec.tuning.trials if one.space else 1 for one in spec.candidates.values()) + 2
    emit(Progress(0, total, "fitting the features of each fold"))
    for name in spec.candidates:
        found = search(workshop, name, before.get(name), emit, (done, total))
        done += len(found.trials)
        best = found.best(higher_is_better=workshop.higher_is_better)
        if best is None:
            failed[name] = found.trials[0].error.partition("\n")[0]
            continue
        emit(Progress(done, total, f"fitting {name} on all train rows"))
        fitted.append(fit_best(workshop, name, best, found, before.get(name)))
    if not fitted:
        raise CandidateError(
            "no candidate could be fitted: every trial failed",
            expected="one trial of one candidate that can be fitted and measured",
            got="; ".join(f"{name}: {error}" for name, error in failed.items()),
            hint="correct `fixed` and `space` of the candidates; each failed trial is a run that says why",
        )
    return fitted, failed


def _log(workshop: Workshop, inputs: Inputs, output: Output, emit: Emit) -> None:
    problem, metric = inputs.problem, output.metric
    example = workshop.rows.table.head(100)
    for one in output.fitted:
        if one.ref is not None:
            emit(ModelAgain(one.name, one.ref))
        else:
            emit(_model(inputs, metric, one, example))
        emit(Metric(f"{metric}_{one.name}", one.mean, model=one.name, dataset=problem.dataset("train")))
    if output.truncated:
        emit(Tag("mlops.truncated", ", ".join(output.truncated)))
    emit(Metric(metric, next(one for one in output.fitted if not one.is_baseline).mean))
    emit(Artifact("leaderboard.csv", table(output).to_csv()))


def _model(inputs: Inputs, metric: str, one: Fitted, example: pd.DataFrame) -> Model:
    spec, before = inputs.problem.spec, inputs.before.get(one.name)
    found_by = {}
    if before is not None and one.search is not None:
        best = one.search.best(higher_is_better=CATALOGUE[metric].higher_is_better)
        found_by = {"mlops.fit": fit_key(before.key, best.params if best else {})}
    return Model(
        one.name,
        one.estimator,
        example,
        code=inputs.problem.package.folder,
        trusted_types=spec.features.trusted_types,
        params=one.params,
        tags={
            "mlops.candidate": one.name,
            "mlops.use_case": spec.use_case,
            "mlops.fit_seconds": f"{one.fit_seconds:.6g}",
            **found_by,
        },
    )


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
