"""Cross-validation inside the train rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.learning.problem import Problem, Rows, event_nanoseconds

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def folds(problem: Problem, rows: Rows) -> list[Fold]:
    """Pairs of row numbers to fit on and to judge on, in the manner of the use case's split.

    By time each fold is judged on the next stretch after the rows that it is fitted on, and equal times stay together.
    """
    spec, count = problem.spec, problem.spec.tuning.folds
    if spec.split.by == "time" and spec.event_time:
        return list(_by_time(event_nanoseconds(spec, problem.columns, rows.about[spec.event_time.column]), count))
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

    blank = np.zeros(len(rows))
    if spec.split.by == "grouped":
        return list(GroupKFold(count).split(blank, rows.actual, rows.about[spec.split.group]))
    kind: Any = KFold if problem.outcomes.task == "regression" else StratifiedKFold
    return list(kind(count, shuffle=True, random_state=spec.seed).split(blank, problem.outcomes.encode(rows.actual)))


def _by_time(times: NDArray[np.int64], count: int) -> Iterator[Fold]:
    ordered = np.sort(times)
    cuts = [ordered[len(ordered) * number // (count + 1)] for number in range(1, count + 1)]
    for begin, end in zip(cuts, [*cuts[1:], np.iinfo(np.int64).max], strict=True):
        yield np.flatnonzero(times < begin), np.flatnonzero((times >= begin) & (times < end))
