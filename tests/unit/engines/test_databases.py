from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from mlops_mlflow.core.errors import SecretError, SourceError
from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.engines import databases
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.sources import Bounds, OpenedSource, open_source

Open = Callable[..., OpenedSource]
JANUARY = Bounds(datetime(2013, 1, 1), datetime(2013, 2, 1))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(tmp_path) as connection:
        yield connection


@pytest.fixture
def opened(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Open:
    def call(source: Source, bounds: Bounds = JANUARY, **environment: str) -> OpenedSource:
        return open_source(
            connection, "t", source, folder=tmp_path, environment=environment, bounds=bounds, scratch=tmp_path
        )

    return call


@pytest.fixture
def lite(tmp_path: Path) -> str:
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("create table bookings (day text, price, note text)")
        rows = [("2013-01-05 10:00:00", 3, "at :noon"), ("2013-01-02", None, None), ("2013-03-01", 2.5, "x")]
        database.executemany("insert into bookings values (?, ?, ?)", rows)
    database.close()
    return f"sqlite:///{tmp_path}/a.db"


def test_a_query_is_bound_and_texts_with_colons_are_left_alone(
    opened: Open, connection: duckdb.DuckDBPyConnection, lite: str
) -> None:
    query = (
        "select day, note from bookings where day >= :since and day < :until and coalesce(note, '') <> ':since'; -- :x"
    )
    got = opened(Source(sql=lite, query=query))
    assert got.bounded
    assert connection.execute("select * from t").fetchall() == [
        ("2013-01-02", None),
        ("2013-01-05 10:00:00", "at :noon"),
    ]


def test_a_table_is_read_whole_in_batches_of_different_types(
    opened: Open, connection: duckdb.DuckDBPyConnection, lite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BATCH", 1)
    got = opened(Source(sql=lite, table="bookings"))
    assert (got.rows, got.bounded) == (3, False)
    assert got.columns == {"day": "VARCHAR", "price": "DOUBLE", "note": "VARCHAR"}
    assert connection.execute("select price from t order by day").fetchall() == [(None,), (3.0,), (2.5,)]


def test_the_digest_is_of_the_content_in_any_order(opened: Open, lite: str) -> None:
    digests = {
        opened(Source(sql=lite, query=f"select day, note from bookings order by day {way}")).digest
        for way in ("asc", "desc")
    }
    assert len(digests) == 1
    assert opened(Source(sql=lite, query="select day, note from bookings limit 2")).digest not in digests


def test_an_empty_answer_keeps_its_columns(opened: Open, lite: str) -> None:
    got = opened(Source(sql=lite, query="select day, price from bookings where 1 = 0"))
    assert (got.rows, list(got.columns)) == (0, ["day", "price"])


def test_secrets_come_from_the_environment_and_never_show(opened: Open, tmp_path: Path, lite: str) -> None:
    got = opened(Source(sql="sqlite:///${WHERE}", table="bookings"), WHERE=f"{tmp_path}/a.db")
    assert (got.rows, got.uri) == (3, "sqlite:///${WHERE}")
    assert opened(Source(sql="sqlite:///${NAME}.db", table="bookings"), NAME="a").uri == "sqlite:///${NAME}.db"
    with pytest.raises(SecretError, match="environment variable `WHERE`"):
        opened(Source(sql="sqlite:///${WHERE}", table="bookings"))


@pytest.mark.parametrize("url", ["${X}", "${X}://", "postgresql+psycopg2://u:${X}@h:port/db"])
def test_a_url_that_is_none_shows_no_secret(opened: Open, url: str) -> None:
    with pytest.raises(SourceError, match="not a URL") as caught:
        opened(Source(sql=url, table="t"), X="hunter2 /:@")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("dialect", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_an_unreachable_server_is_named_without_its_password(opened: Open, dialect: str) -> None:
    with pytest.raises(SourceError, match="cannot be reached") as caught:
        opened(
            Source(sql=f"{dialect}://suite:${{PASSWORD}}@127.0.0.1:1/db?sslmode=disable", table="t"), PASSWORD="hunter2"
        )
    assert "postgresql+psycopg2://suite@127.0.0.1:1/db" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_refused_query_is_told_as_the_database_told_it(opened: Open, lite: str) -> None:
    with pytest.raises(SourceError, match=r"refused the query(.|\n)*no such table: absent"):
        opened(Source(sql=lite, table="absent"))


def test_a_driver_that_is_not_installed_and_a_dialect_that_is_none(opened: Open) -> None:
    with pytest.raises(SourceError, match="driver of mysql"):
        opened(Source(sql="mysql+pymysql://h/db", table="t"))
    with pytest.raises(SourceError, match="no SQLAlchemy dialect"):
        opened(Source(sql="nosuch://h/db", table="t"))


@pytest.mark.postgresql
def test_postgresql_types_arrive(opened: Open, connection: duckdb.DuckDBPyConnection, postgresql_url: str) -> None:
    engine = sqlalchemy.create_engine(postgresql_url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as session:
        session.execute(sqlalchemy.text("drop table if exists kinds"))
        session.execute(
            sqlalchemy.text(
                "create table kinds (i bigint, n numeric(10, 2), f float8, b boolean, s text, d date, t timestamp, "
                "z timestamptz, j jsonb, u uuid, e text)"
            )
        )
        session.execute(
            sqlalchemy.text(
                "insert into kinds values (2, 1.25, 0.5, true, 'é %', '2013-01-05', '2013-01-05 10:00', "
                "'2013-01-05 10:00+02', '{\"a\": [1]}', '00000000-0000-0000-0000-000000000001', null), "
                "(1, null, null, null, null, null, '2013-03-05', null, null, null, null)"
            )
        )
    got = opened(
        Source(
            sql=postgresql_url.replace("+psycopg2", ""),
            query="select * from kinds where t >= :since and t < :until and 5::int % 3 = 2 and s like '%\\%'",
        )
    )
    assert got.columns == {
        "i": "BIGINT",
        "n": "DOUBLE",
        "f": "DOUBLE",
        "b": "BOOLEAN",
        "s": "VARCHAR",
        "d": "DATE",
        "t": "TIMESTAMP",
        "z": "TIMESTAMP WITH TIME ZONE",
        "j": "VARCHAR",
        "u": "VARCHAR",
        "e": "VARCHAR",
    }
    row = connection.execute("select * replace (z::varchar as z) from t").fetchall()
    assert row == [
        (
            2,
            1.25,
            0.5,
            True,
            "é %",
            date(2013, 1, 5),
            datetime(2013, 1, 5, 10),
            "2013-01-05 08:00:00+00",
            '{"a": [1]}',
            "00000000-0000-0000-0000-000000000001",
            None,
        )
    ]
    assert "@127.0.0.1" in got.uri


@pytest.mark.postgresql
def test_postgresql_open_bounds_take_all(opened: Open, postgresql_url: str) -> None:
    query = (
        "select x from (values (timestamptz '2013-01-01'), (timestamptz '2030-01-01')) v(x) "
        "where x >= :since and x < :until"
    )
    source = Source(sql=postgresql_url, query=query)
    assert opened(source, Bounds()).rows == 2
    assert opened(source, Bounds(since=datetime(2020, 1, 1, tzinfo=UTC))).rows == 1


def test_a_secret_in_the_message_of_the_database_is_hidden(opened: Open, tmp_path: Path, lite: str) -> None:
    secret = f"{tmp_path}/a.db"
    with pytest.raises(SourceError, match=r"no such table: \*\*\*"):
        opened(Source(sql="sqlite:///${WHERE}", query=f'select * from "{secret}"'), WHERE=secret)
