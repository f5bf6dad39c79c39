"""What design gave as plain values, and back."""

from __future__ import annotations

from typing import Any

from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.stages.design.run import Output


def to_dict(output: Output) -> dict[str, Any]:
    """As plain values, for JSON."""
    plain: dict[str, Any] = to_plain(output)
    return plain


def from_dict(plain: dict[str, Any]) -> Output:
    """From what ``to_dict`` gave."""
    return from_plain(Output, plain)
