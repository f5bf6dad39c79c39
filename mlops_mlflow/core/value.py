"""Worth of predictions at the prices of a use case."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.success import Value

Floats = NDArray[np.float64]


def worth_matrix(value: Value, classes: tuple[str, ...]) -> Floats:
    """Worth of each pair of classes, shape (actual, predicted); for a binary target the positive class comes second.

    Raises:
        UseCaseError: The prices are not for these classes.
    """
    if value.matrix is not None:
        priced = {*value.matrix, *(name for row in value.matrix.values() for name in row)}
        for name in sorted(priced - set(classes)):
            raise UseCaseError(
                f"`value.matrix` prices `{name}`, which is not an outcome of the target",
                expected=", ".join(classes),
                hint="correct the name; a pair that is not named is worth 0",
            )
        return np.array([[value.matrix.get(a, {}).get(p, 0.0) for p in classes] for a in classes], dtype=float)
    _suits(value, "binary" if len(classes) == 2 else "multiclass")
    outcomes = (value.true_negative, value.false_positive, value.false_negative, value.true_positive)
    return np.array([0.0 if worth is None else worth for worth in outcomes]).reshape(2, 2)


def worth_of_errors(value: Value, actual: Floats, predicted: Floats) -> Floats:
    """Worth of each row of a regression: units too high times ``over`` plus units too low times ``under``.

    Raises:
        UseCaseError: The prices are not for a regression.
    """
    _suits(value, "regression")
    error = predicted - actual
    return np.where(error > 0, error * (value.over or 0.0), -error * (value.under or 0.0))


def check_prices(value: Value, task: Task, classes: tuple[str, ...]) -> None:
    """Refuse prices that are for another kind of target, or for outcomes that it does not have.

    Raises:
        UseCaseError: Names what does not suit.
    """
    _suits(value, task)
    if task != "regression":
        worth_matrix(value, classes)


def _suits(value: Value, task: Task) -> None:
    if value.form != task and not (value.form == "multiclass" and task == "binary"):
        raise UseCaseError(
            f"`value` prices a {value.form} target, but this one is {task}",
            expected={
                "binary": "`true_positive`, `false_positive`, `true_negative`, `false_negative`",
                "multiclass": "`matrix`",
                "regression": "`over` and `under`",
            }[task],
            hint="price what the target holds, or declare `target: {task: ...}`",
        )
