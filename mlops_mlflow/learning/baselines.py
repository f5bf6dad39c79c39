"""What a candidate has to beat: a model that knows nothing, and where there is time, one that knows the week only."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.learning.package import CodePackage

BASELINE = "baseline"
SEASONAL = "baseline_week"
FEWEST_PER_HOUR = 20


def baselines(task: Task, package: CodePackage, *, event_time: str | None, table: pd.DataFrame) -> dict[str, Any]:
    """Unfitted baselines by name.

    ``baseline`` predicts the rate of each class, or the mean. ``baseline_week`` predicts the rate or mean of the same
    hour of the week, where events have a time and the train rows fill a week with enough rows for each of its hours.
    """
    from sklearn.dummy import DummyClassifier, DummyRegressor

    found: dict[str, Any] = {
        BASELINE: DummyRegressor() if task == "regression" else DummyClassifier(strategy="prior"),
    }
    if event_time is not None and len(table) >= 168 * FEWEST_PER_HOUR:
        found[SEASONAL] = _weekly(task, package, event_time)
    return found


def _weekly(task: Task, package: CodePackage, event_time: str) -> Any:
    """The mean of each hour of the week, as a tree over one number (a leaf per hour with enough rows)."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    hour = make_pipeline(FunctionTransformer(package.columns.hour_of_week), SimpleImputer(strategy="most_frequent"))
    return make_pipeline(
        ColumnTransformer([("hour", hour, [event_time])]), kind(min_samples_leaf=FEWEST_PER_HOUR, random_state=0)
    )
