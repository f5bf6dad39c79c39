"""Families of DuckDB's column types."""

from __future__ import annotations

from typing import Literal

Family = Literal["integer", "number", "string", "boolean", "datetime", "other"]

_INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)
_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(_INTEGERS, "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL"), "number"),
    **dict.fromkeys(("VARCHAR", "ENUM", "UUID"), "string"),
    **dict.fromkeys(
        ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"), "datetime"
    ),
    "BOOLEAN": "boolean",
}


def family(column_type: str) -> Family:
    """What kind of values a DuckDB type holds; nested and binary types are ``other``."""
    if column_type.endswith("]"):
        return "other"
    return _FAMILIES.get(column_type.partition("(")[0], "other")
