"""Cross-validation inside the train rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.learning.problem import Problem, Rows, event_nanoseconds

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]

HOLD_OUT_OF = 4
"""One hold-out is the last of so many folds."""


def folds(problem: Problem, rows: Rows) -> list[Fold]:
    """Pairs of row numbers to fit on and to judge on, in the manner of the use case's split.

    By time each fold is judged on the next stretch after the rows that it is fitted on, and equal times stay together;
    where many times are equal there may be fewer folds than asked for. A single fold is the last of four: by time it
    is fitted on the most rows and judged on the newest.

    Raises:
        DataError: There are too few rows, times or groups for so many folds.
    """
    asked = problem.spec.tuning.folds
    return _folds(problem, rows, HOLD_OUT_OF)[-1:] if asked == 1 else _folds(problem, rows, asked)


def _folds(problem: Problem, rows: Rows, count: int) -> list[Fold]:
    spec = problem.spec
    if spec.split.by == "time" and spec.event_time:
        found = list(_by_time(event_nanoseconds(spec, problem.columns, rows.about[spec.event_time.column]), count))
        return found if found else _refuse("distinct times", 1, 2)
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

    blank = np.zeros(len(rows))
    if spec.split.by == "grouped":
        groups = pd.factorize(rows.about[spec.split.group], use_na_sentinel=False)[0]
        distinct = len(np.unique(groups))
        return (
            list(GroupKFold(count).split(blank, groups=groups))
            if distinct >= count
            else _refuse("groups", distinct, count)
        )
    encoded = problem.outcomes.encode(rows.actual)
    if problem.outcomes.task == "regression":
        if len(rows) < count:
            return _refuse("rows", len(rows), count)
        kind: Any = KFold
    else:
        fewest = int(np.bincount(encoded, minlength=len(problem.outcomes.labels)).min())
        if fewest < count:
            return _refuse("rows of each class", fewest, count)
        kind = StratifiedKFold
    return list(kind(count, shuffle=True, random_state=spec.seed).split(blank, encoded))


def _by_time(times: NDArray[np.int64], count: int) -> Iterator[Fold]:
    ordered, distinct = np.sort(times), np.unique(times)
    if len(distinct) < 2:
        return
    cuts = sorted({max(ordered[len(ordered) * part // (count + 1)], distinct[1]) for part in range(1, count + 1)})
    for begin, end in zip(cuts, [*cuts[1:], ordered[-1] + 1], strict=True):
        yield np.flatnonzero(times < begin), np.flatnonzero((times >= begin) & (times < end))


def _refuse(what: str, got: int, needed: int) -> NoReturn:
    raise DataError(
        "the train rows are too few for cross-validation",
        expected=f"at least {needed} {what}",
        got=f"{got} {what}",
        hint="extract more rows, or take fewer folds: `tuning: {folds: 2}` needs the fewest rows",
    )
