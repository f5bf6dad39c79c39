"""Rows that a model shall score: from a file or a database, in the types that the model takes."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.errors import ContractError, SecretError, SourceError
from mlops_mlflow.core.usecase.data import ColumnType, Source
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.contract import Reason
from mlops_mlflow.engines.delimited import ZONED
from mlops_mlflow.engines.sources import open_source
from mlops_mlflow.engines.sql import Bounds, literal, quoted
from mlops_mlflow.engines.types import family, is_zoned

if TYPE_CHECKING:
    import duckdb

MISFIT = "_misfit"
"""Column of the batch's file that says which values are not of the type that the model takes; null where all are."""
_LONGEST_VALUE = 40
CLOCK, MOMENT, NOTHING = "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", '"NULL"'
"""DuckDB's types of what a clock shows, of moments, and of a column in which every value is missing."""
_AS_THEY_ARE: dict[ColumnType, tuple[str, ...]] = {
    "integer": ("integer", "number"),
    "number": ("integer", "number"),
    "string": ("string",),
    "boolean": ("boolean",),
    "datetime": ("datetime",),
}
_READ_AS: dict[ColumnType, tuple[str, tuple[str, ...]]] = {
    "integer": ("bigint", ("string", "boolean")),
    "number": ("double", ("string", "boolean")),
    "string": ("varchar", ("integer", "boolean")),
    "boolean": ("boolean", ("string", "integer")),
    "datetime": ("timestamp", ("string",)),
}
"""DuckDB's type, and families whose values may be read as it, one by one."""


@dataclass(frozen=True)
class Batch:
    """Rows to be scored.

    Attributes:
        path: Parquet file; rows in the order in which they came, typed as the model takes them.
        rows: How many.
        columns: Name and DuckDB type of each column as it came.
        uri: Where they came from, without a password.
        digest: SHA-256 of what came.
        misfits: What values were not of the type that the model takes, as ``_misfit`` says of each row.
    """

    path: Path
    rows: int
    columns: dict[str, str]
    uri: str
    digest: str
    misfits: tuple[Reason, ...] = ()


def open_batch(
    source: Source,
    *,
    takes: Mapping[str, ColumnType],
    also: Sequence[str] = (),
    folder: Path,
    environment: Mapping[str, str],
    scratch: Path,
    zoned: Mapping[str, bool] | None = None,
    zone: str = "UTC",
) -> Batch:
    """Read rows, and give the columns that the model takes the types that it takes.

    A value that cannot be read as its column's type becomes missing, and ``_misfit`` says so of its row: one such value
    in a CSV makes the whole column text, and the other rows are none the worse for it. Of times that are written with
    and without a zone, each is read as it is written.

    Args:
        source: A file (or a pattern) or a database.
        takes: Columns that must be there, with their types.
        also: Columns that must be there, whatever their type.
        folder: That relative paths begin at.
        environment: Where ``${NAME}`` in a database's URL is looked up.
        scratch: Folder that has to live as long as the batch is used.
        zoned: Of columns of times, whether the model takes moments (true) or what a clock shows; the batch's are made
            into that.
        zone: IANA name of the clock's zone.

    Raises:
        SourceError: It cannot be read.
        SecretError: A ``${NAME}`` is not set.
        ContractError: A column is missing, or of a type whose values cannot be read as the one that the model takes.
        StorageError: ``scratch`` takes no more.
    """
    with connect(scratch) as connection:
        with _told_of_the_input():
            opened = open_source(
                connection,
                "batch",
                source,
                folder=folder,
                environment=environment,
                bounds=Bounds(),
                scratch=scratch,
                as_text=[name for name, kind in takes.items() if kind == "string"],
            )
        _check_there(opened.columns, [*takes, *also])
        kinds = {name: family(opened.columns[name]) for name in takes}
        casts = {name: kind for name, kind in takes.items() if kinds[name] not in _AS_THEY_ARE[kind]}
        for name, kind in casts.items():
            _check_readable(name, opened.columns[name], kind)
        moved = {
            name: moments
            for name, moments in (zoned or {}).items()
            if kinds.get(name) == "datetime" and is_zoned(opened.columns[name]) != moments
        }
        read = {name: (zoned or {}).get(name, False) for name, kind in casts.items() if kind == "datetime"}
        columns = opened.columns | {name: MOMENT if moments else CLOCK for name, moments in (moved | read).items()}
        whole = _whole(source, folder)
        if not casts and not moved and whole is not None:
            return Batch(whole, opened.rows, opened.columns, opened.uri, opened.digest)
        path = scratch / "batch-typed.parquet"
        changes = {name: _cast(name, kind) for name, kind in casts.items()}
        changes |= {name: _read(name, zone, moments=moments) for name, moments in read.items()}
        changes |= {name: _moved(name, zone, moments=moments) for name, moments in moved.items()}
        chosen = ", ".join(f"{change} as {quoted(name)}" for name, change in changes.items())
        replaced = f" replace ({chosen})" if changes else ""
        told = f", {_misfit(casts)} as {quoted(MISFIT)}" if casts else ""
        with replacing(path, "the batch") as part:
            connection.execute(
                f"copy (select *{replaced}{told} from batch) to {literal(part)} (format parquet, compression zstd)"
            )
        return Batch(path, opened.rows, columns, opened.uri, opened.digest, _misfits(connection, casts))


@contextmanager
def _told_of_the_input() -> Iterator[None]:
    """Messages about sources name keys of ``usecase.yaml``, where the batch stands nowhere."""
    try:
        yield
    except (SourceError, SecretError) as error:
        raise type(error)(
            error.what.replace("source `batch`", "the input"),
            expected=error.expected.replace("folder of the use case", "working directory"),
            got=error.got,
            hint="correct the input, or name another" if "sources.batch" in error.hint else error.hint,
            place=error.place,
        ) from error.__cause__


def _whole(source: Source, folder: Path) -> Path | None:
    """The one Parquet file that a source is, which need not be copied."""
    path = None if source.path is None or source.package else folder / source.path
    ends = (".parquet", ".pq")
    if path is None or not path.is_file() or (source.format or "parquet") != "parquet":
        return None
    return path if path.suffix.lower() in ends or source.format == "parquet" else None


def _check_there(columns: Mapping[str, str], needed: Sequence[str]) -> None:
    missing = [name for name in dict.fromkeys(needed) if name not in columns]
    if missing:
        raise ContractError(
            f"the batch has no column `{missing[0]}`" + (f", nor {len(missing) - 1} more" if missing[1:] else ""),
            expected=", ".join(dict.fromkeys(needed)),
            got=", ".join(columns),
            hint=f"add what is missing: {', '.join(missing)}",
        )
    if MISFIT in columns:
        raise ContractError(
            f"the batch has a column `{MISFIT}`, whose name is needed for what is told of rows", hint="rename it"
        )


def _check_readable(name: str, column_type: str, kind: ColumnType) -> None:
    if column_type != NOTHING and family(column_type) not in _READ_AS[kind][1]:
        raise ContractError(
            f"column `{name}` of the batch cannot be what the model takes",
            expected=kind,
            got=column_type,
            hint="convert it where the batch is made",
        )


def _cast(name: str, kind: ColumnType) -> str:
    return f"try_cast({quoted(name)} as {_READ_AS[kind][0]})"


def _moved(name: str, zone: str, *, moments: bool) -> str:
    """What a zone's clock shows as a moment, or the other way round."""
    return f"timezone({literal(zone)}, {quoted(name)}::{CLOCK if moments else MOMENT})"


def _read(name: str, zone: str, *, moments: bool) -> str:
    """Texts as times: one that ends in a zone is a moment, another what the clock of ``zone`` shows."""
    moment, clock = f"try_cast({quoted(name)} as {MOMENT})", f"try_cast({quoted(name)} as {CLOCK})"
    if moments:
        clock = f"timezone({literal(zone)}, {clock})"
    else:
        moment = f"timezone({literal(zone)}, {moment})"
    return f"case when {ZONED.format(c=quoted(name))} then {moment} else {clock} end"


def _unreadable(name: str, kind: ColumnType) -> str:
    return f"{quoted(name)} is not null and {_cast(name, kind)} is null"


def _shown(name: str) -> str:
    return f"left({quoted(name)}::varchar, {_LONGEST_VALUE})"


def _misfit(casts: Mapping[str, ColumnType]) -> str:
    """Which columns of a row hold what is not of their type, with the value; null where none does."""
    told = []
    for name, kind in casts.items():
        said = f"{literal(f'{name}: {_rule(kind)} (')} || {_shown(name)} || ')'"
        told.append(f"case when {_unreadable(name, kind)} then {said} end")
    return f"nullif(concat_ws('; ', {', '.join(told)}), '')"


def _misfits(connection: duckdb.DuckDBPyConnection, casts: Mapping[str, ColumnType]) -> tuple[Reason, ...]:
    if not casts:
        return ()
    conditions = {name: _unreadable(name, kind) for name, kind in casts.items()}
    asked = [
        f"count(*) filter ({condition}), min({_shown(name)}) filter ({condition})"
        for name, condition in conditions.items()
    ]
    found = connection.execute(f"select {', '.join(asked)} from batch").fetchone() or ()
    told = zip(casts.items(), found[::2], found[1::2], strict=True)
    return tuple(Reason(name, _rule(kind), count, example) for (name, kind), count, example in told if count)


def _rule(kind: ColumnType) -> str:
    named = {"integer": "a whole number", "datetime": "a time", "boolean": "true or false"}
    return f"not {named.get(kind, f'a {kind}')}"
