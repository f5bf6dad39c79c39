"""How much each column alone tells about the target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.engines.tables import read_rows

FOLDS = 3
DEPTH = 4
SMALLEST_LEAF = 20
LARGEST = 1e30


def associations(
    path: Path, target: str, task: Task, columns: Sequence[str], *, sample: int = 20_000, seed: int
) -> dict[str, float]:
    """Strength of each column alone for the target, from 0 (tells nothing) to 1 (tells all).

    A shallow decision tree on the one column is judged by cross-validation on a seeded sample: for classes by 2 x ROC
    AUC - 1 (one against the rest, averaged), for a quantity by R²; negative figures count as 0. Missing values are
    values of their own. Texts are encoded by the target, inside the folds.

    Args:
        path: A Parquet file.
        target: Column that is predicted; rows without it are left out.
        task: What kind of prediction it is.
        columns: What to judge.
        sample: How many rows at most.
        seed: Of the sample, the folds and the trees.

    Raises:
        DataError: The sample does not hold enough of each class to be cross-validated.
    """
    import numpy as np
    import pyarrow.parquet as pq

    rows = pq.read_metadata(path).num_rows
    chosen = np.sort(np.random.default_rng(seed).choice(rows, size=min(sample, rows), replace=False))
    wanted = [name for name in columns if name != target]
    table = read_rows(path, [target, *wanted], chosen)
    table = table[table[target].notna()]
    outcome = table[target].to_numpy()
    if task != "regression":
        outcome, table = _of_frequent_classes(outcome, table, target)
    return {name: _strength(table[[name]], outcome, task, seed) for name in wanted}


def _of_frequent_classes(outcome: Any, table: Any, target: str) -> tuple[Any, Any]:
    """Numbers for classes, without those too rare to be in every fold."""
    import numpy as np

    values, numbers, counts = np.unique(outcome.astype(str), return_inverse=True, return_counts=True)
    frequent = counts >= FOLDS
    if frequent.sum() < 2:
        raise DataError(
            f"nothing can be said of what tells about `{target}`: fewer than two of its classes come {FOLDS} times",
            expected="at least two classes",
            got=", ".join(f"{value} ({count})" for value, count in zip(values[:10], counts[:10], strict=True))
            or "no rows",
            hint="look at the target in the SQL",
        )
    kept = frequent[numbers]
    return np.unique(numbers[kept], return_inverse=True)[1], table[kept]


def _strength(column: Any, outcome: Any, task: Task, seed: int) -> float:
    from sklearn.model_selection import cross_val_score

    scoring = {"regression": "r2", "binary": "roc_auc", "multiclass": "roc_auc_ovr"}[task]
    features = _numbers_or_texts(column)
    scores = cross_val_score(
        _model(features, task, seed), features, outcome, cv=_folds(task, seed), scoring=scoring, error_score="raise"
    )
    score = float(scores.mean())
    return min(max(score if task == "regression" else 2 * score - 1, 0.0), 1.0)


def _numbers_or_texts(column: Any) -> Any:
    """Times as seconds and booleans as 0 and 1; texts stay, with a word for the missing ones."""
    import numpy as np

    series = column.iloc[:, 0]
    if series.dtype == object:
        return column.astype(object).where(series.notna().to_frame(series.name), "(missing)").astype(str)
    if series.dtype.kind == "M":
        seconds = series.astype("int64").to_numpy() / 1e9
        return np.where(series.isna(), np.nan, seconds).reshape(-1, 1)
    # The tree computes in float32: what its sums could not hold, and infinity, is the largest that they can.
    return np.clip(series.to_numpy(dtype="float64"), -LARGEST, LARGEST).reshape(-1, 1)


def _model(features: Any, task: Task, seed: int) -> Any:
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import TargetEncoder
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = (DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier)(
        max_depth=DEPTH, min_samples_leaf=SMALLEST_LEAF, random_state=seed
    )
    if isinstance(features, np.ndarray):
        return tree
    kind = {"regression": "continuous", "binary": "binary", "multiclass": "multiclass"}[task]
    return make_pipeline(TargetEncoder(target_type=kind, cv=_folds(task, seed)), tree)


def _folds(task: Task, seed: int) -> Any:
    from sklearn.model_selection import KFold, StratifiedKFold

    return (KFold if task == "regression" else StratifiedKFold)(FOLDS, shuffle=True, random_state=seed)
