"""What earlier runs found out about a candidate: trials and fits that need not be made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_mlflow.core.keys import digest
from mlops_mlflow.learning.search import Params, Trial


@dataclass(frozen=True)
class KeptModel:
    """A candidate that an earlier run fitted from the very same: what it is known by, and how long its fit took, s."""

    ref: Any
    estimator: Any
    fit_seconds: float


@dataclass(frozen=True)
class Before:
    """What earlier runs found out about a candidate.

    Attributes:
        key: By which its trials and its fit are found again.
        trials: Finished ones, by number.
        fitted: From the parameters of the best trial to the fitted candidate; None where there is none.
    """

    key: str
    trials: Mapping[int, Trial]
    fitted: Callable[[Params], KeptModel | None]


def fit_key(search: str, params: Params) -> str:
    """By which a fitted candidate is found again: the key of its search, and its parameters."""
    return digest([search, params])[:32]
