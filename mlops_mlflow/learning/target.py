"""What kind of target a column is, and its outcomes as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.errors import DataError, UseCaseError
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.data import Target

MOST_CLASSES = 50


@dataclass(frozen=True)
class Outcomes:
    """What a target column holds.

    Attributes:
        task: Kind of target.
        labels: The distinct outcomes of a classification, the positive one second when there are two.
    """

    task: Task
    labels: tuple[Any, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outcomes."""
        return tuple(str(label) for label in self.labels)

    @property
    def positive(self) -> Any:
        """The outcome that a binary target is about."""
        return self.labels[1]

    def encode(self, column: pd.Series[Any] | NDArray[Any]) -> NDArray[Any]:
        """Class numbers, or numbers; shape (rows,)."""
        if self.task == "regression":
            return np.asarray(column, dtype=float)
        codes: NDArray[Any] = pd.Index(list(self.labels)).get_indexer(pd.Index(np.asarray(column)))
        if (codes < 0).any():
            unknown = np.asarray(column)[codes < 0].tolist()[0]
            raise DataError(
                f"the outcome {unknown!r} is not one of those that the model knows",
                expected=", ".join(map(repr, self.labels)),
            )
        return codes


def known_outcomes(estimator: Any, target: Target) -> Outcomes:
    """Outcomes that a fitted estimator knows; of two the positive one second, as ``recognise`` puts them."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return Outcomes("regression")
    labels = sorted(np.asarray(classes).tolist(), key=_sort_key)
    if len(labels) != 2:
        return Outcomes("multiclass", tuple(labels))
    # A classifier with a threshold says which of the two that is about.
    positive = getattr(estimator, "pos_label", target.positive)
    return Outcomes("binary", tuple(sorted(labels, key=lambda label: label == positive)))


def recognise(column: pd.Series[Any], target: Target) -> Outcomes:
    """Infer the task from a target column, or check the declared one.

    Two values are binary; words, and up to 20 distinct whole numbers, are classes; other numbers are a regression.

    Raises:
        DataError: The column is empty, has missing, infinite or single outcomes, or cannot be what was declared.
        UseCaseError: The positive outcome is not one of the two, or there are not two.
    """
    if column.isna().any():
        raise DataError(
            f"target `{target.column}` has {int(column.isna().sum())} rows without an outcome",
            expected="an outcome in every row",
            hint=f"leave them out in the extract's SQL (`where {target.column} is not null`)",
        )
    values = column.unique()
    if len(values) < 2:
        raise DataError(
            f"target `{target.column}` has one value only: {values[0] if len(values) else 'none'!r}",
            expected="at least two different outcomes",
            hint="widen the data's range, or look at the SQL that makes the column",
        )
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if numeric and not np.isfinite(column.to_numpy(dtype=float)).all():
        raise DataError(
            f"target `{target.column}` holds infinite numbers",
            expected="finite numbers",
            hint="mend the SQL that makes the column; a division by zero gives them",
        )
    whole = not numeric or bool(np.all(np.mod(column.to_numpy(dtype=float), 1) == 0))
    task = target.task or _infer(len(values), numeric=numeric, whole=whole)
    _check(task, target, len(values), numeric=numeric, whole=whole)
    if task == "regression":
        return Outcomes(task)
    labels = sorted((value.item() if hasattr(value, "item") else value for value in values), key=_sort_key)
    return Outcomes(task, tuple(labels if task == "multiclass" else _positive_last(labels, target)))


def _sort_key(label: Any) -> tuple[bool, Any]:
    return isinstance(label, str), label


def _infer(distinct: int, *, numeric: bool, whole: bool) -> Task:
    if distinct == 2 and whole:
        return "binary"
    return "regression" if numeric and not (whole and distinct <= 20) else "multiclass"


def _check(task: Task, target: Target, distinct: int, *, numeric: bool, whole: bool) -> None:
    told = "declared" if target.task else "recognised"
    if task == "regression" and not numeric:
        raise DataError(
            f"target `{target.column}` is declared as regression, but it does not hold numbers",
            expected="a column of numbers",
            hint="leave `target.task` out, or convert the column in the SQL",
        )
    if task != "regression" and not whole:
        raise DataError(
            f"target `{target.column}` is declared as {task}, but it holds fractions",
            expected="classes: words, booleans or whole numbers",
            hint="declare `task: regression`, or name the classes in the SQL",
        )
    if target.positive is not None and task != "binary":
        raise UseCaseError(
            f"`target.positive` is for a binary target, but `{target.column}` is {told} as {task}",
            expected="2 distinct values",
            got=f"{distinct} distinct values",
            hint="take `positive` out, or make the column binary in the SQL",
        )
    if task == "binary" and distinct != 2:
        raise DataError(
            f"target `{target.column}` is declared as binary, but it has {distinct} distinct values",
            expected="2 distinct values",
            hint="declare `task: multiclass` or `regression`, or mend the SQL",
        )
    if task == "multiclass" and distinct > MOST_CLASSES:
        raise DataError(
            f"target `{target.column}` is {told} as multiclass, but it has {distinct} distinct values",
            expected=f"at most {MOST_CLASSES} classes",
            hint="name the right column, or group rare classes in the SQL",
        )


def _positive_last(labels: list[Any], target: Target) -> list[Any]:
    if target.positive is None:
        return labels
    if target.positive not in labels:
        raise UseCaseError(
            f"`target.positive` is {target.positive!r}, which `{target.column}` does not hold",
            expected=" or ".join(map(repr, labels)),
        )
    return [label for label in labels if label != target.positive] + [
        label for label in labels if label == target.positive
    ]
