"""Use cases, tables and learning problems for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_mlflow.core.splits import assign, plan_split
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.tables import write_parquet
from mlops_mlflow.learning.features import plan_features
from mlops_mlflow.learning.package import CodePackage, build_package
from mlops_mlflow.learning.problem import Problem, Rows, event_nanoseconds
from mlops_mlflow.learning.target import recognise

LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression"}


def spec(**changes: Any) -> UseCaseSpec:
    """A small use case of a binary target ``late``; sections as in ``usecase.yaml`` replace its own."""
    sections: dict[str, Any] = {
        "use_case": "flights",
        "question": "Which flights will be late?",
        "owners": {"business": "ops", "technical": "ds"},
        "card": {"intended_use": "Warn passengers."},
        "target": {"column": "late"},
        "sources": {"flights": {"path": "flights.csv"}},
        "candidates": {"logistic": LOGISTIC},
        "success": [{"metric": "roc_auc", "at_least": 0.6}],
    }
    return UseCaseSpec.model_validate(sections | changes)


def every_kind(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """A table with a column of each kind, each with missing values, and a binary outcome that follows ``strong``."""
    random = np.random.default_rng(seed)
    words = np.array(["rain", "snow", "wind", "heat", "cold", "fog", "calm", "storm"])
    strong = random.standard_normal(rows)
    table = pd.DataFrame(
        {
            "strong": strong,
            "weak": random.standard_normal(rows),
            "flag": random.choice([True, False, None], rows),
            "narrow": random.choice(["a", "b", "c", None], rows),
            "wide": [None if number % 10 == 0 else f"w{number % 45}" for number in range(rows)],
            "story": [" ".join(random.choice(words, 6)) for _ in range(rows)],
            "built": pd.Timestamp("2001-05-06") + pd.to_timedelta(random.integers(0, 5_000, rows), "D"),
            "met": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), "h"),
            "late": (strong + 0.3 * random.standard_normal(rows) > 0).astype(int),
        }
    )
    for place, name in enumerate(["strong", "story", "built"]):
        table.loc[table.index % 11 == place, name] = None
    return table


def package(folder: Path, features: str | None = None, **others: str) -> CodePackage:
    """The code package of a use case with this text as its ``features.py``, and other modules by name."""
    modules = {f"{name}.py": text for name, text in others.items()}
    if features is not None:
        modules["features.py"] = features
    return build_package("flights", modules, None if features is None else "features.py", folder)


def problem(
    folder: Path, frame: pd.DataFrame, features: str | None = None, apart: tuple[str, ...] = (), **changes: Any
) -> Problem:
    """A prepared learning problem over this table.

    Args:
        folder: Gets the dataset and the code package.
        frame: The dataset.
        features: Text of ``features.py``.
        apart: Columns that the model does not take.
        changes: Sections of the use case.
    """
    case = spec(**changes)
    path = folder / "dataset.parquet"
    write_parquet(frame, path)
    columns = {name: "TIMESTAMP" if kind.kind == "M" else "VARCHAR" for name, kind in frame.dtypes.items()}
    if case.split.by == "time":
        assert case.event_time is not None
        positions: Any = event_nanoseconds(case, columns, frame[case.event_time.column])
        plan = plan_split(case.split, positions, seed=case.seed, columns=())
    else:
        positions = np.random.default_rng(case.seed).random(len(frame))
        plan = plan_split(case.split, positions, seed=case.seed, columns=None)
    code = package(folder, features)
    hidden = {case.target.column, case.entity_key, case.split.group, *apart}
    table = frame[[name for name in frame if name not in hidden]]
    event_time = case.event_time.column if case.event_time else None
    planned = plan_features(table, case.features.kinds, code, event_time=event_time)
    outcomes = recognise(frame[case.target.column], case.target)
    return Problem(case, path, columns, "digest", outcomes, assign(plan, positions), plan, planned, code)


def rows(table: pd.DataFrame, actual: Any, about: Mapping[str, Any] | None = None) -> Rows:
    """Rows that come from no file."""
    beside = pd.DataFrame(dict(about or {}), index=table.index)
    return Rows(table, np.asarray(actual), beside, np.arange(len(table)))
