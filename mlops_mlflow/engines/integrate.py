"""Sources are joined into one dataset by the use case's SQL."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.errors import DataError, Place, QueryError
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.connection import confine, connect
from mlops_mlflow.engines.sources import OpenedSource
from mlops_mlflow.engines.sql import Bounds, for_duckdb, literal, quoted
from mlops_mlflow.engines.types import family

if TYPE_CHECKING:
    import duckdb

__all__ = ["Integrated", "connect", "integrate"]

SPECIAL = ("UUID", "ENUM")
"""Types whose values are texts, but not to every function; with nested and binary ones, they are stored as text."""


@dataclass(frozen=True)
class Integrated:
    """The integrated dataset.

    Attributes:
        path: Parquet file.
        rows: How many.
        columns: Name and DuckDB type of each column.
        query: The SQL that was run, as DuckDB read it.
    """

    path: Path
    rows: int
    columns: dict[str, str]
    query: str


def integrate(
    connection: duckdb.DuckDBPyConnection,
    sql: str | None,
    sources: Sequence[OpenedSource],
    *,
    bounds: Bounds,
    sql_name: str,
    out: Path,
    may_be_empty: bool = False,
) -> Integrated:
    """Run the integrating SQL and write what it gives as one Parquet file, whole or not at all.

    Rows stand in the order of the SQL's last ``order by``. Without one they are put in the order of their values, for
    the order in which threads finish is chance, and the same data has to give the same digest. (An ``order by`` that
    leaves ties leaves the order of those to chance.)

    Args:
        connection: Where the sources are open.
        sql: One SELECT; None takes all of the only source.
        sources: What the SQL can select from.
        bounds: What ``:since`` and ``:until`` are; one that is open becomes a time beyond all data.
        sql_name: The SQL's file, as the user wrote it.
        out: Where to write. The connection can reach nothing but the sources and this folder from here on.
        may_be_empty: No rows are an answer, too.

    Raises:
        QueryError: The SQL cannot be run, ignores the bounds, or names two columns alike.
        DataError: It gives no rows, and that is no answer.
        StorageError: The disk takes no more.
    """
    import duckdb

    place = Place(sql_name) if sql_name else None
    query, used = for_duckdb(sql) if sql is not None else (_only(sources), ())
    values = bounds.values(used)
    confine(connection, out.parent)
    try:
        if sql is not None:
            _check_single_select(connection, query, place)
            _check_bounds_used(used, sources, bounds, place)
        columns = _columns(connection, query, values, place)
        select, columns = _as_texts(columns)
        # The end of line closes a comment that the SQL may end with.
        order = "" if _is_ordered(connection, query) else " order by all"
        with replacing(out, "the integrated dataset") as part:
            written = connection.execute(
                f"copy ({select} from ({query}\n){order}) to {literal(part)} (format parquet, compression zstd)",
                values,
            ).fetchone()
            rows = int(written[0]) if written else 0
            if rows == 0 and not may_be_empty:
                raise _empty(sources, bounds, place)
    except duckdb.Error as error:
        raise _failed(error, sources, sql_name) from error
    return Integrated(out, rows, columns, query)


def _only(sources: Sequence[OpenedSource]) -> str:
    if len(sources) != 1:
        raise QueryError(
            f"{len(sources)} sources, and no SQL that joins them",
            expected="`extract`, a file with one SELECT, as soon as there are several sources",
            got=", ".join(source.name for source in sources),
            hint="write the SELECT, and name its file in `extract`",
        )
    return f"select * from {quoted(sources[0].name)}"


def _check_single_select(connection: duckdb.DuckDBPyConnection, query: str, place: Place | None) -> None:
    import duckdb

    kinds = [statement.type for statement in connection.extract_statements(query)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise QueryError(
            "the integrating SQL is not one SELECT",
            expected="exactly one SELECT (it may begin with WITH)",
            got=", ".join(kind.name for kind in kinds) or "no statement",
            hint="use common table expressions for steps in between",
            place=place,
        )


def _check_bounds_used(
    used: Sequence[str], sources: Sequence[OpenedSource], bounds: Bounds, place: Place | None
) -> None:
    if bounds and not used and not any(source.bounded for source in sources):
        raise QueryError(
            f"the data is bounded ({bounds}), but the SQL uses neither `:since` nor `:until`",
            expected="a condition such as `where <event time> >= :since and <event time> < :until`",
            hint="add it, or remove `data` from the use case",
            place=place,
        )


def _columns(
    connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, object], place: Place | None
) -> dict[str, str]:
    # Not `select * from (...)`: that would rename the second `year` to `year_1` without a word.
    described = connection.execute(f"describe ({query}\n)", values).fetchall()
    names = [row[0] for row in described]
    twice = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if twice:
        raise QueryError(
            f"the SQL gives the column `{twice[0]}` twice",
            expected="each name once, letter case aside",
            got=", ".join(names),
            hint="name the columns, or leave the second out: `w.* exclude (...)`",
            place=place,
        )
    return {row[0]: row[1] for row in described}


def _as_texts(columns: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A SELECT list in which columns of special types are texts, and the types that come of it."""
    strange = [name for name, kind in columns.items() if family(kind) == "other" or kind.startswith(SPECIAL)]
    texts = ", ".join(f"{quoted(name)}::varchar as {quoted(name)}" for name in strange)
    return f"select * replace ({texts})" if strange else "select *", {**columns, **dict.fromkeys(strange, "VARCHAR")}


def _is_ordered(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    row = connection.execute("select json_serialize_sql(?)", [query]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        return False
    return any(modifier["type"] == "ORDER_MODIFIER" for modifier in tree["statements"][0]["node"]["modifiers"])


def _empty(sources: Sequence[OpenedSource], bounds: Bounds, place: Place | None) -> DataError:
    return DataError(
        "the integrated dataset has no rows",
        expected="at least one",
        got=f"{bounds if bounds else 'no bounds'}; rows of the sources: {_counts(sources)}",
        hint="widen `data.since` and `data.until`, or look for a join or condition that nothing meets",
        place=place,
    )


def _failed(error: Exception, sources: Sequence[OpenedSource], sql_name: str) -> QueryError:
    """DuckDB's message, with the line of the user's file and the columns or tables that it suggests."""
    message, _, _ = str(error).partition("\n\nLINE ")
    line = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
    first, *more = message.splitlines() or [""]
    missing_table = "Table with name" in first
    if "Cannot access file" in first:
        more = ["name the file under `sources` and select from that: what decides the data has to be in the use case"]
    return QueryError(
        f"the SQL fails: {first}",
        expected=f"one of the sources: {_counts(sources)}" if missing_table else "",
        hint=" ".join(text.strip() for text in more if text.strip()) or "correct the SQL",
        place=Place(sql_name, int(line[1]) if line else 0),
    )


def _counts(sources: Sequence[OpenedSource]) -> str:
    return ", ".join(f"{source.name} ({source.rows:,})" for source in sources)
