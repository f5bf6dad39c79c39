"""The search for a candidate's parameters, each trial a run of its own; trials of earlier runs are taken over."""

from __future__ import annotations

import json

import numpy as np

from mlops_mlflow.core.plain import to_plain
from mlops_mlflow.core.records import ChildEnd, ChildRun, Emit, Metric, Param, Progress, Tag
from mlops_mlflow.learning.search import Params, Search, Trial, run_search
from mlops_mlflow.stages.train.before import Before
from mlops_mlflow.stages.train.workshop import Workshop


def search(workshop: Workshop, name: str, before: Before | None, emit: Emit, progress: tuple[int, int]) -> Search:
    """Try parameters of a candidate.

    Args:
        workshop: Where.
        name: Of the candidate.
        before: What earlier runs found out about it.
        emit: Takes what is to be logged.
        progress: Steps done before, and steps of the whole stage.

    Raises:
        CandidateError: The features cannot be fitted.
    """
    spec = workshop.problem.spec
    trials = _Trials(workshop, name, before, emit, progress)
    return run_search(
        spec.candidates[name],
        spec.tuning,
        trials.attempt,
        seed=spec.seed,
        higher_is_better=workshop.higher_is_better,
        begin=trials.begin,
        end=trials.end,
        known=before.trials if before else None,
    )


class _Trials:
    """Makes each trial, and says what is to be logged of it."""

    def __init__(
        self, workshop: Workshop, name: str, before: Before | None, emit: Emit, progress: tuple[int, int]
    ) -> None:
        self._workshop, self._name, self._emit = workshop, name, emit
        self._done, self._total = progress
        self._tags = {"mlops.kind": "trial", "mlops.candidate": name}
        self._tags |= {"mlops.search": before.key} if before else {}
        self._encoding = workshop.encoding(name)
        self._best: float | None = None

    def begin(self, number: int, params: Params) -> None:
        """A trial that is to run."""
        workshop, name, emit, key = self._workshop, self._name, self._emit, self._key(number)
        workshop.prepared(self._encoding)  # features that cannot be fitted are no failure of a trial
        emit(Progress(self._done + number, self._total, f"{name}, trial {number + 1}"))
        emit(ChildRun(key, key, self._tags))
        fixed = workshop.problem.spec.candidates[name].fixed
        for param, value in {"candidate": name, **fixed, **params}.items():
            emit(Param(param, value, key))

    def attempt(self, params: Params) -> tuple[float, ...]:
        """The figure of each fold."""
        return self._workshop.attempt(self._name, self._encoding, params)

    def end(self, trial: Trial) -> None:
        """A trial that ran, or was taken over."""
        if np.isfinite(trial.mean):
            self._improve(trial)
        if not trial.kept:
            self._close(trial)

    def _improve(self, trial: Trial) -> None:
        extreme = max if self._workshop.higher_is_better else min
        self._best = trial.mean if self._best is None else extreme(self._best, trial.mean)
        self._emit(Metric(f"best_{self._workshop.metric}_{self._name}", self._best, step=trial.number))

    def _close(self, trial: Trial) -> None:
        emit, metric, key = self._emit, self._workshop.metric, self._key(trial.number)
        if trial.error or not np.isfinite(trial.mean):
            emit(Tag("mlops.error", trial.error or f"{metric} is not defined in every fold", key))
            emit(ChildEnd(key, "FAILED"))
            return
        emit(Metric(metric, trial.mean, dataset=self._workshop.problem.dataset("train"), run=key))
        emit(Metric(f"{metric}_std", float(np.std(trial.figures)), run=key))
        emit(Metric("trial_seconds", trial.seconds, run=key))
        emit(Tag("mlops.trial", json.dumps(to_plain(trial)), key))
        emit(ChildEnd(key))

    def _key(self, number: int) -> str:
        return f"{self._name}-{number:03}"
