"""Where in a dataset a row is, found by its key without reading the rest."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.sql import literal, quoted
from mlops_mlflow.engines.types import family

if TYPE_CHECKING:
    import duckdb

REASON = "_reason"
SIMILAR, MOST_SIMILAR = 0.65, 5
_KINDS = {"integer": "whole numbers", "number": "numbers", "datetime": "times", "boolean": "true and false"}


@dataclass(frozen=True)
class FoundRow:
    """Where a row is.

    Attributes:
        number: Its place in the dataset, counted from 0.
        total: Rows of the dataset.
        nth: Which of the rows with this key it is, counted from 1.
        alike: How many rows have this key.
        aside: Rules that other rows with this key broke; those were set aside.
    """

    number: int
    total: int
    nth: int
    alike: int
    aside: tuple[str, ...]


def find_row(path: Path, quarantine: Path | None, spec: UseCaseSpec, key: str, number: int = 1) -> FoundRow:
    """Find a row by the entity key; by its number, from 0, where the use case has no key.

    Args:
        path: The dataset, Parquet.
        quarantine: Rows that were set aside, with their reasons; None where there are none.
        spec: The use case.
        key: The key as text, or the number.
        number: Which of several rows with this key, from 1.

    Raises:
        DataError: There is no such row, or it was set aside; says by which rule, or which keys are alike.
    """
    with connect(path.parent) as connection:
        dataset = _Rows(connection, path)
        total = dataset.count()
        if spec.entity_key is None:
            return FoundRow(_place(key, total), total, 1, 1, ())
        kind = dataset.type_of(spec.entity_key)
        _check_kind(connection, spec.entity_key, kind, key)
        places = dataset.places(spec.entity_key, kind, key)
        aside = _Rows(connection, quarantine).reasons(spec, key) if quarantine else []
        if not places:
            raise _set_aside(spec, key, aside) if aside else _nowhere(spec, key, dataset.similar(spec.entity_key, key))
    if not 1 <= number <= len(places):
        raise DataError(
            f"{len(places)} of the rows have the {spec.entity_key} {key!r}",
            expected=f"--number from 1 to {len(places)}",
            got=str(number),
        )
    return FoundRow(places[number - 1], total, number, len(places), tuple(reason for reason, _ in aside))


@dataclass(frozen=True)
class _Rows:
    """A Parquet file, asked by SQL."""

    connection: duckdb.DuckDBPyConnection
    path: Path

    @property
    def source(self) -> str:
        return f"read_parquet({literal(self.path)}, file_row_number = true)"

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self.connection.execute(query, list(values)).fetchall())

    def count(self) -> int:
        return int(self.ask(f"select count(*) from {self.source}")[0][0])

    def type_of(self, column: str) -> str:
        return str(self.ask(f"describe select {quoted(column)} from {self.source}")[0][1])

    def places(self, column: str, kind: str, key: str) -> list[int]:
        where = f"{quoted(column)} = try_cast(? as {kind})"
        found = self.ask(f"select file_row_number from {self.source} where {where} order by 1", key)
        return [int(place) for (place,) in found]

    def similar(self, column: str, key: str) -> list[str]:
        """Keys that are written alike, the likest first: by what they begin with, or by few letters to change."""
        found = self.ask(
            f"""
                with keys as (select distinct {quoted(column)}::varchar as key, lower(?) as wanted from {self.source}),
                pairs as (select key, lower(key) as low, wanted from keys where key is not null),
                scores as (
                    select key, greatest(
                        jaro_winkler_similarity(low, wanted),
                        1 - damerau_levenshtein(low, wanted) / greatest(length(low), length(wanted), 1)) as score
                    from pairs)
                select key from scores where score >= {SIMILAR} order by score desc, key limit {MOST_SIMILAR}""",
            key,
        )
        return [str(near) for (near,) in found]

    def reasons(self, spec: UseCaseSpec, key: str) -> list[tuple[str, str]]:
        """Of each row with this key, the rules that it broke, and the values that broke them."""
        name = str(spec.entity_key)
        columns = list(spec.contract.columns)
        held = "".join(f", {quoted(column)}::varchar" for column in columns)
        where = f"{quoted(name)}::varchar = try_cast(? as {self.type_of(name)})::varchar"
        rows = self.ask(f"select {quoted(REASON)}{held} from {self.source} where {where}", key)
        return [(str(reason), _broken(str(reason), columns, values)) for reason, *values in rows]


def _broken(reason: str, columns: list[str], values: list[Any]) -> str:
    """The values that rules were broken by."""
    told = {rule.partition(": ")[0] for rule in reason.split("; ")}
    return ", ".join(f"{name} = {value}" for name, value in zip(columns, values, strict=True) if name in told)


def _place(key: str, total: int) -> int:
    if not re.fullmatch(r"[0-9]+", key) or int(key) >= total:
        raise DataError(
            f"there is no row {key}",
            expected=f"the number of a row, from 0 to {total - 1}, as the use case has no `entity_key`",
            got=key,
        )
    return int(key)


def _check_kind(connection: duckdb.DuckDBPyConnection, column: str, kind: str, key: str) -> None:
    """Refuse a key that cannot be a value of the column, such as a word where keys are numbers."""
    (read,) = connection.execute(f"select try_cast(? as {kind})", [key]).fetchone() or (None,)
    # DuckDB would round 12.7 to the whole number 13.
    if read is None or (family(kind) == "integer" and not re.fullmatch(r"\s*[+-]?[0-9]+\s*", key)):
        raise DataError(
            f"{key!r} cannot be a value of the key `{column}`",
            expected=f"`{column}` holds {_KINDS.get(family(kind), 'values')} ({kind})",
            got=key,
        )


def _nowhere(spec: UseCaseSpec, key: str, near: list[str]) -> DataError:
    made_by = spec.extract or "the source"
    return DataError(
        f"no row has the {spec.entity_key} {key!r}, neither in the dataset nor among those that were set aside",
        expected=f"a value of `{spec.entity_key}`" + (f", such as {', '.join(near)}" if near else ""),
        got=key,
        hint=f"correct the key; a row that {made_by} leaves out, or that is outside `data`, never gets this far",
    )


def _set_aside(spec: UseCaseSpec, key: str, aside: list[tuple[str, str]]) -> DataError:
    reason, values = aside[0]
    return DataError(
        f"the row with the {spec.entity_key} {key!r} was set aside: it breaks the data contract ({reason})",
        expected="a row that keeps the contract: only those are learned from and predicted",
        got=values,
        hint="mend the row at its source, or the contract; it is in quarantine.parquet of the run of extract",
    )
