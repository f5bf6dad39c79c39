"""The peer's estimator: the same class as ours, without a search."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier


def estimator_fn(estimator_params: dict[str, Any] | None = None) -> Any:
    """What Recipes fits."""
    return HistGradientBoostingClassifier(random_state=0, **(estimator_params or {}))
