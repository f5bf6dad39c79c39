"""Sources become tables of a DuckDB connection; their rows stay on disk."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.errors import SourceError
from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.engines.connection import allow, connect
from mlops_mlflow.engines.delimited import open_delimited
from mlops_mlflow.engines.files import Files, find, locate
from mlops_mlflow.engines.jsonlines import open_json_lines
from mlops_mlflow.engines.sql import Bounds, literal, quoted, texts

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from mlops_mlflow.engines.databases import DatabaseRead

__all__ = ["Bounds", "OpenedSource", "digest_source", "open_source"]


@dataclass(frozen=True)
class OpenedSource:
    """A source that SQL can now select from.

    Attributes:
        name: Of the source and of its table.
        uri: Where it came from: never a password, nor a folder of this machine.
        digest: SHA-256: of the file's bytes, of the names and digests of several files, of what was read from a
            database.
        rows: How many.
        columns: Name and DuckDB type of each column.
        bounded: Whether the source's own query used ``:since`` or ``:until``.
    """

    name: str
    uri: str
    digest: str
    rows: int
    columns: dict[str, str]
    bounded: bool = False


def open_source(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    *,
    folder: Path,
    environment: Mapping[str, str],
    bounds: Bounds,
    scratch: Path,
    read: DatabaseRead | None = None,
    as_text: Collection[str] = (),
) -> OpenedSource:
    """Make a table called ``name`` of files or of a database.

    CSV, JSON lines and what a database gives are kept as Parquet in ``scratch``, which must live as long as the table
    is used.

    Args:
        connection: From ``connect``.
        name: Of the table.
        source: What the use case says about it.
        folder: Of the use case; paths are relative to it.
        environment: Where ``${NAME}`` in a database's URL is looked up.
        bounds: What ``:since`` and ``:until`` are in the source's query.
        scratch: Folder for intermediate files.
        read: What ``read_source`` read into ``scratch`` already.
        as_text: Columns of a CSV that are texts, whatever their values look like.

    Raises:
        SourceError: The source cannot be read.
        SecretError: A ``${NAME}`` is not set.
        StorageError: ``scratch`` takes no more.
    """
    stored = _stored(scratch, name)
    if source.sql is not None:
        from mlops_mlflow.engines.databases import read_database

        read = read or read_database(
            connection, name, source, folder=folder, environment=environment, bounds=bounds, stored=stored
        )
        connection.execute(f"create or replace view {quoted(name)} as from read_parquet({literal(stored)})")
        allow(connection, [stored])
        uri, digest, bounded = read.uri, read.digest, read.bounded
    else:
        files = find(name, source, folder=folder, scratch=scratch)
        _open_files(connection, source, files, stored, as_text)
        allow(connection, [stored, *files.paths])
        uri, digest, bounded = files.uri, files.digest, False
    columns = {row[0]: row[1] for row in connection.execute(f"describe {quoted(name)}").fetchall()}
    counted = connection.execute(f"select count(*) from {quoted(name)}").fetchone()
    return OpenedSource(name, uri, digest, counted[0] if counted else 0, columns, bounded)


def digest_source(
    name: str, source: Source, *, folder: Path, environment: Mapping[str, str], bounds: Bounds, scratch: Path
) -> tuple[str, DatabaseRead | None]:
    """Digest of what a source holds now; a database is read for it, once: give what comes back to ``open_source``.

    Raises:
        SourceError: The source cannot be read.
        SecretError: A ``${NAME}`` is not set.
        StorageError: ``scratch`` takes no more.
    """
    if source.sql is None:
        return locate(name, source, folder=folder).digest, None
    from mlops_mlflow.engines.databases import read_database

    with connect(scratch) as connection:
        read = read_database(
            connection,
            name,
            source,
            folder=folder,
            environment=environment,
            bounds=bounds,
            stored=_stored(scratch, name),
        )
    return read.digest, read


def _stored(scratch: Path, name: str) -> Path:
    """Where rows of a source are kept that are not read in place."""
    return scratch / f"{name}.parquet"


def _open_files(
    connection: duckdb.DuckDBPyConnection, source: Source, files: Files, stored: Path, as_text: Collection[str]
) -> None:
    if files.format == "csv":
        open_delimited(connection, source, files, stored, as_text)
    elif files.format == "jsonl":
        open_json_lines(connection, files, stored)
    else:
        _open_parquet(connection, files)


def _open_parquet(connection: duckdb.DuckDBPyConnection, files: Files) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas = []
    for path, shown in zip(files.paths, files.shown, strict=True):
        try:
            schemas.append(pq.read_schema(path))
        except (pa.ArrowInvalid, OSError) as error:
            raise SourceError(
                f"source `{files.name}`: {shown} cannot be read: {error}",
                expected="Parquet",
                hint=f"write the file again, or set `sources.{files.name}.format`",
            ) from error
        if not schemas[-1].equals(schemas[0]):
            raise SourceError(
                f"source `{files.name}`: {shown} has other columns than {files.shown[0]}",
                expected=_described(schemas[0]),
                got=_described(schemas[-1]),
                hint="files that one pattern matches must have the same columns; give the others a source of their own",
            )
    connection.execute(f"create or replace view {quoted(files.name)} as from read_parquet({texts(files.paths)})")


def _described(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
