"""What validate gave as plain values, and back."""

from __future__ import annotations

from typing import Any

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.core.records import Dataset
from mlops_mlflow.stages.validate.run import Output, SliceFigure


def to_dict(output: Output) -> dict[str, Any]:
    """As plain values, for JSON; without the predictions, which have a file of their own."""
    names = ("verdict", "findings", "metrics", "intervals", "baseline_metrics", "champion_metrics", "slices", "block")
    return {name: to_plain(getattr(output, name)) for name in (*names, "dataset")}


def from_dict(plain: dict[str, Any], made: Predictions) -> Output:
    """From what ``to_dict`` gave, and the predictions of the test rows."""
    return Output(
        plain["verdict"],
        from_plain(tuple[Finding, ...], plain["findings"]),
        plain["metrics"],
        from_plain(dict[str, Interval], plain["intervals"]),
        plain["baseline_metrics"],
        plain["champion_metrics"],
        from_plain(tuple[SliceFigure, ...], plain["slices"]),
        made,
        plain["block"],
        from_plain(Dataset, plain["dataset"]),
    )
