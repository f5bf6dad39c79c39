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
from mlops_mlflow.learning.package import CodePackage

ONE_HOT_AT_MOST = 30
TEXT_TERMS = 200


@dataclass(frozen=True)
class FeaturePlan:
    """How columns become features, before anything is fitted.

    Attributes:
        columns: Columns of the dataset that the model takes.
        kinds: Kind of each column after ``derive``; the model sees these.
        wide: Categorical columns with too many values for one column each.
        event_time: Column of which only the position in the week is used.
    """

    columns: tuple[str, ...]
    kinds: Mapping[str, Kind]
    wide: tuple[str, ...] = ()
    event_time: str | None = None


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
    if len(words) and words.str.split().str.len().mean() >= 4 and words.nunique() > 0.5 * len(words):
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
        CandidateError: ``derive`` fails, loses rows, or a declared column does not exist.
    """
    derived = derive(sample, package)
    unknown = sorted(set(declared) - set(derived.columns))
    if unknown:
        raise CandidateError(
            f"`features.kinds` names `{unknown[0]}`, which is not a column",
            expected=", ".join(map(str, derived.columns)),
            hint="correct the name; the target, the key and excluded columns are not features",
        )
    kinds = {str(name): declared.get(str(name)) or guess_kind(derived[name]) for name in derived.columns}
    wide = [name for name, kind in kinds.items() if kind == "categorical" and derived[name].nunique() > ONE_HOT_AT_MOST]
    return FeaturePlan(tuple(sample.columns), kinds, tuple(wide), event_time if event_time in kinds else None)


def derive(table: pd.DataFrame, package: CodePackage) -> pd.DataFrame:
    """The user's row-wise columns; the table itself where there is no ``derive``."""
    hook = getattr(package.features, "derive", None)
    if hook is None:
        return table
    file = f"{package.features.__name__.rsplit('.', 1)[-1]}.py" if package.features else ""
    try:
        derived = hook(table.copy())
    except Exception as error:
        raise CandidateError(
            f"`derive` fails: {type(error).__name__}: {error}",
            got=f"a table with the columns {', '.join(map(str, table.columns))}",
            hint="mend the function; columns that the extract or `features.exclude` takes away are not there",
            place=Place(file),
        ) from error
    if not isinstance(derived, pd.DataFrame) or len(derived) != len(table):
        got = f"{len(derived)} rows" if isinstance(derived, pd.DataFrame) else type(derived).__name__
        raise CandidateError(
            "`derive` must give back a table with the same rows",
            expected=f"a pandas DataFrame with {len(table)} rows",
            got=got,
            place=Place(file),
        )
    return derived


def build_features(plan: FeaturePlan, package: CodePackage, task: Task, *, seed: int) -> Any:
    """An unfitted scikit-learn transformer from the dataset's columns to an array, shape (rows, features)."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    hook = getattr(package.features, "preprocessor", None)
    learned = _own(hook, plan) if hook else _default(plan, package, task, seed)
    if hasattr(package.features, "derive"):
        return Pipeline([("derive", FunctionTransformer(package.features.derive)), ("columns", learned)])
    return learned


def _own(hook: Any, plan: FeaturePlan) -> Any:
    learned = hook(dict(plan.kinds))
    if not (hasattr(learned, "fit") and hasattr(learned, "transform")):
        raise CandidateError(
            "`preprocessor(kinds)` must give back an unfitted scikit-learn transformer",
            expected="an object with `fit` and `transform`",
            got=type(learned).__name__,
        )
    return learned


def _default(plan: FeaturePlan, package: CodePackage, task: Task, seed: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

    ours = package.columns

    def convert(name: str) -> Any:
        return FunctionTransformer(getattr(ours, name))

    def scaled(name: str) -> Any:
        return make_pipeline(convert(name), SimpleImputer(add_indicator=True), StandardScaler())

    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=ONE_HOT_AT_MOST, sparse_output=False)
    by_target = TargetEncoder(target_type="auto" if task != "regression" else "continuous", random_state=seed, cv=3)
    of = {kind: [name for name, found in plan.kinds.items() if found == kind] for kind in set(plan.kinds.values())}
    narrow = [name for name in of.get("categorical", []) if name not in plan.wide]
    dates = [name for name in of.get("datetime", []) if name != plan.event_time]
    steps = [
        ("numbers", scaled("as_numbers"), of.get("numeric", []) + of.get("boolean", [])),
        ("categories", make_pipeline(convert("as_categories"), one_hot), narrow),
        ("wide", make_pipeline(convert("as_categories"), by_target, StandardScaler()), list(plan.wide)),
        ("dates", scaled("calendar"), dates),
        ("week", scaled("time_of_week"), [plan.event_time] if plan.event_time else []),
        *(
            (f"text_{name}", make_pipeline(convert("as_text"), TfidfVectorizer(max_features=TEXT_TERMS)), name)
            for name in of.get("text", [])
        ),
    ]
    return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0.0)


def fit_features(features: Any, table: pd.DataFrame, outcomes: np.ndarray[Any, Any]) -> Any:
    """Fit and apply a feature pipeline.

    Raises:
        CandidateError: It fails on these rows.
    """
    try:
        return features.fit_transform(table, outcomes)
    except Exception as error:
        raise CandidateError(
            f"the feature pipeline cannot be fitted: {type(error).__name__}: {error}",
            got=f"{len(table)} rows with the columns {', '.join(map(str, table.columns))}",
            hint="look at `features` of the use case: kinds, exclude, and the module's hooks",
        ) from error
