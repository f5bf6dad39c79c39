from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.core.errors import DataError, StorageError
from mlops_mlflow.engines import tables
from mlops_mlflow.engines.tables import read_batches, read_beside, read_rows, write_parquet

TABLE = pa.table(
    {
        "i": pa.array([1, 2, 3, 4], pa.int32()),
        "j": [1, 2, None, 4],
        "f": pa.array([0.5, None, 1.5, 2.0], pa.float32()),
        "m": [Decimal("1.50"), None, Decimal("2.00"), Decimal("3.25")],
        "b": [True, False, True, True],
        "c": [True, None, False, True],
        "s": ["a", None, "b", "a"],
        "d": [date(2013, 1, 1), None, date(2013, 1, 2), date(2013, 1, 3)],
        "t": pa.array([datetime(2013, 1, 1, 5)] * 4, pa.timestamp("us", "America/New_York")),
    }
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=2)
    return tmp_path / "a.parquet"


def test_dtypes_follow_from_the_file_whichever_rows_are_read(path: Path) -> None:
    expected = {
        "i": "int64",
        "j": "float64",
        "f": "float64",
        "m": "float64",
        "b": "bool",
        "c": "float64",
        "s": "object",
    }
    expected |= {"d": "M8[ns]", "t": "M8[ns]"}
    for rows in (None, np.array([0]), np.array([], dtype="int64"), np.array([True, False, False, True])):
        assert read_rows(path, None, rows).dtypes.to_dict() == {name: np.dtype(kind) for name, kind in expected.items()}


def test_missing_texts_are_nan_and_times_are_utc(path: Path) -> None:
    frame = read_rows(path, ["t", "s"], None)
    assert list(frame.columns) == ["t", "s"]
    assert isinstance(frame["s"][1], float)
    assert frame["t"][0] == pd.Timestamp("2013-01-01 05:00:00")


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_rows_come_in_the_order_asked_for(path: Path, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH", batch)
    assert read_rows(path, ["i"], np.array([3, 0, 3]))["i"].tolist() == [4, 1, 4]
    assert read_rows(path, ["i"], np.array([False, True, True, False]))["i"].tolist() == [2, 3]
    assert read_rows(path, ["i"], np.array([1, 2])).index.tolist() == [0, 1]
    assert pd.concat(read_batches(path, ["s", "i"]))["i"].tolist() == [1, 2, 3, 4]


def test_rows_outside_the_file_are_refused(path: Path) -> None:
    with pytest.raises(IndexError, match="positions 0 to 4 of a file of 4 rows"):
        read_rows(path, None, np.array([0, 4]))
    with pytest.raises(IndexError, match="a mask of 1"):
        read_rows(path, None, np.array([True]))


def test_an_absent_column_is_named(path: Path) -> None:
    with pytest.raises(DataError, match="no column `x`"):
        read_rows(path, ["i", "x"], None)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_rows_come_as_they_are_stored_beside_some_columns_as_they_are_read(
    path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH", batch)
    pairs = list(read_beside(path, ["s", "j", "t"]))
    assert all(len(stored) == len(frame) <= batch for stored, frame in pairs)
    assert pa.Table.from_batches([stored for stored, _ in pairs]).equals(TABLE)
    frames = pd.concat([frame for _, frame in pairs], ignore_index=True)
    pd.testing.assert_frame_equal(frames, read_rows(path, ["s", "j", "t"], None))
    assert {frame["j"].dtype for _, frame in pairs} == {np.dtype("float64")}, "the same in every part"


def test_a_time_beyond_nanoseconds_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": pa.array([datetime(9999, 1, 1)], pa.timestamp("us"))}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"column `t` of a\.parquet"):
        read_rows(tmp_path / "a.parquet", None, None)


def test_a_table_is_written_without_its_index(tmp_path: Path) -> None:
    write_parquet(pd.DataFrame({"a": [1, 2]}, index=[5, 6]), tmp_path / "x" / "a.parquet")
    assert pq.read_table(tmp_path / "x" / "a.parquet").to_pydict() == {"a": [1, 2]}
    assert read_rows(tmp_path / "x" / "a.parquet", None, None).columns.tolist() == ["a"]


def test_a_folder_that_refuses_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a table of 1 rows could not be written"):
        write_parquet(pd.DataFrame({"a": [1]}), tmp_path / "file" / "a.parquet")
