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
        (
            "DATE",
            "TIMESTAMP",
            "TIMESTAMP_S",
            "TIMESTAMP_MS",
            "TIMESTAMP_NS",
            "TIMESTAMP WITH TIME ZONE",
            "TIMESTAMPTZ_NS",
        ),
        "datetime",
    ),
    "BOOLEAN": "boolean",
}


def is_zoned(column_type: str) -> bool:
    """Whether a DuckDB type holds moments rather than what a clock shows."""
    return "TIME ZONE" in column_type.upper() or column_type.upper().startswith("TIMESTAMPTZ")


def family(column_type: str) -> Family:
    """What kind of values a DuckDB type holds; nested and binary types are ``other``."""
    if column_type.endswith("]"):
        return "other"
    return _FAMILIES.get(column_type.partition("(")[0], "other")
