from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.engines.digest import file_digest, row_positions, table_digest

TABLE = pa.table(
    {
        "i": pa.array([1, None, 3, 4], pa.int64()),
        "s": ["a", "", None, "bc"],
        "f": [0.5, None, float("nan"), 2.0],
        "b": [True, None, False, False],
        "d": [date(2013, 1, 1), None, date(2013, 1, 2), date(2013, 1, 3)],
        "t": pa.array([datetime(2013, 1, 1), None, None, datetime(2014, 1, 1)], pa.timestamp("us", "UTC")),
        "m": [Decimal("1.50"), None, Decimal("2.00"), Decimal("3.25")],
        "l": [[1], None, [], [2, 3]],
        "n": pa.nulls(4),
    }
)


def stored(path: Path, table: pa.Table, **options: object) -> Path:
    pq.write_table(table, path, **options)
    return path


def test_a_file_is_digested_as_sha256_does(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_layout_of_the_file_does_not_count(tmp_path: Path) -> None:
    digests = {
        table_digest(stored(tmp_path / "a", TABLE)),
        table_digest(stored(tmp_path / "b", TABLE, row_group_size=1, compression="zstd")),
        table_digest(stored(tmp_path / "c", TABLE, row_group_size=3, compression="none", use_dictionary=False)),
        table_digest(stored(tmp_path / "d", TABLE.set_column(1, "s", TABLE["s"].dictionary_encode()))),
        table_digest(stored(tmp_path / "e", TABLE.set_column(1, "s", TABLE["s"].cast(pa.large_string())))),
    }
    assert len(digests) == 1


@pytest.mark.parametrize("column", TABLE.column_names[:-1])
def test_each_value_the_order_of_rows_names_and_types_count(tmp_path: Path, column: str) -> None:
    before = table_digest(stored(tmp_path / "a", TABLE))
    place = TABLE.column_names.index(column)
    swapped = TABLE.set_column(place, column, TABLE[column].take([3, 1, 2, 0]))
    emptied = TABLE.set_column(place, column, pa.array([None, *TABLE[column].to_pylist()[1:]], TABLE[column].type))
    renamed = TABLE.rename_columns([f"{name}x" if name == column else name for name in TABLE.column_names])
    changed = [table_digest(stored(tmp_path / "b", table)) for table in (swapped, emptied, renamed)]
    assert len({before, *changed}) == 4


def test_types_count(tmp_path: Path) -> None:
    a = table_digest(stored(tmp_path / "a", pa.table({"a": pa.array([1], pa.int64())})))
    assert a != table_digest(stored(tmp_path / "b", pa.table({"a": pa.array([1], pa.float64())})))


def test_texts_are_kept_apart(tmp_path: Path) -> None:
    a = table_digest(stored(tmp_path / "a", pa.table({"a": ["ab", "c"]})))
    assert a != table_digest(stored(tmp_path / "b", pa.table({"a": ["a", "bc"]})))


def test_positions_follow_from_content_alone(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(1000)), "b": [str(i % 7) for i in range(1000)]})
    first = row_positions(stored(tmp_path / "a", table), None, seed=7)
    order = np.random.default_rng(0).permutation(1000)
    appended = pa.concat_tables([table.take(order), pa.table({"a": [5000], "b": ["x"]})]).select(["b", "a"])
    second = row_positions(stored(tmp_path / "b", appended), None, seed=7)
    assert first.dtype == np.float64
    assert ((first >= 0) & (first < 1)).all()
    np.testing.assert_array_equal(second[:1000], first[order])
    assert (row_positions(tmp_path / "a", None, seed=8) != first).all()
    assert abs(first.mean() - 0.5) < 0.03


def test_rows_of_one_group_have_one_position(tmp_path: Path) -> None:
    table = pa.table({"g": ["x", "y", "x", None, None, ""], "v": list(range(6))})
    got = row_positions(stored(tmp_path / "a", table), ["g"], seed=7)
    assert got[0] == got[2]
    assert got[3] == got[4]
    assert len(set(got)) == 4


def test_a_position_is_the_same_for_ever(tmp_path: Path) -> None:
    path = stored(tmp_path / "a", pa.table({"a": [1], "b": ["x"]}))
    expected = int(hashlib.md5(b"7|1:11:x").hexdigest()[:13], 16) / 2**52
    assert row_positions(path, ["a", "b"], seed=7)[0] == expected


def test_columns_are_kept_apart(tmp_path: Path) -> None:
    path = stored(tmp_path / "a", pa.table({"a": ["a", "ab", None], "b": ["bc", "c", "-"]}))
    assert len(set(row_positions(path, None, seed=1))) == 3
