from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.core.errors import DataError, QueryError
from mlops_mlflow.engines.digest import table_digest
from mlops_mlflow.engines.integrate import Integrated, connect, integrate
from mlops_mlflow.engines.sources import Bounds, OpenedSource

Run = Callable[..., Integrated]
FLIGHTS = OpenedSource("flights", "flights.csv", "d", 4, {})
PLANES = OpenedSource("planes", "planes.csv", "d", 1, {})
ALL = Bounds()
JANUARY = Bounds(datetime(2013, 1, 1), datetime(2013, 2, 1))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(tmp_path) as connection:
        connection.execute(
            """create table flights as from (values
                   (3, timestamp '2013-01-03', 'x'), (1, timestamp '2013-01-01', 'y'),
                   (4, timestamp '2013-02-01', null), (2, timestamp '2013-01-02', 'x')) v(id, t, tail)"""
        )
        connection.execute("create table planes as from (values ('x', 2000)) v(tail, year)")
        yield connection


@pytest.fixture
def run(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    def call(
        sql: str | None, bounds: Bounds = ALL, sources: tuple[OpenedSource, ...] = (FLIGHTS, PLANES)
    ) -> Integrated:
        return integrate(
            connection, sql, sources, bounds=bounds, sql_name="extract.sql", out=tmp_path / "out" / "d.parquet"
        )

    return call


def ids(result: Integrated) -> list[int]:
    return list(pq.read_table(result.path)["id"].to_pylist())


def test_sources_are_joined_within_the_bounds(run: Run) -> None:
    got = run(
        "-- all\nselect f.id, p.year from flights f left join planes p using (tail)\n"
        "where t >= :since and t < :until; -- end",
        JANUARY,
    )
    assert (got.rows, got.columns) == (3, {"id": "INTEGER", "year": "INTEGER"})
    assert "$since" in got.query
    assert pq.read_table(got.path).to_pydict() == {"id": [1, 2, 3], "year": [None, 2000, 2000]}


def test_bounds_with_a_zone_are_that_moment(run: Run) -> None:
    bounds = Bounds(datetime(2013, 1, 3, tzinfo=UTC))
    assert ids(run("select id from flights where t >= :since and t < :until", bounds)) == [3, 4]


def test_the_order_is_that_of_the_sql_or_else_of_the_values(run: Run) -> None:
    assert ids(run("select id from flights order by id desc")) == [4, 3, 2, 1]
    assert ids(run("with a as (select id from flights order by id desc) select id from a")) == [1, 2, 3, 4]


def test_a_grouped_result_has_the_same_digest_each_time(run: Run, connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table many as select (i * 7919) % 100003 as id from range(300000) r(i)")
    digests = {table_digest(run("select id, count(*) as n from many group by id").path) for _ in range(3)}
    assert len(digests) == 1


def test_without_sql_the_only_source_is_taken_whole(run: Run) -> None:
    got = run(None, JANUARY, (FLIGHTS,))
    assert (got.rows, list(got.columns)) == (4, ["id", "t", "tail"])


def test_without_sql_several_sources_are_an_error(run: Run) -> None:
    with pytest.raises(QueryError, match="2 sources, and no SQL"):
        run(None)


def test_sql_that_ignores_the_bounds_is_an_error_unless_a_source_used_them(run: Run) -> None:
    with pytest.raises(QueryError, match="uses neither `:since` nor `:until`"):
        run("select id from flights", JANUARY)
    bounded = OpenedSource("flights", "", "", 4, {}, bounded=True)
    assert run("select id from flights", JANUARY, (bounded, PLANES)).rows == 4


@pytest.mark.parametrize(
    ("sql", "line", "words"),
    [
        ("select id\nfrom flights\nwhere tial = 'x'", 3, ["tial", '"tail"']),
        ("select id\nfrom flihts", 2, ["flihts", "flights (4)"]),
        ("select id\nfrm flights x y", 2, ["syntax error"]),
        ("select 1 as a; select 2 as b", 0, ["not one SELECT"]),
        ("drop table flights", 0, ["not one SELECT", "DROP"]),
        ("copy flights to 'x.csv'", 0, ["not one SELECT", "COPY"]),
        ("-- nothing", 0, ["no statement"]),
        ("select f.id, g.id from flights f, flights g", 0, ["`id` twice"]),
        ("select cast(tail as integer) as id from flights", 0, ["Could not convert"]),
    ],
)
def test_sql_that_cannot_be_run_is_placed_and_explained(
    run: Run, tmp_path: Path, sql: str, line: int, words: list[str]
) -> None:
    with pytest.raises(QueryError) as caught:
        run(sql)
    assert caught.value.place is not None
    assert caught.value.place.file == "extract.sql"
    assert not line or caught.value.place.line == line
    assert all(word in str(caught.value) for word in words)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_an_empty_result_says_the_bounds_and_leaves_the_last_result(run: Run) -> None:
    before = run("select id from flights")
    with pytest.raises(DataError, match=r"no rows(.|\n)*since 2020-01-01 00:00:00 until the end; .*flights \(4\)"):
        run("select id from flights where t >= :since", Bounds(datetime(2020, 1, 1)))
    assert ids(before) == [1, 2, 3, 4]
    assert [path.name for path in before.path.parent.iterdir()] == ["d.parquet"]


def test_python_variables_are_no_tables(connection: duckdb.DuckDBPyConnection) -> None:
    table_of_python = pa.table({"a": [1]})
    assert table_of_python.num_rows
    with pytest.raises(duckdb.CatalogException, match="table_of_python"):
        connection.execute("select * from table_of_python")


def test_times_are_utc_and_nothing_is_fetched_from_a_network(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute("select timestamptz '2013-01-01 00:00:00+02'::varchar").fetchall() == [
        ("2012-12-31 22:00:00+00",)
    ]
    with pytest.raises(duckdb.Error):
        connection.execute("select * from 'https://127.0.0.1:1/a.parquet'")


def test_sql_reads_the_sources_and_no_other_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "beside.csv").write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(QueryError, match="Cannot access file") as refused:
        run(f"select * from read_csv('{tmp_path / 'beside.csv'}')")
    assert "name the file under `sources`" in str(refused.value)
