from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_mlflow.engines.digest import row_positions, table_digest
from mlops_mlflow.engines.tables import read_rows

SCHEMA = pa.schema([("i", pa.int64()), ("s", pa.string()), ("f", pa.float64()), ("b", pa.bool_())])
ROW = st.tuples(
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.booleans(),
)
ROWS = st.lists(ROW, min_size=1, max_size=20)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stored(path: Path, rows: list[tuple[Any, ...]], **options: Any) -> Path:
    pq.write_table(
        pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA), path, **options
    )
    return path


@QUICK
@given(rows=ROWS, group=st.integers(1, 7), other=ROWS)
def test_a_digest_is_of_the_content_and_of_nothing_else(
    tmp_path: Path, rows: list[tuple[Any, ...]], group: int, other: list[tuple[Any, ...]]
) -> None:
    digest = table_digest(stored(tmp_path / "a", rows))
    assert table_digest(stored(tmp_path / "b", rows, row_group_size=group, use_dictionary=False)) == digest
    same = repr(rows) == repr(other)
    assert (table_digest(stored(tmp_path / "c", other)) == digest) == same


@QUICK
@given(rows=ROWS, extra=ROW, order=st.randoms(use_true_random=False))
def test_positions_survive_another_order_and_more_rows(
    tmp_path: Path, rows: list[tuple[Any, ...]], extra: tuple[Any, ...], order: Any
) -> None:
    places = list(range(len(rows)))
    order.shuffle(places)
    before = row_positions(stored(tmp_path / "a", rows), None, seed=1)
    after = row_positions(stored(tmp_path / "b", [*(rows[place] for place in places), extra]), None, seed=1)
    np.testing.assert_array_equal(before[places], after[:-1])
    np.testing.assert_array_equal(row_positions(tmp_path / "a", ["s"], seed=1) < 1, True)


@QUICK
@given(rows=ROWS, data=st.data())
def test_rows_are_read_as_pandas_would_take_them(
    tmp_path: Path, rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    path = stored(tmp_path / "a", rows, row_group_size=3)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=10)), dtype="int64")
    whole = read_rows(path, None, None)
    expected = whole.take(chosen).reset_index(drop=True)
    assert read_rows(path, None, chosen).equals(expected)
