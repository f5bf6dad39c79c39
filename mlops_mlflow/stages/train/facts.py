"""What train gave as plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.stages.train.fits import Fitted
from mlops_mlflow.stages.train.run import Output


def to_dict(output: Output) -> dict[str, Any]:
    """As plain values, for JSON; without the estimators, which are logged models."""
    fitted = [{**to_plain(_bare(one)), "estimator": None} for one in output.fitted]
    return {"metric": output.metric, "fitted": fitted, "failed": output.failed}


def _bare(one: Fitted) -> Fitted:
    return Fitted(one.name, None, one.params, one.mean, one.spread, one.fit_seconds, one.search)


def from_dict(plain: dict[str, Any], estimators: Mapping[str, Any]) -> Output:
    """From what ``to_dict`` gave, and the estimators by name of the candidate."""
    fitted = tuple(from_plain(Fitted, {**one, "estimator": estimators[one["name"]]}) for one in plain["fitted"])
    return Output(plain["metric"], fitted, plain["failed"])
