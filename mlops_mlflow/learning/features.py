"""The feature pipeline: every learned transformation inside scikit-learn, so that it travels with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.errors import CandidateError, Place
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.data import Kind
from mlops_mlflow.learning.encoding import CODES_AT_MOST, ONE_HOT_AT_MOST, ROWS_PER_CODE, Encoding, encoder
from mlops_mlflow.learning.package import CodePackage


@dataclass(frozen=True)
class FeaturePlan:
    """How columns become features, before anything is fitted.

    Attributes:
        columns: Columns of the dataset that the model takes.
        kinds: Kind of each column after ``derive``; the model sees these.
        wide: Categorical columns with too many values for one column each.
        event_time: Column of which only the position in the week is used.
        coded: Categorical columns that trees get as codes; of the others they get the mean outcome of each value.
    """

    columns: tuple[str, ...]
    kinds: Mapping[str, Kind]
    wide: tuple[str, ...] = ()
    event_time: str | None = None
    coded: tuple[str, ...] = ()


def guess_kind(column: pd.Series[Any]) -> Kind:
    """Kind of a column: by its type, and for words by how many there are and how long they are."""
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_numeric_dtype(column):
        return "numeric"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "datetime"
    known = column.dropna()
    if known.map(lambda value: isinstance(value, bool)).all() and len(known):
        return "boolean"
    words = known.astype(str)
    if len(words) and (words.str.count(r"\s+") + 1).mean() >= 4 and words.nunique() > 0.5 * len(words):
        return "text"
    return "categorical"


def plan_features(
    sample: pd.DataFrame,
    declared: Mapping[str, Kind],
    package: CodePackage,
    *,
    event_time: str | None,
) -> FeaturePlan:
    """Decide the kind of every column that the model will see.

    Args:
        sample: Train rows, only the columns that the model may take.
        declared: Exceptions of the use case.
        package: The model's code, with ``derive`` if the use case has one.
        event_time: Name of the event time.

    Raises:
        CandidateError: ``derive`` fails, loses or moves rows, or a declared column does not exist or holds nothing of
            the declared kind.
    """
    derived = derive(sample, package)
    _check_row_wise(sample, derived, package)
    unknown = sorted(set(declared) - set(derived.columns))
    if unknown:
        raise CandidateError(
            f"`features.kinds` names `{unknown[0]}`, which is not a column",
            expected=", ".join(map(str, derived.columns)),
            hint="correct the name; the target, the key and excluded columns are not features",
        )
    if event_time in derived.columns:
        declared = {str(event_time): "datetime", **declared}
    kinds = {str(name): declared.get(str(name)) or guess_kind(derived[name]) for name in derived.columns}
    for name in declared:
        _check_kind(derived[name], declared[name], package)
    values = {name: derived[name].nunique() for name, kind in kinds.items() if kind == "categorical"}
    return FeaturePlan(
        tuple(sample.columns),
        kinds,
        wide=tuple(name for name, count in values.items() if count > ONE_HOT_AT_MOST),
        event_time=event_time if event_time in kinds else None,
        coded=tuple(
            name for name, count in values.items() if count <= max(CODES_AT_MOST, len(derived) // ROWS_PER_CODE)
        ),
    )


def _check_row_wise(sample: pd.DataFrame, derived: pd.DataFrame, package: CodePackage) -> None:
    """Refuse a ``derive`` whose answer for a row hangs on the other rows: a served row comes alone."""
    alone = derive(sample.tail(1), package)
    for name in derived.columns:
        left, right = (frame[name].iloc[-1] if name in frame else "(no such column)" for frame in (alone, derived))
        if not _alike(left, right):
            raise CandidateError(
                f"`derive` gives a row another `{name}` when the row comes alone",
                expected="values that follow from the row itself, as a served row has no others beside it",
                got=f"{left!r} alone, {right!r} among {len(sample)}",
                hint="compute what needs other rows in the SQL, or learn it in `preprocessor`",
                place=_file(package),
            )


def _alike(left: Any, right: Any) -> bool:
    if pd.api.types.is_number(left) and pd.api.types.is_number(right):
        return bool(np.isclose(np.asarray(left, dtype=float), np.asarray(right, dtype=float), equal_nan=True))
    return bool(left == right or (pd.isna(left) and pd.isna(right)))


def _check_kind(column: pd.Series[Any], kind: Kind, package: CodePackage) -> None:
    """Refuse a declared kind by which every value would count as missing."""
    convert = {
        "numeric": package.columns.as_numbers,
        "boolean": package.columns.as_numbers,
        "datetime": package.columns.time_of_week,
    }.get(kind)
    if convert is not None and column.notna().any() and convert(column.to_frame()).isna().all(axis=None):
        raise CandidateError(
            f"`{column.name}` is taken as {kind}, but none of its values can be read as such",
            got=repr(column.dropna().iloc[0]),
            hint="correct `features.kinds`, or convert the column in the SQL or in `derive`",
        )


def derive(table: pd.DataFrame, package: CodePackage) -> pd.DataFrame:
    """The user's row-wise columns; the table itself where there is no ``derive``."""
    hook = getattr(package.features, "derive", None)
    if hook is None:
        return table
    try:
        derived = hook(table.copy())
    except (Exception, SystemExit) as error:
        raise CandidateError(
            f"`derive` fails: {type(error).__name__}: {error}",
            got=f"a table with the columns {', '.join(map(str, table.columns))}",
            hint="mend the function; columns that the extract or `features.exclude` takes away are not there",
            place=package.place(error) or _file(package),
        ) from error
    if not isinstance(derived, pd.DataFrame) or not derived.index.equals(table.index):
        same = isinstance(derived, pd.DataFrame) and len(derived) == len(table)
        got = f"{len(derived)} rows" if isinstance(derived, pd.DataFrame) else type(derived).__name__
        raise CandidateError(
            "`derive` must give back a table with the same rows, in their order",
            expected=f"a pandas DataFrame with {len(table)} rows and the index that it was given",
            got="another order or index" if same else got,
            place=_file(package),
        )
    if not (derived.columns.is_unique and all(isinstance(name, str) for name in derived.columns) and derived.shape[1]):
        raise CandidateError(
            "`derive` must give back columns with names of their own",
            expected="at least one column, each with a different text as its name",
            got=", ".join(map(repr, derived.columns)) or "no column",
            place=_file(package),
        )
    return derived


def _file(package: CodePackage) -> Place | None:
    return Place(f"{package.features.__name__.rpartition('.')[2]}.py") if package.features else None


def build_features(plan: FeaturePlan, package: CodePackage, task: Task, encoding: Encoding, *, seed: int) -> Any:
    """An unfitted scikit-learn transformer from the dataset's columns to an array, shape (rows, features).

    Args:
        plan: How columns become features.
        package: The model's code; its ``preprocessor`` takes the place of any encoding.
        task: What is predicted.
        encoding: What the estimator behind it takes (``learning.encoding.encoding_for``).
        seed: Same seed, same features.

    Raises:
        CandidateError: ``preprocessor`` fails, or gives no transformer.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    hook = getattr(package.features, "derive", None)
    own = getattr(package.features, "preprocessor", None)
    learned = _own(own, plan, package) if own else encoder(plan, package, task, encoding, seed=seed)
    return Pipeline([("derive", FunctionTransformer(hook)), ("columns", learned)]) if hook else learned


def _own(hook: Any, plan: FeaturePlan, package: CodePackage) -> Any:
    try:
        learned = hook(dict(plan.kinds))
    except (Exception, SystemExit) as error:
        raise CandidateError(
            f"`preprocessor` fails: {type(error).__name__}: {error}",
            got=f"the kinds {dict(plan.kinds)}",
            hint="mend the function",
            place=package.place(error) or _file(package),
        ) from error
    if isinstance(learned, type) or not (hasattr(learned, "fit") and hasattr(learned, "transform")):
        raise CandidateError(
            "`preprocessor(kinds)` must give back an unfitted scikit-learn transformer",
            expected="an object with `fit` and `transform`",
            got=repr(learned)[:80],
            place=_file(package),
        )
    return learned


def fit_features(features: Any, table: pd.DataFrame, outcomes: np.ndarray[Any, Any]) -> Any:
    """Fit and apply a feature pipeline.

    Raises:
        CandidateError: It fails on these rows.
    """
    try:
        with np.errstate(invalid="ignore"):  # the mean of a column without any value
            return features.fit_transform(table, outcomes)
    except Exception as error:
        raise CandidateError(
            f"the feature pipeline cannot be fitted: {type(error).__name__}: {error}",
            got=f"{len(table)} rows with the columns {', '.join(map(str, table.columns))}",
            hint="look at `features` of the use case: kinds, exclude, and the module's hooks",
        ) from error
