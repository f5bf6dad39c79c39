"""What a contract declares, held against a file's columns and turned into a pandera schema."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.errors import ContractError
from mlops_mlflow.core.usecase.data import ColumnRule, ColumnType, Contract
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.sql import literal, quoted
from mlops_mlflow.engines.types import family

if TYPE_CHECKING:
    import duckdb

# DuckDB's type for each declared one, and the families that hold it as they are.
_CASTS: dict[ColumnType, str] = {
    "integer": "bigint",
    "number": "double",
    "string": "varchar",
    "boolean": "boolean",
    "datetime": "timestamp",
}
_HELD_BY: dict[ColumnType, tuple[str, ...]] = {
    "integer": ("integer",),
    "number": ("integer", "number"),
    "string": ("string",),
    "boolean": ("boolean",),
    "datetime": ("datetime",),
}


def check_declarations(path: Path, contract: Contract, required: Sequence[str]) -> dict[str, ColumnRule]:
    """Hold the contract against names and types of the columns.

    Returns:
        The rules of the columns that are there.

    Raises:
        ContractError: A column is missing, has another type than declared, or a rule that does not fit it.
    """
    with connect() as connection:
        table = f"read_parquet({literal(path)})"
        types = {row[0]: row[1] for row in connection.execute(f"describe select * from {table}").fetchall()}
        declared = [name for name, rule in contract.columns.items() if rule.required]
        for name in dict.fromkeys([*required, *declared]):
            if name not in types:
                raise _missing(name, list(types), declared=name in contract.columns)
        rules = {name: rule for name, rule in contract.columns.items() if name in types}
        for name, rule in rules.items():
            _check_type(connection, table, name, rule, types[name])
            _check_fit(name, rule, types[name])
    return rules


def pandera_schema(rules: Mapping[str, ColumnRule]) -> Any:
    """The rules as a pandera schema, each check named for readers; ``unique`` needs all rows and is not in it."""
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {name: pa.Column(None, checks=_checks(rule), nullable=rule.nullable) for name, rule in rules.items()}
    )


def _checks(rule: ColumnRule) -> list[Any]:
    import pandera.pandas as pa

    checks = []
    if rule.min is not None:
        checks.append(pa.Check.ge(rule.min, error=f"min {rule.min:g}"))
    if rule.max is not None:
        checks.append(pa.Check.le(rule.max, error=f"max {rule.max:g}"))
    if rule.allowed is not None:
        checks.append(pa.Check.isin(rule.allowed, error="allowed"))
    if rule.pattern is not None:
        checks.append(pa.Check.str_matches(rf"(?:{rule.pattern})\Z", error=f"pattern {rule.pattern}"))
    return checks


def _missing(name: str, there: list[str], *, declared: bool) -> ContractError:
    near = difflib.get_close_matches(name, there, n=3)
    return ContractError(
        f"the dataset has no column `{name}`, which {'the contract declares' if declared else 'the use case needs'}",
        expected=f"`{name}`",
        got=f"near matches: {', '.join(near)}" if near else ", ".join(there),
        hint="select it in the SQL" + (f", or set `contract.columns.{name}.required: false`" if declared else ""),
    )


def _check_type(connection: duckdb.DuckDBPyConnection, table: str, name: str, rule: ColumnRule, kind: str) -> None:
    if rule.type is None or family(kind) in _HELD_BY[rule.type]:
        return
    column = quoted(name)
    whole = (rule.type, family(kind)) == ("integer", "number")
    # A whole number that a missing value once made a float is still an integer; a cast alone would round 1.5.
    misfit = f"{column} <> trunc({column})" if whole else f"try_cast({column} as {_CASTS[rule.type]}) is null"
    offending = _examples(connection, table, column, f"{column} is not null and {misfit}")
    values = offending or _examples(connection, table, column, f"{column} is not null")
    if not values or (whole and not offending):
        return
    raise ContractError(
        f"column `{name}` has another type than the contract declares",
        expected=rule.type,
        got=f"{kind}, with values such as {', '.join(map(repr, values))}",
        hint="cast it in the SQL, add its word for missing to `null_values`, or correct the declared type",
    )


def _examples(connection: duckdb.DuckDBPyConnection, table: str, column: str, condition: str) -> list[str]:
    found = connection.execute(
        f"select distinct {column}::varchar as v from {table} where {condition} order by v limit 3"
    )
    return [row[0] for row in found.fetchall()]


def _check_fit(name: str, rule: ColumnRule, kind: str) -> None:
    """A bound asks for numbers, and a pattern for texts."""
    numeric = family(kind) in ("integer", "number")
    ruled = "min" if rule.min is not None else "max" if rule.max is not None else None
    if ruled and not numeric:
        raise _unfit(name, ruled, "a column of numbers", kind)
    if rule.pattern is None:
        return
    if family(kind) != "string":
        raise _unfit(name, "pattern", "a column of texts", kind)
    try:
        re.compile(rule.pattern)
    except re.error as error:
        raise ContractError(
            f"the pattern of `{name}` is not a regular expression: {error}",
            got=rule.pattern,
            hint=f"correct `contract.columns.{name}.pattern`",
        ) from error


def _unfit(name: str, ruled: str, expected: str, kind: str) -> ContractError:
    return ContractError(
        f"`{ruled}` cannot be checked of column `{name}`",
        expected=expected,
        got=kind,
        hint=f"cast the column in the SQL, or remove `contract.columns.{name}.{ruled}`",
    )
