"""Scored rows go to a file or a table, whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy

from mlops_mlflow.core.errors import SecretError, StorageError, UseCaseError
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
