"""A proposed data contract: what held of every row, so that a change in the source is noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import yaml

from mlops_mlflow.core.profiles import ColumnProfile, TableProfile
from mlops_mlflow.core.usecase.data import ColumnType
from mlops_mlflow.core.usecase.document import UseCaseSpec

FEW = 20


def propose(spec: UseCaseSpec, seen: TableProfile) -> str:
    """A ``contract`` section, YAML; what the use case declares already stays as it is."""
    declared = {
        name: rule.model_dump(mode="json", exclude_defaults=True) for name, rule in spec.contract.columns.items()
    }
    columns = {one.name: declared.get(one.name) or rule(one, key=one.name == spec.entity_key) for one in seen.columns}
    section = {"contract": {"quarantine_at_most": spec.contract.quarantine_at_most, "columns": columns}}
    return str(yaml.safe_dump(section, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True))


def rule(column: ColumnProfile, *, key: bool) -> dict[str, Any]:
    """What held of a column: its type, whether it was always there, its range or its few values; a key is unique.

    A number's range is widened by its own width to both sides, and one without negative values stays so: the contract
    is there to catch broken sources, not new records.
    """
    found: dict[str, Any] = {}
    kind = column_type(column)
    if kind is not None:
        found["type"] = kind
    if column.missing:
        found["nullable"] = True
    if key:
        return found | {"unique": True}
    if kind in {"integer", "number"} and isinstance(column.minimum, int | float):
        low, high = float(column.minimum), float(column.maximum or 0)
        if kind == "integer" and high - low == column.distinct - 1 <= 1:
            return found | {"allowed": [int(low), int(high)]}
        wider = high - low
        found["min"] = 0 if 0 <= low <= wider else _rounded(low - wider, math.floor)
        found["max"] = _rounded(high + wider, math.ceil)
    if kind == "string" and 0 < column.distinct <= FEW and not column.other:
        found["allowed"] = sorted(name for name, _ in column.categories)
    return found


def _rounded(bound: float, outward: Callable[[float], int]) -> float | int:
    """A bound that reads well: two digits, rounded away from the data."""
    if bound == 0:
        return 0
    step = 10.0 ** (math.floor(math.log10(abs(bound))) - 1)
    rounded = outward(bound / step) * step
    return int(rounded) if step >= 1 else round(rounded, 12)


def column_type(column: ColumnProfile) -> ColumnType | None:
    """The contract's word for a column's type."""
    kind = column.type.upper()
    for words, name in (
        (("BOOL",), "boolean"),
        (("TIMESTAMP", "DATE"), "datetime"),
        (("INT",), "integer"),
        (("DOUBLE", "FLOAT", "DECIMAL", "NUMERIC"), "number"),
        (("VARCHAR", "STRING", "TEXT"), "string"),
    ):
        if any(word in kind for word in words):
            return name  # type: ignore[return-value]  # one of the literals above
    return None
