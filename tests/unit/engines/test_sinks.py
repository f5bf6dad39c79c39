"""Scored rows go to a file or a table, whole or not at all."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy

from mlops_mlflow.core.errors import SecretError, SourceError, StorageError, UseCaseError
from mlops_mlflow.engines.sinks import FileSink, Sink, TableSink, opened, sink_of

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("prediction", pa.float64()),
        ("scored_at", pa.timestamp("us", "UTC")),
        ("request_id", pa.string()),
        ("late", pa.bool_()),
        ("row", pa.int64()),
    ]
)


def batch(*ids: str, job: str = "job") -> Any:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [{"id": one, "prediction": 0.5, "scored_at": now, "request_id": job, "late": True, "row": 1} for one in ids]
    return pa.RecordBatch.from_pylist(rows, SCHEMA)


def write(sink: Sink, *batches: Any, environment: Mapping[str, str] | None = None) -> None:
    with opened(sink, SCHEMA, environment=environment or {}) as take:
        for one in batches:
            take(one)


def write_and_fail(sink: Sink, one: Any) -> None:
    with opened(sink, SCHEMA, environment={}) as take:
        take(one)
        raise RuntimeError


def rows(url: str, table: str = "scored") -> list[str]:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(sqlalchemy.text(f"select id from {table} order by id"))]
    engine.dispose()
    return found


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "new/folder/out.pq"])
def test_a_file_has_all_batches(tmp_path: Path, name: str) -> None:
    sink = sink_of(str(tmp_path / name), "", replaces="request_id")
    write(sink, batch("a"), batch("b", "c"))
    found = pd.read_csv(tmp_path / name) if name.endswith("csv") else pd.read_parquet(tmp_path / name)
    assert found["id"].tolist() == ["a", "b", "c"]


def test_an_error_in_the_middle_leaves_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    write(FileSink(path), batch("old"))
    with pytest.raises(RuntimeError):
        write_and_fail(FileSink(path), batch("new"))
    assert pd.read_parquet(path)["id"].tolist() == ["old"]
    assert [one.name for one in tmp_path.iterdir()] == ["out.parquet"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"the scored rows could not be written to .*out\.parquet"),
        opened(FileSink(tmp_path / "out.parquet"), SCHEMA, environment={}),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.parquet", "out.csv"])
def test_a_finished_file_is_whole_but_not_yet_there(tmp_path: Path, name: str) -> None:
    with opened(FileSink(tmp_path / name), SCHEMA, environment={}) as take:
        take(batch("a", "b"))
        take.finish()
        (part,) = tmp_path.glob(".*.part")
        found = pd.read_csv(part) if name.endswith("csv") else pd.read_parquet(part)
        assert len(found) == 2
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_table_is_made_and_appended_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    write(TableSink(url, "scored", "request_id"), batch("a", "b", job="first"))
    write(TableSink(url, "scored", "request_id"), batch("c", job="second"))
    assert rows(url) == ["a", "b", "c"]


def test_the_same_job_again_replaces_its_own_rows_and_no_others(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    write(TableSink(url, "scored", "request_id"), batch("a", job="first"))
    write(TableSink(url, "scored", "request_id"), batch("b", job="second"), batch("c", job="second"))
    write(TableSink(url, "scored", "request_id"), batch("b", job="second"))
    assert rows(url) == ["a", "b"]


def test_an_error_in_the_middle_leaves_a_table_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    write(TableSink(url, "scored", "request_id"), batch("a"))
    with pytest.raises(RuntimeError):
        write_and_fail(TableSink(url, "scored", "request_id"), batch("b", job="other"))
    assert rows(url) == ["a"]


def test_an_error_in_the_middle_leaves_no_empty_table_either(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with pytest.raises(RuntimeError):
        write_and_fail(TableSink(url, "scored", "request_id"), batch("a"))
    engine = sqlalchemy.create_engine(url)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    engine.dispose()


def test_what_a_killed_writer_left_is_removed_and_what_another_writes_stays(tmp_path: Path) -> None:
    left, going, other = (
        tmp_path / f".{name}.part" for name in ("out.parquet.aa", "out.parquet.bb", "else.parquet.cc")
    )
    for path in (left, going, other):
        path.write_text("half")
    with going.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write(FileSink(tmp_path / "out.parquet"), batch("a"))
    assert {one.name for one in tmp_path.iterdir()} == {"out.parquet", going.name, other.name}


def test_two_that_write_the_same_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out.parquet")
    with opened(sink, SCHEMA, environment={}) as first:
        first(batch("a"))
        write(sink, batch("b"))
        first(batch("c"))
    assert pd.read_parquet(sink.path)["id"].tolist() == ["a", "c"]
    assert [one.name for one in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize("output", ["out.csv", "sqlite:///shop.db"])
def test_nested_values_are_refused_before_anything_is_written(
    tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nested = SCHEMA.append(pa.field("tags", pa.list_(pa.string())))
    sink = sink_of(output, "scored", replaces="request_id")
    with (
        pytest.raises(UseCaseError, match=r"cannot hold column `tags` of the batch"),
        opened(sink, nested, environment={}),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.parquet", "out.csv"])
def test_a_column_of_categories_is_written_as_its_values(tmp_path: Path, name: str) -> None:
    schema = pa.schema([("plan", pa.dictionary(pa.int8(), pa.string()))])
    with opened(FileSink(tmp_path / name), schema, environment={}) as take:
        for values in (["basic", "family"], ["none", "basic"]):
            take(pa.record_batch([pa.array(values).dictionary_encode().cast(schema.types[0])], schema=schema))
    found = pd.read_csv(tmp_path / name) if name.endswith("csv") else pd.read_parquet(tmp_path / name)
    assert found["plan"].astype(str).tolist() == ["basic", "family", "none", "basic"]


def test_a_kind_of_database_that_nobody_knows_is_told() -> None:
    with pytest.raises(SourceError, match="the output: there is no SQLAlchemy dialect for s3:"):
        write(TableSink("s3://bucket/out.parquet", "scored", "request_id"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:pw?x@host/shop", "postgresql://me@host/shop"),
        ("postgresql://${USER}:${PW}@host/shop?password=pw", "postgresql://${USER}@host/shop"),
        ("${SHOP}", "${SHOP}"),
        ("postgresql://me:pw@host:port/shop", "a database"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert str(TableSink(url, "scored", "request_id")) == f"table scored of {shown}"


def test_a_table_of_other_columns_is_refused_with_those_that_are_expected(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    engine = sqlalchemy.create_engine(url)
    pd.DataFrame({"other": [1]}).to_sql("scored", engine, index=False)
    engine.dispose()
    with pytest.raises(StorageError, match="could not be written to the table scored") as caught:
        write(TableSink(url, "scored", "request_id"), batch("a"))
    assert "id, prediction" in str(caught.value.expected)


def test_passwords_are_neither_shown_nor_in_messages() -> None:
    sink = TableSink("postgresql+psycopg2://me:hunter2@127.0.0.1:9/shop?connect_timeout=1", "scored", "request_id")
    assert "hunter2" not in str(sink)
    with pytest.raises(StorageError) as caught:
        write(sink, batch("a"))
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_not_set_is_named() -> None:
    with pytest.raises(SecretError, match="SHOP_PASSWORD"):
        write(TableSink("sqlite:///${SHOP_PASSWORD}", "scored", "request_id"), batch("a"))


@pytest.mark.parametrize(
    ("output", "table", "says"),
    [
        ("out.xlsx", "", "what to write does not show in the ending of out.xlsx"),
        ("out", "", "what to write does not show in the ending of out"),
        ("sqlite:///shop.db", "", "no table of it is named"),
    ],
)
def test_an_output_that_is_neither_file_nor_table_is_refused(output: str, table: str, says: str) -> None:
    with pytest.raises(UseCaseError, match=says):
        sink_of(output, table, replaces="request_id")
