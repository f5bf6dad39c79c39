"""Which distribution brings a module."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Mapping

KNOWN = {
    "catboost": "catboost",
    "duckdb": "duckdb",
    "fairlearn": "fairlearn",
    "hyperopt": "hyperopt",
    "joblib": "joblib",
    "lightgbm": "lightgbm",
    "mlflow": "mlflow",
    "numpy": "numpy",
    "pandas": "pandas",
    "pandera": "pandera",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "skops": "skops",
    "threadpoolctl": "threadpoolctl",
    "xgboost": "xgboost",
}
"""Of modules that models and stages are made of: to find others, the whole environment has to be read."""


def distributions_of(module: str) -> tuple[str, ...]:
    """Names of the installed distributions that bring a top-level module; none where nobody does."""
    if module in KNOWN:
        return (KNOWN[module],) if _is_installed(KNOWN[module]) else ()
    return tuple(sorted(set(_providers().get(module, ()))))


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@functools.cache
def _providers() -> Mapping[str, list[str]]:
    """Distributions by module: a scan of the whole environment, which stays as it is while we run."""
    return importlib.metadata.packages_distributions()
