"""Search for a candidate's parameters with hyperopt."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
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
        figures: The tuning metric of each fold; empty when nothing could be measured.
        seconds: How long it took.
        error: Why it failed, if it did; a figure that is not defined is a failure, too.
        kept: Whether an earlier run tried it, and its outcome was taken over.
    """

    number: int
    params: Params
    figures: tuple[float, ...]
    seconds: float
    error: str = ""
    kept: bool = False

    @property
    def mean(self) -> float:
        """Mean over the folds; not finite when it failed."""
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
    known: Mapping[int, Trial] | None = None,
) -> Search:
    """Try parameters, the promising ones more.

    Args:
        candidate: Its search space; none gives one trial.
        tuning: How many trials, how they are drawn, when to stop.
        attempt: From parameters to the figure of each fold; an exception is a failed trial.
        seed: Same seed and figures, same trials.
        higher_is_better: Direction of the figure.
        begin: Called with each trial's number and parameters before it runs.
        end: Called with each trial after it ran; also with one that was taken over, which did not begin.
        known: Trials of an earlier search from the same seed, by number. What is drawn follows from the seed and the
            figures so far, so a search that meets its own trials again goes on exactly where it was interrupted.

    Returns:
        All trials.
    """
    done: list[Trial] = []

    def run(drawn: Params) -> Trial:
        params = {name: _plain(candidate.space[name], value) for name, value in drawn.items()}
        trial = (known or {}).get(len(done))
        if trial is None or trial.params != params:
            begin(len(done), params)
            trial = _attempt(attempt, len(done), params)
        done.append(trial)
        end(trial)
        return trial

    if not candidate.space:
        run({})
        return Search(tuple(done), truncated=False)

    from hyperopt import STATUS_FAIL, STATUS_OK

    def objective(drawn: Params) -> dict[str, Any]:
        trial = run(drawn)
        if not np.isfinite(trial.mean):
            return {"status": STATUS_FAIL}
        return {"status": STATUS_OK, "loss": -trial.mean if higher_is_better else trial.mean}

    began = time.perf_counter()

    def stale() -> bool:
        if tuning.early_stop is None:
            return False
        best = Search(tuple(done), truncated=False).best(higher_is_better=higher_is_better)
        return best is not None and len(done) - best.number > tuning.early_stop

    def late() -> bool:
        return tuning.timeout is not None and time.perf_counter() - began >= tuning.timeout.total_seconds()

    _minimise(objective, candidate, tuning, seed, lambda: stale() or late())
    return Search(tuple(done), truncated=len(done) < tuning.trials and not stale())


def _attempt(attempt: Try, number: int, params: Params) -> Trial:
    began = time.perf_counter()
    try:
        figures = attempt(params)
        error = "" if np.isfinite(figures).all() else f"the metric is not defined in every fold: {figures}"
    except Exception as failure:  # noqa: BLE001  # whatever an estimator raises is a failed trial, not the end
        figures, error = (), f"{type(failure).__name__}: {failure}"
    return Trial(number, params, figures, time.perf_counter() - began, error)


def _minimise(
    objective: Callable[[Params], Any], candidate: Candidate, tuning: Tuning, seed: int, stop: Callable[[], bool]
) -> None:
    """Run hyperopt until ``stop``, which is asked after each trial; so even a tiny time guard lets one trial run."""
    import hyperopt
    from hyperopt.exceptions import AllTrialsFailed

    algorithms = {"tpe": hyperopt.tpe.suggest, "random": hyperopt.rand.suggest, "anneal": hyperopt.anneal.suggest}
    try:
        hyperopt.fmin(
            objective,
            {name: to_hyperopt(name, distribution) for name, distribution in candidate.space.items()},
            algo=algorithms[tuning.algorithm],
            max_evals=tuning.trials,
            rstate=np.random.default_rng(seed),
            early_stop_fn=lambda *_: (stop(), []),
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
    """A drawn value as Python's own type, within its bounds; whole steps between whole bounds give whole numbers.

    hyperopt rounds to multiples of the step, which may lie outside: 1 to 9 by 2 would give 0.
    """
    kind, arguments = distribution.kind, distribution.arguments
    value = value.item() if hasattr(value, "item") else value
    if kind == "choice":
        return value
    if kind.endswith("uniform"):
        value = min(max(value, arguments[0]), arguments[1])
    exact = arguments if kind.endswith("uniform") else arguments[2:]
    whole = kind.startswith("q") and all(float(part).is_integer() for part in exact)
    return round(value) if whole or kind in {"randint", "uniformint"} else value
