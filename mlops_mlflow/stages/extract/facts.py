"""What extract gave as plain values, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.stages.extract.run import Output


def to_dict(output: Output) -> dict[str, Any]:
    """As plain values, for JSON; without the path of the dataset."""
    plain: dict[str, Any] = to_plain(output)
    return {name: value for name, value in plain.items() if name != "path"}


def from_dict(plain: dict[str, Any], path: Path) -> Output:
    """From what ``to_dict`` gave, and the dataset's file."""
    return from_plain(Output, {**plain, "path": path})
