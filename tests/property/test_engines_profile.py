from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.profiles import TableProfile, merge
from mlops_mlflow.engines.profile import profile

SCHEMA = pa.schema(
    [
        ("x", pa.float64()),
        ("c", pa.string()),
        ("b", pa.bool_()),
        ("t", pa.date32()),
        ("y", pa.int64()),
        ("i", pa.int64()),
    ]
)
ROW = st.fixed_dictionaries(
    {
        "x": st.none() | st.floats(-1e6, 1e6) | st.just(math.nan),
        "c": st.none() | st.sampled_from(["a", "b", "it's", "", "é"]),
        "b": st.none() | st.booleans(),
        "t": st.none() | st.integers(0, 40).map(lambda days: date(2013, 1, 1) + timedelta(days=days)),
        "y": st.none() | st.integers(0, 3),
        "i": st.integers(-5, 5),
    }
)
ROWS = st.lists(ROW, max_size=12)


def profiled(folder: Path, rows: list[dict[str, Any]], reference: TableProfile | None, target: str) -> TableProfile:
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / "a.parquet")
    return profile(folder / "a.parquet", target=target, event_time="t", reference=reference)


def mergeable(table: TableProfile) -> TableProfile:
    """Without what no merge can tell, and without sums, whose last digits depend on their order."""
    assert table.target is not None
    plain = [
        replace(column, distinct=0, distinct_exact=True, quantiles=(), mean=None, std=None) for column in table.columns
    ]
    target = replace(table.target, counts=(), days=tuple((day, ()) for day, _ in table.target.days))
    return replace(table, columns=tuple(plain), duplicate_rows=None, target=target)


def sums(table: TableProfile) -> list[float]:
    assert table.target is not None
    figures = [figure for column in table.columns for figure in (column.mean, column.std)]
    moments = [math.nan if figure is None else figure for figure in figures]
    return [*moments, *table.target.counts, *(count for _, counts in table.target.days for count in counts)]


@pytest.mark.parametrize("target", ["y", "x"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.lists(ROW, min_size=1, max_size=12), a=ROWS, b=ROWS)
def test_merged_profiles_of_parts_are_the_profile_of_the_whole(
    tmp_path: Path, target: str, known: list[dict[str, Any]], a: list[dict[str, Any]], b: list[dict[str, Any]]
) -> None:
    reference = profiled(tmp_path, known, None, target)
    parts = [profiled(tmp_path, rows, reference, target) for rows in (a, b)]
    merged, whole = merge(*parts), profiled(tmp_path, a + b, reference, target)
    assert mergeable(merged) == mergeable(whole)
    assert sums(merged) == pytest.approx(sums(whole), rel=1e-6, abs=1e-3, nan_ok=True)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_every_row_is_in_one_bin_one_category_or_missing(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    table = profiled(tmp_path, rows, None, "y")
    for column in table.columns:
        counted = (
            sum(column.histogram.counts) if column.histogram else column.other + sum(n for _, n in column.categories)
        )
        assert counted + column.missing == len(rows)
    assert TableProfile.from_dict(table.to_dict()) == table
