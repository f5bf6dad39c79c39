"""What evaluate gave as plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.learning.importance import Importance
from mlops_mlflow.stages.evaluate.run import Judged, Output, Slice


def to_dict(output: Output) -> dict[str, Any]:
    """As plain values, for JSON; without models, predictions and single rows, which have places of their own."""
    judged = [
        {"name": one.name, "threshold": one.threshold, "metrics": dict(one.metrics), "is_baseline": one.is_baseline}
        for one in output.judged
    ]
    plain: dict[str, Any] = to_plain(
        {
            "choose_by": output.choose_by,
            "judged": judged,
            "chosen": output.chosen,
            "model": output.model,
            "baseline": output.baseline,
            "slices": output.slices,
            "watched": output.watched,
            "importances": output.importances,
        }
    )
    return plain


def from_dict(plain: dict[str, Any], models: Mapping[str, Any], made: Mapping[str, Predictions]) -> Output:
    """From what ``to_dict`` gave, the models that are wanted, and the predictions, by name of the candidate."""
    judged = (Judged(model=models.get(one["name"]), made=made[one["name"]], **one) for one in plain["judged"])
    return Output(
        plain["choose_by"],
        tuple(judged),
        plain["chosen"],
        plain["baseline"],
        from_plain(tuple[Slice, ...], plain["slices"]),
        plain["watched"],
        from_plain(tuple[Importance, ...], plain["importances"]),
        None,
    )
