"""Rows of the inference log as tables again: inputs and outputs of a window, and its outcomes once they are known."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.usecase.data import ColumnType
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.inference_log.format import input_column, probability_column
from mlops_mlflow.engines.sql import literal, quoted

if TYPE_CHECKING:
    import duckdb

KEY, ACTUAL, MOMENT = "key", "actual", "moment"
"""Columns of labels: the key, the outcome, when the entity was met."""
_PROBABILITY = probability_column("")


@dataclass(frozen=True)
class Counts:
    """Rows of a window.

    Attributes:
        scored: With a prediction.
        rejected: Set aside, because they break the data contract.
        failed: On which the model failed.
    """

    scored: int
    rejected: int
    failed: int


@dataclass(frozen=True)
class Outcomes:
    """Scored rows of a window whose outcome is known, beside what the model said.

    Attributes:
        rows: pandas DataFrame: ``key``, ``event_time`` (UTC), ``actual``, ``prediction``, a ``probability.<class>`` for
            each class, and the columns asked for.
        classes: Of the model, in the order of its probabilities; none of a regression.
        unknown: Outcomes of the window's time whose key is of none of its rows; 0 where outcomes have no time.
        repeated: Keys of its rows with several outcomes; the last counts.
    """

    rows: Any
    classes: tuple[str, ...]
    unknown: int
    repeated: int


def count(window: Path) -> Counts:
    """How many rows of which state."""
    with connect() as connection:
        source = f"read_parquet({literal(window)})"
        found = dict(connection.execute(f"select status, count(*) from {source} group by status").fetchall())
    return Counts(found.get("ok", 0), found.get("rejected", 0), found.get("failed", 0))


def as_table(window: Path, takes: Mapping[str, ColumnType], *, score: str, decision: str, out: Path) -> None:
    """Write the scored rows with the columns of the input, by their own names, and the model's outputs.

    What was logged beside the columns that the model takes is there too, so that it can be told.

    Args:
        window: Rows of the log.
        takes: Columns of the model's input, with their types.
        score: Name for the number, the probability of the second of two classes, or that of the most probable.
        decision: Name for the decided class, where there are classes.
        out: The Parquet file.

    Raises:
        StorageError: It cannot be written.
    """
    with connect(out.parent) as connection, replacing(out, "the rows of a window") as part:
        source = f"read_parquet({literal(window)})"
        there = _names(connection, source)
        columns = [
            # The log keeps truth values as numbers.
            f"{quoted(input_column(name))}{'::boolean' if kind == 'boolean' else ''} as {quoted(name)}"
            for name, kind in takes.items()
            if input_column(name) in there
        ]
        columns += [f"{quoted(input_column(name))} as {quoted(name)}" for name in _extra(there, takes)]
        columns += _outputs([name for name in there if name.startswith(_PROBABILITY)], score, decision)
        connection.execute(
            f"copy (select {', '.join(columns)} from {source} where status = 'ok') to {literal(part)} (format parquet)"
        )


def _extra(there: Sequence[str], takes: Mapping[str, ColumnType]) -> list[str]:
    """Columns of the input that the model does not take; none that DuckDB takes for one of those that it does."""
    known, start = {name.casefold() for name in takes}, input_column("")
    names = (name.removeprefix(start) for name in there if name.startswith(start))
    return [name for name in names if name.casefold() not in known]


def _outputs(probabilities: Sequence[str], score: str, decision: str) -> list[str]:
    if not probabilities:
        return [f"prediction as {quoted(score)}"]
    names = ", ".join(map(quoted, probabilities))
    number = quoted(probabilities[1]) if len(probabilities) == 2 else f"greatest({names})"
    return [f"{number} as {quoted(score)}", f"prediction as {quoted(decision)}"]


def join_outcomes(window: Path, labels: Path, *, begin: datetime, end: datetime, also: Sequence[str] = ()) -> Outcomes:
    """Scored rows with the outcome of their key.

    Args:
        window: Rows of the log.
        labels: Parquet file with the columns ``key`` and ``actual``, which is missing where it is not known yet, and
            perhaps ``moment``, when the entity was met (UTC).
        begin: Of the window.
        end: Of the window, which it does not belong to.
        also: Columns of the model's input that are wanted beside.
    """
    with connect(window.parent) as connection:
        logged, known = (f"read_parquet({literal(file)})" for file in (window, labels))
        there = _names(connection, logged)
        probabilities = [name for name in there if name.startswith(_PROBABILITY)]
        timed = MOMENT in _names(connection, known)
        inside = "moment >= $begin and moment < $end" if timed else "false"
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"""create temp table outcomes as
                select key::varchar as key, last(actual order by place) as actual, count(*) as times,
                    bool_or({inside}) as inside
                from (select *, file_row_number as place from read_parquet({literal(labels)}, file_row_number = true))
                where actual is not null and key is not null group by all""",
            {"begin": begin, "end": end} if timed else {},
        )
        wanted = [f"logged.{quoted(name)}" for name in probabilities]
        wanted += [
            f"logged.{quoted(input_column(name))} as {quoted(name)}" for name in also if input_column(name) in there
        ]
        rows = connection.execute(
            f"""select entity_key as key, event_time, outcomes.actual, prediction{"".join(f", {one}" for one in wanted)}
                from {logged} as logged join outcomes on entity_key = outcomes.key
                where status = 'ok' order by event_time, entity_key, request_id, row"""
        ).df()
        counted = connection.execute(
            f"""select count(*) filter (where inside and not met), count(*) filter (where times > 1 and met)
                from (select *, exists (select 1 from {logged} where entity_key = outcomes.key) as met from outcomes)"""
        ).fetchone()
    unknown, repeated = counted or (0, 0)
    classes = tuple(name.removeprefix(_PROBABILITY) for name in probabilities)
    return Outcomes(rows, classes, unknown, repeated)


def moments(window: Path) -> NDArray[np.int64]:
    """Time of each row, nanoseconds since 1970 in UTC: its event time, or that of its job where it has none."""
    with connect(window.parent) as connection:
        found = connection.execute(
            f"select epoch_ns(coalesce(event_time, logged_at)) as moment from read_parquet({literal(window)})"
        ).fetchnumpy()
    return np.asarray(found["moment"], dtype=np.int64)


def _names(connection: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    return [row[0] for row in connection.execute(f"describe select * from {source}").fetchall()]
