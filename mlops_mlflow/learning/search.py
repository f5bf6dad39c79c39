"""Search for a candidate's parameters with hyperopt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_mlflow.core.usecase.candidates import Candidate, Distribution, Tuning

Params = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One set of parameters and how it did.

    Attributes:
        number: From 0.
        params: What was drawn.
        figures: The tuning metric of each fold; empty when the trial failed.
        seconds: How long it took.
        error: Why it failed, if it did.
    """

    number: int
    params: Params
    figures: tuple[float, ...]
    seconds: float
    error: str = ""

    @property
    def mean(self) -> float:
        """Mean over the folds; NaN when it failed."""
        return float(np.mean(self.figures)) if self.figures else float("nan")


@dataclass(frozen=True)
class Search:
    """A finished search.

    Attributes:
        trials: In the order in which they ran.
        truncated: Whether the time guard cut it.
    """

    trials: tuple[Trial, ...]
    truncated: bool

    def best(self, *, higher_is_better: bool) -> Trial | None:
        """The best trial that did not fail; the earliest of equals."""
        worked = [trial for trial in self.trials if np.isfinite(trial.mean)]
        sign = -1 if higher_is_better else 1
        return min(worked, key=lambda trial: sign * trial.mean, default=None)


Try = Callable[[Params], "tuple[float, ...]"]


def run_search(
    candidate: Candidate,
    tuning: Tuning,
    attempt: Try,
    *,
    seed: int,
    higher_is_better: bool,
    begin: Callable[[int, Params], None],
    end: Callable[[Trial], None],
) -> Search:
    """Try parameters, the promising ones more.

    Args:
        candidate: Its search space; none gives one trial.
        tuning: How many trials, how they are drawn, when to stop.
        attempt: From parameters to the figure of each fold; an exception is a failed trial.
        seed: Same seed and number of trials, same trials.
        higher_is_better: Direction of the figure.
        begin: Called with each trial's number and parameters before it runs.
        end: Called with each trial after it ran.

    Returns:
        All trials.
    """
    done: list[Trial] = []

    def objective(drawn: Params) -> dict[str, Any]:
        from hyperopt import STATUS_FAIL, STATUS_OK

        params = {name: _plain(candidate.space[name], value) for name, value in drawn.items()}
        begin(len(done), params)
        trial = _attempt(attempt, len(done), params)
        done.append(trial)
        end(trial)
        if not np.isfinite(trial.mean):
            return {"status": STATUS_FAIL}
        return {"status": STATUS_OK, "loss": -trial.mean if higher_is_better else trial.mean}

    if not candidate.space:
        objective({})
        return Search(tuple(done), truncated=False)

    def stale() -> bool:
        best = Search(tuple(done), truncated=False).best(higher_is_better=higher_is_better)
        return tuning.early_stop is not None and best is not None and len(done) - best.number > tuning.early_stop

    _minimise(objective, candidate, tuning, seed, stale)
    return Search(tuple(done), truncated=len(done) < tuning.trials and not stale())


def _attempt(attempt: Try, number: int, params: Params) -> Trial:
    began = time.perf_counter()
    try:
        figures, error = attempt(params), ""
    except Exception as failure:  # noqa: BLE001  # whatever an estimator raises is a failed trial, not the end
        figures, error = (), f"{type(failure).__name__}: {failure}"
    return Trial(number, params, figures, time.perf_counter() - began, error)


def _minimise(
    objective: Callable[[Params], Any], candidate: Candidate, tuning: Tuning, seed: int, stale: Callable[[], bool]
) -> None:
    import hyperopt
    from hyperopt.exceptions import AllTrialsFailed

    algorithms = {"tpe": hyperopt.tpe.suggest, "random": hyperopt.rand.suggest, "anneal": hyperopt.anneal.suggest}
    try:
        hyperopt.fmin(
            objective,
            {name: to_hyperopt(name, distribution) for name, distribution in candidate.space.items()},
            algo=algorithms[tuning.algorithm],
            max_evals=tuning.trials,
            timeout=None if tuning.timeout is None else tuning.timeout.total_seconds(),
            rstate=np.random.default_rng(seed),
            early_stop_fn=lambda *_: (stale(), []),
            trials=hyperopt.Trials(),
            show_progressbar=False,
            verbose=False,
        )
    except AllTrialsFailed:
        return  # the caller finds no best trial and says why each failed


def to_hyperopt(name: str, distribution: Distribution) -> Any:
    """A distribution as ``hyperopt.hp`` has it; bounds of log distributions become logarithms."""
    from hyperopt import hp

    kind, arguments = distribution.kind, distribution.arguments
    if kind == "choice":
        return hp.choice(name, list(arguments))
    if kind.endswith("loguniform"):
        return getattr(hp, kind)(name, np.log(arguments[0]), np.log(arguments[1]), *arguments[2:])
    return getattr(hp, kind)(name, *arguments)


def _plain(distribution: Distribution, value: Any) -> Any:
    """A drawn value as Python's own type; whole steps between whole bounds give whole numbers."""
    value = value.item() if hasattr(value, "item") else value
    whole = distribution.kind.startswith("q") and all(float(part).is_integer() for part in distribution.arguments)
    return round(value) if whole or distribution.kind in {"randint", "uniformint"} else value
