"""The rows of one model version in a window of time, each once, as one Parquet file."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_mlflow.core.errors import SourceError
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.inference_log.format import MARK, Origin, schema
from mlops_mlflow.engines.inference_log.jobs import locked, visible
from mlops_mlflow.engines.sql import literal, quoted, texts

if TYPE_CHECKING:
    import duckdb

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Skipped:
    """Something in the log that was not read, or not as it stands.

    Attributes:
        path: The file.
        reason: Why.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class Selected:
    """Rows of a window.

    Attributes:
        path: Parquet file with the log's columns, ordered by time; without any row it may lack inputs.
        rows: How many it holds.
        duplicates: Rows that were left out because the same row of the same request was logged again.
        files: Where they come from.
        skipped: What could not be read, and columns that changed their type.
    """

    path: Path
    rows: int
    duplicates: int
    files: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class _File:
    path: Path
    origin: Origin
    columns: Any  # Arrow schema


def select_window(
    folder: Path, *, model: str, version: str, begin: datetime, end: datetime, out: Path, role: str | None = None
) -> Selected:
    """Write the rows of a model version with a time in [begin, end) to one file.

    A row's time is its event time, or that of its job where it has none. Of rows of the same request, number and role
    the one that was logged last counts; they are found where their times lie in the same window.

    Args:
        folder: The inference log's.
        model: Name of the registered model.
        version: Its number.
        begin: First time that belongs to the window, with a zone.
        end: First time that no longer does.
        out: The file to write.
        role: Only what the version predicted in this role.

    Raises:
        SourceError: The folder cannot be read.
        StorageError: ``out`` cannot be written.
        ValueError: A time is without a zone.
    """
    if begin.tzinfo is None or end.tzinfo is None:
        raise ValueError("the ends of a window need a zone")
    begin, end, folder = begin.astimezone(UTC), end.astimezone(UTC), folder.absolute()
    with _readable(folder), locked(folder, shared=True):
        paths, foreign = visible(folder, _day(begin), _day(end - timedelta(microseconds=1)))
        skipped = [Skipped(path, "not a list of committed files") for path in foreign]
        files = [file for file in _opened(paths, skipped) if _wanted(file.origin, model, version, role)]
        # The newest last: what it holds decides on types, and on which of two equal rows counts.
        files.sort(key=lambda file: (file.origin.logged_at, file.path))
        return _selected(files, begin, end, out, skipped)


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"the inference log {folder} cannot be read: {error.strerror or error}",
            expected="a folder that may be read",
            got=str(error.filename or folder),
            hint="mend who may read it, and run it again",
        ) from error


@dataclass(frozen=True)
class Span:
    """Times of the first and of the last row that a version predicted, in UTC."""

    first: datetime
    last: datetime


def versions(folder: Path, *, model: str, since: datetime | None = None) -> dict[str, Span]:
    """Versions of a model that the log knows, by number, and when they were used.

    Args:
        folder: The inference log's.
        model: Name of the registered model.
        since: Leave out the days before this one; aware.

    Raises:
        SourceError: The folder cannot be read.
    """
    first = np.datetime64("0001-01-01") if since is None else _day(since.astimezone(UTC))
    folder, found = folder.absolute(), dict[str, Span]()
    with _readable(folder), locked(folder, shared=True):
        paths, _ = visible(folder, first, np.datetime64("9999-12-31"))
        for file in _opened(paths, []):
            if file.origin.model == model:
                known = found.get(file.origin.version)
                ends = [*_ends(file), *((known.first, known.last) if known else ())]
                if ends:
                    found[file.origin.version] = Span(min(ends), max(ends))
    return found


def _ends(file: _File) -> Iterator[datetime]:
    """The least and the greatest time of a file, from its statistics; that of its job where rows have none."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(file.path)
    place = file.columns.names.index("event_time")
    for number in range(metadata.num_row_groups):
        told = metadata.row_group(number).column(place).statistics
        if told is not None and told.has_min_max:
            yield from (told.min.astimezone(UTC), told.max.astimezone(UTC))
        if told is None or told.null_count:
            yield file.origin.logged_at


def _day(time: datetime) -> np.datetime64:
    return np.datetime64(time.replace(tzinfo=None), "D")


def _wanted(origin: Origin, model: str, version: str, role: str | None) -> bool:
    return (origin.model, origin.version) == (model, version) and role in (None, origin.role)


def _opened(paths: Sequence[Path], skipped: list[Skipped]) -> Iterator[_File]:
    """Files that say they are of the log; about the others it is noted why they are not read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                told = (file.metadata.metadata or {}).get(MARK)
                columns = file.schema_arrow
            if told is None:
                skipped.append(Skipped(path, "not a file of the inference log"))
            else:
                yield _File(path, Origin.from_bytes(told), columns)
        except (pa.ArrowException, OSError) as error:
            skipped.append(Skipped(path, f"torn, or no Parquet file: {error}"))
        except ValueError as error:
            skipped.append(Skipped(path, str(error)))


def _selected(files: list[_File], begin: datetime, end: datetime, out: Path, skipped: list[Skipped]) -> Selected:
    import duckdb

    try:
        rows, duplicates, changed = _copied(files, begin, end, out)
    except duckdb.Error:
        # The end of a file may be whole and its middle torn: that only reading all of it can tell.
        torn = [Skipped(file.path, reason) for file in files if (reason := _torn(file.path))]
        if not torn:
            raise
        whole = [file for file in files if file.path not in {one.path for one in torn}]
        return _selected(whole, begin, end, out, skipped + torn)
    return Selected(out, rows, duplicates, tuple(file.path for file in files), tuple(skipped + changed))


def _torn(path: Path) -> str:
    """Why a file cannot be read to its end; empty where it can."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches(BATCH_ROWS):
                pass
    except (pa.ArrowException, OSError) as error:
        return f"torn: {error}"
    return ""


def _copied(files: Sequence[_File], begin: datetime, end: datetime, out: Path) -> tuple[int, int, list[Skipped]]:
    """Rows and duplicates, and which columns had another type before."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names, target = _target(files)
    rows = 0
    with (
        connect(out.parent) as connection,
        replacing(out, "the window's rows of the inference log") as part,
        pq.ParquetWriter(part, target, compression="snappy") as file,
    ):
        duplicates, changed = _look(connection, files, names, begin, end)
        if files:
            chosen = ", ".join(_column(number) for number in range(len(names)))
            counting = f"select {chosen} from logged anti join repeated using (file, place)"
            ordered = connection.sql(f"{counting} order by moment, c0, c1, file, place")
            for batch in ordered.to_arrow_reader(BATCH_ROWS):
                file.write_table(pa.Table.from_batches([batch]).rename_columns(names).cast(target))
                rows += len(batch)
    return rows, duplicates, changed


def _target(files: Sequence[_File]) -> tuple[list[str], Any]:
    """Columns of all files, typed as in the newest file that has them; those of the newest come first."""
    import pyarrow as pa

    fields: dict[str, Any] = {}
    for file in reversed(files):
        for field in file.columns:
            fields.setdefault(field.name, field.type)
    if not files:
        plain = schema({}, None)
        fields = {one.name: one.type.value_type if pa.types.is_dictionary(one.type) else one.type for one in plain}
    # The first two name a row: by them the file is sorted.
    names = ["request_id", "row", *(name for name in fields if name not in ("request_id", "row"))]
    return names, pa.schema([(name, fields[name]) for name in names])


def _look(
    connection: duckdb.DuckDBPyConnection, files: Sequence[_File], names: list[str], begin: datetime, end: datetime
) -> tuple[int, list[Skipped]]:
    """Make ``logged`` of the window's rows and ``repeated`` of those that count no longer.

    Columns are numbered, for DuckDB takes names that differ in their letters' case for the same.
    """
    if not files:
        return 0, []
    alike = _alike(files)
    parts = [_Part(connection, some) for some in alike]
    kinds = {name: kind for part in parts for name, (_, kind) in part.columns.items()}
    connection.execute(
        "create temp view logged as " + " union all ".join(part.rows(names, kinds, begin, end) for part in parts)
    )
    role, logged_at = (_column(names.index(name)) for name in ("role", "logged_at"))
    connection.execute(
        f"""create temp table repeated as select file, place from logged qualify 1 < row_number() over (
            partition by c0, c1, {role} order by {logged_at} desc, file desc, place desc)"""
    )
    [(repeated,)] = connection.execute("select count(*) from repeated").fetchall()
    return repeated, [one for part in parts for one in part.changed(kinds)]


def _alike(files: Sequence[_File]) -> list[list[_File]]:
    """Files with the same columns together; in the order of the newest of each."""
    found: dict[tuple[tuple[str, str], ...], list[_File]] = {}
    for file in files:
        columns = tuple((field.name, str(field.type)) for field in file.columns)
        found[columns] = [*found.pop(columns, []), file]
    return list(found.values())


class _Part:
    """Files with the same columns: ``columns`` has, by name, the one that DuckDB knows it by and its type."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: Sequence[_File]) -> None:
        self._files = files
        paths = texts(glob.escape(str(file.path)) for file in files)
        self._source = f"read_parquet({paths}, hive_partitioning = false, filename = true, file_row_number = true)"
        described = connection.execute(f"describe select * from {self._source}").fetchall()
        self.columns = {
            name: (known, kind) for name, (known, kind, *_) in zip(files[0].columns.names, described, strict=False)
        }

    def rows(self, names: Sequence[str], kinds: dict[str, str], begin: datetime, end: datetime) -> str:
        """The window's rows with numbered columns of these types."""
        columns = [f"{self._value(name, kinds[name])} as {_column(number)}" for number, name in enumerate(names)]
        times = "coalesce(event_time, logged_at)"
        bounds = [f"timestamptz {literal(time.isoformat())}" for time in (begin, end)]
        return (
            f"select {', '.join(columns)}, {times} as moment, filename as file, file_row_number as place"
            f" from {self._source} where {times} >= {bounds[0]} and {times} < {bounds[1]}"
        )

    def _value(self, name: str, kind: str) -> str:
        if name not in self.columns:
            return f"null::{kind}"
        known, own = self.columns[name]
        return quoted(known) if own == kind else f"try_cast({quoted(known)} as {kind})"

    def changed(self, kinds: dict[str, str]) -> Iterator[Skipped]:
        """What is to be told of columns that have another type by now."""
        more = f" (and {len(self._files) - 1} more files)" if len(self._files) > 1 else ""
        for name, (_, own) in self.columns.items():
            if own != kinds[name]:
                told = f"column `{name}` is {own} here{more} and {kinds[name]} in newer files"
                yield Skipped(self._files[-1].path, f"{told}: values that do not fit are missing")


def _column(number: int) -> str:
    return f"c{number}"
