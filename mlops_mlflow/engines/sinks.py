"""Where scored rows go: a Parquet or CSV file, or a table of a database; whole or not at all."""

from __future__ import annotations

import fcntl
import glob
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.errors import StorageError, UseCaseError
from mlops_mlflow.engines.atomic import replacing

if TYPE_CHECKING:
    import sqlalchemy

FORMATS = (".parquet", ".pq", ".csv")
ROWS_AT_ONCE = 5_000
SECONDS_FOR_OTHERS = 60
"""How long a job waits for another that writes to the same SQLite file."""


@dataclass(frozen=True)
class FileSink:
    """A file, of the kind that its ending tells."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class TableSink:
    """A table of a database; it is made where it is missing, and rows are appended in one transaction.

    Attributes:
        url: SQLAlchemy's, with ``${NAME}`` for what the environment holds.
        table: Its name, with a schema before a dot where there is one.
        replaces: Column whose value tells which rows an earlier, equal job wrote: those are deleted first.
    """

    url: str
    table: str
    replaces: str

    def __str__(self) -> str:
        from mlops_mlflow.engines.databases import shown_url

        return f"table {self.table} of {shown_url(self.url)}"


Sink = FileSink | TableSink


def is_database(place: str) -> bool:
    """Whether a place is a database's URL, perhaps all of it from the environment, rather than a file."""
    return "://" in place or place.startswith("${")


def sink_of(output: str, table: str, *, replaces: str) -> Sink:
    """The sink that a person names: a path, or a database's URL and a table.

    Raises:
        UseCaseError: It is neither.
    """
    if is_database(output):
        if not table:
            raise UseCaseError(
                "the output is a database, and no table of it is named",
                expected="the name of a table",
                hint="add --output-table NAME",
            )
        return TableSink(output, table, replaces)
    path = Path(output)
    if path.suffix.lower() not in FORMATS or path.is_dir():
        raise UseCaseError(
            f"what to write does not show in the ending of {output}",
            expected=f"a file that ends in {', '.join(FORMATS)}, or a database's URL",
            got="a folder" if path.is_dir() else path.suffix or "no ending",
        )
    return FileSink(path)


@dataclass(frozen=True)
class Writing:
    """An open sink, to be called with pyarrow RecordBatches of the schema that it was opened with.

    Attributes:
        take: Writes one.
        finish: Brings all of it to the disk, so that nothing is left to do that takes space; nobody sees it yet.
    """

    take: Callable[[Any], None]
    finish: Callable[[], None] = lambda: None

    def __call__(self, batch: Any) -> None:
        """Write a batch."""
        self.take(batch)


@contextmanager
def opened(sink: Sink, schema: Any, *, environment: Mapping[str, str]) -> Iterator[Writing]:
    """Write batches; what was written is there when the block ends well, and nothing of it when it does not.

    Args:
        sink: Where to.
        schema: pyarrow's, of every batch.
        environment: Where ``${NAME}`` in a database's URL is looked up.

    Raises:
        StorageError: It takes no more, or refuses.
        UseCaseError: It cannot hold a column of this type.
        SecretError: A ``${NAME}`` is not set.
    """
    if isinstance(sink, TableSink) or sink.path.suffix.lower() == ".csv":
        _check_flat(sink, schema)
    if isinstance(sink, TableSink):
        with _table(sink, schema, environment) as write:
            yield write
        return
    with (
        replacing(sink.path, "the scored rows") as part,
        _held(sink.path, part),
        _file(sink.path, part, schema) as writer,
    ):
        yield Writing(writer.write_batch, writer.close)


def _check_flat(sink: Sink, schema: Any) -> None:
    import pyarrow as pa

    nested = [field for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise UseCaseError(
            f"{sink} cannot hold column `{nested[0].name}` of the batch",
            expected="one value in each cell",
            got=str(nested[0].type),
            hint="write to a file that ends in .parquet, or leave the column out of the batch",
        )


@contextmanager
def _held(path: Path, part: Path) -> Iterator[None]:
    """Lock the part for as long as it is written, and remove those of writers that were killed: nobody locks them."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    while True:
        with part.open("wb") as file:
            with suppress(OSError):  # a file system without locks keeps what was left
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:  # otherwise another writer removed it before it was locked
                yield
                return


def _file(path: Path, part: Path, schema: Any) -> Any:
    if path.suffix.lower() == ".csv":
        import pyarrow.csv as pc

        return pc.CSVWriter(part, schema)
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Numbers seldom repeat: looking for those that do takes longer than writing them.
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(part, schema, compression="zstd", use_dictionary=texts)


@contextmanager
def _table(sink: TableSink, schema: Any, environment: Mapping[str, str]) -> Iterator[Writing]:
    import sqlalchemy

    from mlops_mlflow.engines.databases import engine_of

    engine, shown, message = engine_of("the output", sink.url, environment)
    _in_one_transaction(engine)
    place, _, name = sink.table.rpartition(".")
    table = sqlalchemy.Table(
        name,
        sqlalchemy.MetaData(),
        *(sqlalchemy.Column(field.name, _column_type(field.type)) for field in schema),
        schema=place or None,
    )
    replaced: set[Any] = set()

    try:
        with engine.begin() as connection:
            if not sqlalchemy.inspect(connection).has_table(name, schema=place or None):
                _wait_for_equals(connection, sink.table)  # two that make the same table collide
                table.create(connection, checkfirst=True)

            def write(batch: Any) -> None:
                rows = batch.to_pylist()
                for job in {row[sink.replaces] for row in rows} - replaced:
                    _wait_for_equals(connection, job)
                    connection.execute(table.delete().where(table.c[sink.replaces] == job))
                    replaced.add(job)
                for begin in range(0, len(rows), ROWS_AT_ONCE):
                    connection.execute(table.insert(), rows[begin : begin + ROWS_AT_ONCE])

            yield Writing(write)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise StorageError(
            f"the scored rows could not be written to the table {sink.table} of {shown}",
            expected=f"a table that takes the columns {', '.join(schema.names)}",
            got=message(error).partition("\n")[0],
            hint="nothing was written; name another table, which is then made",
        ) from error
    finally:
        engine.dispose()


def _in_one_transaction(engine: sqlalchemy.Engine) -> None:
    """SQLite's driver begins late and leaves ``create table`` out; so that a table is not left behind, begin first."""
    import sqlalchemy

    if engine.dialect.name != "sqlite":
        return

    def without_its_own(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute(f"pragma busy_timeout = {1000 * SECONDS_FOR_OTHERS}")

    sqlalchemy.event.listen(engine, "connect", without_its_own)
    sqlalchemy.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin immediate"))


def _wait_for_equals(connection: sqlalchemy.Connection, job: str) -> None:
    """An equal job under way shows none of its rows yet, and then both would write them."""
    import sqlalchemy

    if connection.dialect.name == "postgresql":
        connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(hashtextextended(:job, 0))"), {"job": job})


def _column_type(kind: Any) -> sqlalchemy.types.TypeEngine[Any]:
    import pyarrow as pa
    import sqlalchemy

    if pa.types.is_boolean(kind):
        return sqlalchemy.Boolean()
    if pa.types.is_integer(kind):
        return sqlalchemy.BigInteger()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return sqlalchemy.Double()
    if pa.types.is_timestamp(kind):
        return sqlalchemy.DateTime(timezone=kind.tz is not None)
    return sqlalchemy.Date() if pa.types.is_date(kind) else sqlalchemy.Text()
