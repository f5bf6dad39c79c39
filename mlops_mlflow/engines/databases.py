"""SQL databases as sources: read through SQLAlchemy in batches, kept as Parquet."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.errors import SecretError, SourceError
from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.digest import table_digest
from mlops_mlflow.engines.sql import Bounds, for_sqlalchemy, literal, quoted

if TYPE_CHECKING:
    import duckdb
    import sqlalchemy

BATCH = 50_000
CONNECT_SECONDS = 15
_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# SQLAlchemy 2.1 reads a URL without a driver as psycopg 3; the driver that this suite installs is psycopg2.
_DRIVERS = {"postgresql": "postgresql+psycopg2", "postgres": "postgresql+psycopg2"}


@dataclass(frozen=True)
class DatabaseRead:
    """What was read: the URL without its password, the digest of the content, whether the query used bounds."""

    uri: str
    digest: str
    bounded: bool


def read_database(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    *,
    folder: Path,
    environment: Mapping[str, str],
    bounds: Bounds,
    stored: Path,
) -> DatabaseRead:
    """Read a query or a table of a database into the Parquet file ``stored``.

    Rows are put in the order of their values: a database promises no order, and the same rows have to give the same
    digest.

    Raises:
        SourceError: The database cannot be reached, or refuses the query.
        SecretError: A ``${NAME}`` of the URL is not set.
        StorageError: The disk takes no more.
    """
    import sqlalchemy

    said = f"source `{name}`"
    url, secrets = _url(said, str(source.sql), environment)
    uri = _named(_shown(url), str(source.sql), environment)
    url = _from(folder, url)
    _check_there(name, url, uri)
    try:
        engine = _engine(said, url, uri)
        sql, used = _statement(source, engine)
        with replacing(stored, f"source `{name}`") as part:
            _stream(connection, engine, sqlalchemy.text(sql), _bound(engine, bounds.values(used)), part)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise _refused(name, uri, error, secrets) from error
    return DatabaseRead(uri, table_digest(stored), bool(used))


def engine_of(
    said: str, template: str, environment: Mapping[str, str]
) -> tuple[sqlalchemy.Engine, str, Callable[[Exception], str]]:
    """A database that is written to; a SQLite file is made where there is none.

    Args:
        said: What messages call it.
        template: Its URL, with ``${NAME}`` for what the environment holds.
        environment: Where that is looked up.

    Returns:
        The engine, its URL without its password, and what an error says, without what must not be shown.

    Raises:
        SourceError: It is no URL, or the driver is not installed.
        SecretError: A ``${NAME}`` is not set.
    """
    import sqlalchemy

    url, secrets = _url(said, template, environment)
    uri = _named(_shown(url), template, environment)
    try:
        return _engine(said, url, uri), uri, lambda error: _message(error, secrets)
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise SourceError(
            f"{said}: there is no SQLAlchemy dialect for {uri}", hint="install it, or correct the URL"
        ) from error


def shown_url(template: str) -> str:
    """A URL with ``${NAME}`` in it as anybody may see it: without a password and without options."""
    import sqlalchemy

    try:
        return urllib.parse.unquote(_shown(sqlalchemy.make_url(template)))
    except (sqlalchemy.exc.ArgumentError, ValueError):
        return template if _SECRET.sub("", template) == "" else "a database"


def _url(said: str, template: str, environment: Mapping[str, str]) -> tuple[sqlalchemy.URL, list[str]]:
    """The URL with its secrets in place, and what must not be shown."""
    import sqlalchemy

    wanted = _SECRET.findall(template)
    missing = [secret for secret in wanted if not environment.get(secret)]
    if missing:
        raise SecretError(
            f"{said} needs the environment variable `{missing[0]}`, which is not set",
            hint=f"export {missing[0]} and run again; it never stands in the use case itself",
        )
    secrets = [environment[secret] for secret in wanted]
    try:
        url = sqlalchemy.make_url(_SECRET.sub(lambda found: environment[found[1]], template))
    except (sqlalchemy.exc.ArgumentError, ValueError):
        # Without `from`: the message of the first error holds the whole URL, password and all.
        raise SourceError(
            f"{said}: this is not a URL of a database once its secrets are in place",
            expected="dialect+driver://user:password@host/database, @ and / in a password written as %40 and %2F",
            got=template if wanted else "",
        ) from None
    if url.password:
        secrets.append(str(url.password))
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername)), secrets


def _from(folder: Path, url: sqlalchemy.URL) -> sqlalchemy.URL:
    """A relative SQLite file begins at the use case's folder, as every path of a use case does."""
    file = url.database
    if url.get_backend_name() != "sqlite" or not file or file.startswith((":", "file:")):
        return url
    return url.set(database=str(folder / file))


def _shown(url: sqlalchemy.URL) -> str:
    """The URL without its password and without its options, which may hold another."""
    import sqlalchemy

    return sqlalchemy.URL.create(
        url.drivername, username=url.username, host=url.host, port=url.port, database=url.database
    ).render_as_string()


def _named(shown: str, template: str, environment: Mapping[str, str]) -> str:
    """The same with what came from the environment by its name, wherever in the URL it stands."""
    for secret in _SECRET.findall(template):
        for value in (environment[secret], urllib.parse.quote(environment[secret], safe="")):
            shown = shown.replace(value, f"${{{secret}}}")
    return shown


def _check_there(name: str, url: sqlalchemy.URL, uri: str) -> None:
    """Refuse a SQLite file that does not exist: SQLite would make an empty one."""
    file = url.database
    if url.get_backend_name() != "sqlite" or not file or file.startswith((":", "file:")) or Path(file).is_file():
        return
    raise SourceError(
        f"source `{name}`: there is no SQLite database at {uri}",
        expected="an existing file; a relative path begins at the folder of the use case",
        hint=f"correct `sources.{name}.sql`",
    )


def _engine(said: str, url: sqlalchemy.URL, uri: str) -> sqlalchemy.Engine:
    import sqlalchemy

    postgresql = url.get_backend_name() == "postgresql"
    try:
        return sqlalchemy.create_engine(
            url, poolclass=sqlalchemy.NullPool, connect_args={"connect_timeout": CONNECT_SECONDS} if postgresql else {}
        )
    except ModuleNotFoundError as error:
        raise SourceError(
            f"{said}: the driver of {uri} is not installed: {error.name}",
            hint="`pip install mlops-mlflow[postgresql]`" if postgresql else f"`pip install {error.name}`",
        ) from error


def _statement(source: Source, engine: sqlalchemy.Engine) -> tuple[str, tuple[str, ...]]:
    if source.query is not None:
        return for_sqlalchemy(source.query)
    quote = engine.dialect.identifier_preparer.quote
    return "select * from " + ".".join(quote(part) for part in str(source.table).split(".")).replace(":", r"\:"), ()


def _bound(engine: sqlalchemy.Engine, values: Mapping[str, Any]) -> dict[str, Any]:
    """Times as the database takes them; SQLite has none, and keeps them as text by this very rule."""
    if engine.dialect.name != "sqlite":
        return dict(values)
    return {name: value.isoformat(sep=" ") for name, value in values.items()}


def _stream(
    connection: duckdb.DuckDBPyConnection,
    engine: sqlalchemy.Engine,
    statement: sqlalchemy.TextClause,
    values: Mapping[str, Any],
    target: Path,
) -> None:
    """Write what the statement gives to ``target``, in the order of its values.

    Types follow from values, batch by batch; a batch of another shape (a first fraction, a first text) begins another
    part, and all parts are brought to the types that hold all of them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[tuple[Path, pa.Schema]] = []
    writer: pq.ParquetWriter | None = None
    try:
        with engine.connect().execution_options(stream_results=True, max_row_buffer=BATCH) as session:
            result = session.execute(statement, dict(values))
            for table in _batches(list(result.keys()), result.partitions(BATCH)):
                if writer is None or table.schema != parts[-1][1]:
                    if writer is not None:
                        writer.close()
                    parts.append((target.with_name(f"{target.name}.{len(parts)}"), table.schema))
                    writer = pq.ParquetWriter(parts[-1][0], table.schema, compression="lz4")
                writer.write_table(table)
        if writer is not None:
            writer.close()
        _merge(connection, parts, target)
    finally:
        for path, _ in parts:
            path.unlink(missing_ok=True)


def _batches(names: Sequence[str], partitions: Iterator[Sequence[Any]]) -> Iterator[Any]:
    """Batches as Arrow tables; one without rows where the answer is empty, for its columns are known."""
    import pyarrow as pa

    empty = True
    for rows in partitions:
        empty = False
        yield pa.table([_column(values) for values in zip(*rows, strict=True)], names=list(names))
    if empty:
        yield pa.table([pa.array([], pa.string())] * len(names), names=list(names))


def _column(values: Sequence[Any]) -> Any:
    """One column in a type that the suite knows: decimals as float64, zoned times in UTC, nested values as text."""
    import pyarrow as pa

    first = next((value for value in values if value is not None), None)
    if isinstance(first, Decimal):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    try:
        column = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return _texts(values)
    kind = column.type
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", "UTC" if kind.tz else None))
    plain = pa.types.is_primitive(kind) and not pa.types.is_duration(kind)
    return column if plain or pa.types.is_string(kind) or pa.types.is_null(kind) else _texts(values)


def _texts(values: Sequence[Any]) -> Any:
    import pyarrow as pa

    def text(value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        return json.dumps(value, sort_keys=True, default=str) if isinstance(value, dict | list) else str(value)

    return pa.array([text(value) for value in values], pa.string())


def _merge(connection: duckdb.DuckDBPyConnection, parts: Sequence[tuple[Path, Any]], target: Path) -> None:
    names = parts[0][1].names
    types = {name: _widest([schema.field(name).type for _, schema in parts]) for name in names}
    selects = [
        "select "
        + ", ".join(f"{quoted(name)}::{types[name]} as {quoted(name)}" for name in names)
        + f" from read_parquet({literal(path)})"
        for path, _ in parts
    ]
    connection.execute(
        f"copy (from ({' union all '.join(selects)}) order by all) "
        f"to {literal(target)} (format parquet, compression zstd)"
    )


def _widest(kinds: Sequence[Any]) -> str:
    """The DuckDB type that holds columns of all these Arrow types; text where they have nothing in common."""
    import pyarrow as pa

    tests = {
        "BOOLEAN": pa.types.is_boolean,
        "BIGINT": pa.types.is_integer,
        "DOUBLE": lambda kind: pa.types.is_integer(kind) or pa.types.is_floating(kind),
        "DATE": pa.types.is_date,
        "TIMESTAMP": lambda kind: pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None),
        "TIMESTAMP WITH TIME ZONE": lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None,
    }
    known = [kind for kind in kinds if not pa.types.is_null(kind)]
    return next((name for name, test in tests.items() if known and all(test(kind) for kind in known)), "VARCHAR")


def _message(error: Exception, secrets: Sequence[str]) -> str:
    message = str(getattr(error, "orig", None) or error).strip()
    for secret in secrets:
        message = message.replace(secret, "***")
    return message


def _refused(name: str, uri: str, error: Exception, secrets: Sequence[str]) -> SourceError:
    import sqlalchemy

    if isinstance(error, sqlalchemy.exc.NoSuchModuleError):
        return SourceError(
            f"source `{name}`: there is no SQLAlchemy dialect for {uri}", hint="install it, or correct the URL"
        )
    message = _message(error, secrets)
    unreachable = isinstance(error, sqlalchemy.exc.OperationalError) and getattr(error, "statement", None) is None
    return SourceError(
        f"source `{name}`: {uri} {'cannot be reached' if unreachable else 'refused the query'}",
        got=message,
        hint="start the database, or correct host, user and password" if unreachable else f"correct `sources.{name}`",
    )
