"""How rows, and the target, spread over days."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mlops_mlflow.core.profiles import ColumnProfile, TableProfile, TargetProfile, TimeCoverage
from mlops_mlflow.engines.sql import quoted

if TYPE_CHECKING:
    import duckdb

MOST_CLASSES = 20


def coverage(connection: duckdb.DuckDBPyConnection, table: str, event_time: str) -> TimeCoverage:
    """Rows of each day."""
    found = connection.execute(
        f"select {_day(event_time)} as day, count(*) from {table} group by 1 order by 1"
    ).fetchall()
    missing = sum(rows for day, rows in found if day is None)
    return TimeCoverage(event_time, missing, tuple((day, rows) for day, rows in found if day is not None))


def target_profile(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    column: ColumnProfile,
    event_time: str | None,
    reference: TableProfile | None,
) -> TargetProfile:
    """Balance of the target; numbers of more than twenty values are a quantity, unless the reference says classes."""
    before = reference.target if reference and reference.target and reference.target.column == column.name else None
    quantity = not before.classes if before else column.kind == "numeric" and column.distinct > MOST_CLASSES
    day = _day(event_time) if event_time else "null"
    if quantity:
        return _quantity(connection, table, column, day)
    return _classes(connection, table, column, day, before.classes if before else None)


def _day(event_time: str) -> str:
    return f"strftime({quoted(event_time)}::timestamp, '%Y-%m-%d')"


def _quantity(connection: duckdb.DuckDBPyConnection, table: str, column: ColumnProfile, day: str) -> TargetProfile:
    name = quoted(column.name)
    found = connection.execute(
        f"select {day} as day, count({name}), coalesce(sum({name}::double), 0) from {table} group by 1 order by 1"
    ).fetchall()
    # Twelve digits, for the last ones of a sum depend on how threads shared the work.
    days = [(start, (float(rows), float(f"{total:.12g}"))) for start, rows, total in found]
    counts = (sum(rows for _, (rows, _) in days), sum(total for _, (_, total) in days))
    return TargetProfile(
        column.name, column.missing, (), counts, 0, tuple((start, both) for start, both in days if start)
    )


def _classes(
    connection: duckdb.DuckDBPyConnection, table: str, column: ColumnProfile, day: str, known: tuple[str, ...] | None
) -> TargetProfile:
    name = quoted(column.name)
    found = connection.execute(
        f"select {day} as day, {name}::varchar, count(*), {name} as value from {table} where {name} is not null "
        "group by all order by value, day"
    ).fetchall()
    classes = known if known is not None else tuple(dict.fromkeys(value for _, value, *_ in found))[:MOST_CLASSES]
    place = {value: number for number, value in enumerate(classes)}
    totals, other = [0.0] * len(classes), 0
    days: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(classes))
    for start, value, rows, _ in found:
        if value not in place:
            other += rows
            continue
        totals[place[value]] += rows
        if start:
            days[start][place[value]] += rows
    moved = tuple((start, tuple(counts)) for start, counts in sorted(days.items()))
    return TargetProfile(column.name, column.missing, classes, tuple(totals), other, moved)
