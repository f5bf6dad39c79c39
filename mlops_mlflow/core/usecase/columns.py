"""Whether a dataset holds the columns that a use case names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from mlops_mlflow.core.errors import DataError, Place
from mlops_mlflow.core.usecase.document import UseCaseSpec

TIMES = ("TIMESTAMP", "DATE")


def check_columns(spec: UseCaseSpec, columns: Mapping[str, str]) -> None:
    """Refuse a dataset that lacks a column which the use case names, or holds a forbidden one.

    Raises:
        DataError: Names the column and where the use case names it.
    """
    place = Place(spec.extract) if spec.extract else None
    for name in spec.forbidden:
        if name in columns:
            raise DataError(
                f"column `{name}` is forbidden, and the dataset holds it",
                expected="a dataset without it: it is known too late, or must not decide",
                hint="take it out of the SQL's select list (it may be used there to compute the target)",
                place=place,
            )
    for role, name in _named(spec):
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1)
            raise DataError(
                f"`{role}` is `{name}`, which the dataset does not hold",
                expected=f"one of {', '.join(columns)}",
                hint=f"did you mean `{near[0]}`?" if near else "add it to the SQL's select list, or correct the name",
                place=place,
            )
    if spec.event_time and not columns[spec.event_time.column].startswith(TIMES):
        raise DataError(
            f"event time `{spec.event_time.column}` is not a time",
            expected="a column of type TIMESTAMP or DATE",
            got=columns[spec.event_time.column],
            hint="mend the values that are no times, or convert them in the SQL: "
            f'`try_cast("{spec.event_time.column}" as timestamp)`',
            place=place,
        )


def _named(spec: UseCaseSpec) -> list[tuple[str, str]]:
    named = [("target.column", spec.target.column)]
    named += [("entity_key", spec.entity_key)] if spec.entity_key else []
    named += [("event_time.column", spec.event_time.column)] if spec.event_time else []
    named += [("split.group", spec.split.group)] if spec.split.group else []
    named += [("evaluation.slices", name) for name in spec.evaluation.slices]
    named += [("features.exclude", name) for name in spec.features.exclude]
    named += [("success.by", bound.by) for bound in spec.success if bound.by]
    named += [("requirements.by", by) for bound in spec.requirements if (by := getattr(bound, "by", None))]
    return named
