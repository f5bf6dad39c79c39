"""Outcomes as the use case's own SQL tells them, read once for all windows of a call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.integrate import Integrated, integrate
from mlops_mlflow.engines.logged import ACTUAL, KEY, MOMENT
from mlops_mlflow.engines.sources import open_source
from mlops_mlflow.engines.sql import Bounds, for_duckdb
from mlops_mlflow.lifecycle.folder import UseCaseFolder


def read_rows_between(
    folder: UseCaseFolder, begin: datetime, end: datetime, *, environment: Mapping[str, str], scratch: Path, out: Path
) -> Integrated:
    """Write what the use case's SQL gives for [begin, end); SQL without bounds gives everything.

    Args:
        folder: The use case.
        begin: Aware.
        end: Aware.
        environment: Where secrets come from.
        scratch: Folder for files on their way.
        out: The Parquet file.

    Raises:
        DataError: A source or the SQL cannot be read.
        SecretError: A source needs a secret that the environment does not hold.
    """
    spec, bounds = folder.spec, _bounds(folder, begin, end)
    with connect(scratch) as connection:
        sources = [
            open_source(
                connection, name, source, folder=folder.path, environment=environment, bounds=bounds, scratch=scratch
            )
            for name, source in spec.sources.items()
        ]
        name = spec.extract or ""
        return integrate(connection, folder.sql, sources, bounds=bounds, sql_name=name, out=out, may_be_empty=True)


def read_labels(
    folder: UseCaseFolder, begin: datetime, end: datetime, *, environment: Mapping[str, str], scratch: Path
) -> Path:
    """Keys, outcomes and event times of the use case's rows with an event time in [begin, end).

    Args:
        folder: The use case.
        begin: Aware.
        end: Aware.
        environment: Where secrets come from.
        scratch: Folder for files.

    Returns:
        The Parquet file; event times are in UTC.

    Raises:
        DataError: A source or the SQL cannot be read, or gives no key or outcome.
        SecretError: A source needs a secret that the environment does not hold.
    """
    spec, all_of_it = folder.spec, scratch / "outcomes.parquet"
    made = read_rows_between(folder, begin, end, environment=environment, scratch=scratch, out=all_of_it)
    wanted = {KEY: spec.entity_key or "", ACTUAL: spec.target.column}
    if spec.event_time is not None:
        wanted[MOMENT] = spec.event_time.column
    for name in wanted.values():
        if name not in made.columns:
            raise DataError(
                f"the labels have no column `{name}`",
                expected="the key, the target and the event time, by which predictions are judged",
                got=", ".join(made.columns),
                hint="select it in the extract's SQL",
            )
    try:
        return _short(folder, made, wanted, all_of_it, scratch / "labels.parquet")
    finally:
        all_of_it.unlink(missing_ok=True)


def _short(folder: UseCaseFolder, made: Integrated, wanted: Mapping[str, str], file: Path, out: Path) -> Path:
    """Only what is needed, with times as moments."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mlops_mlflow.learning.problem import event_nanoseconds

    found = pq.read_table(file, columns=list(dict.fromkeys(wanted.values())))
    columns = {name: found.column(source) for name, source in wanted.items()}
    columns[KEY] = columns[KEY].cast(pa.string())  # as the log writes keys
    if MOMENT in columns:
        times = found.column(wanted[MOMENT]).to_pandas()
        known = times.notna()
        moments = pd.Series(pd.NaT, index=times.index, dtype="datetime64[ns, UTC]")
        moments[known] = pd.to_datetime(event_nanoseconds(folder.spec, made.columns, times[known]), utc=True)
        columns[MOMENT] = pa.chunked_array([pa.Array.from_pandas(moments, type=pa.timestamp("us", "UTC"), safe=False)])
    with replacing(out, "the labels") as part:
        pq.write_table(pa.table(columns), part)
    return out


def _bounds(folder: UseCaseFolder, begin: datetime, end: datetime) -> Bounds:
    """As the SQL compares them with its times; none where it has no use for them."""
    spec = folder.spec
    asked = [folder.sql, *(source.query for source in spec.sources.values())]
    if not any(for_duckdb(sql)[1] for sql in asked if sql):
        return Bounds()
    if spec.data.since is not None and spec.data.since.tzinfo is not None:
        return Bounds(begin, end)
    zone = ZoneInfo(spec.event_time.zone if spec.event_time else "UTC")
    return Bounds(*(moment.astimezone(zone).replace(tzinfo=None) for moment in (begin, end)))
