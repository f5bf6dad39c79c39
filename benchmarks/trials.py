"""Bookkeeping of a search whose fits take next to nothing."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import Figure
from benchmarks.stages import opened, seconds
from benchmarks.timing import fresh, say

TRIALS, TRIAL_SECONDS = 100, 1.0
CANDIDATE = """\
candidates:
  bayes:
    estimator: sklearn.naive_bayes.GaussianNB
    space:
      var_smoothing: {loguniform: [1.0e-12, 1.0e-3]}
"""


def measure(*, repeats: int) -> list[Figure]:
    """Time of a hundred trials beyond their fits, as a share of a hundred fits of one second."""
    found = []
    for repeat in range(repeats):
        say(f"{TRIALS} trials, {repeat + 1}/{repeats}")
        found.append(bookkeeping(TRIALS, f"many-{repeat}") - bookkeeping(1, f"one-{repeat}"))
    beyond = median(found)
    return [
        Figure(
            "tuning_overhead",
            beyond / (TRIALS * TRIAL_SECONDS),
            f"bookkeeping of {TRIALS} trials, of as many fits of {TRIAL_SECONDS:g} s",
            "",
            "< 0.05",
        ),
        Figure("milliseconds_per_trial", 1000 * beyond / (TRIALS - 1), "bookkeeping of one trial", "ms"),
    ]


def bookkeeping(trials: int, store: str) -> float:
    """Seconds of the stage ``train`` beyond what its trials took: logging, drawing parameters, and what comes after.

    Args:
        trials: How many.
        store: Name of a folder; a new one each time, as MLflow keeps a store's connection as long as the process lives.
    """
    from mlops_mlflow.lifecycle.execute import run_stages

    with opened(_use_case(trials), f"trials/{store}") as session:
        run_stages(session, "prepare")
        whole = seconds(lambda: run_stages(session, "train"))
        fitted: Any = session.output("train").fitted
        fits: float = sum(trial.seconds for one in fitted if one.search for trial in one.search.trials)
        return whole - fits


def _use_case(trials: int) -> Path:
    """The use case that `mlops init` makes, with one quick candidate and so many trials."""
    from mlops_mlflow.lifecycle.scaffold import create_use_case

    folder = fresh("trials/use_case")
    create_use_case("quick", folder)
    file = folder / "quick" / "usecase.yaml"
    before, _, rest = file.read_text(encoding="utf-8").partition("candidates:")
    tuning = f"tuning: {{metric: roc_auc, trials: {trials}}}\n"
    after = rest.partition("tuning:")[2].partition("\n")[2]
    file.write_text(before + CANDIDATE + tuning + after, encoding="utf-8")
    return folder / "quick"
