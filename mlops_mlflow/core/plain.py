"""Values of plain dataclasses as JSON's types, and back."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Dataclasses as dictionaries, tuples as lists, NumPy's numbers as Python's; NaN stays NaN."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: to_plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else value


def from_plain(kind: type[T], plain: Any) -> T:
    """A value of this dataclass (or of any type that can be written as an annotation) from what ``to_plain`` gave.

    Raises:
        ValueError: It does not fit.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(plain)
