from __future__ import annotations

import json
import statistics
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.core.profiles import ColumnProfile, TableProfile, merge
from mlops_mlflow.engines import profile as module
from mlops_mlflow.engines.profile import profile

ROWS = 1000
GENERATOR = np.random.default_rng(7)
VALUES = GENERATOR.normal(10, 3, ROWS)
TABLE = pa.table(
    {
        "x": pa.array([None if i % 10 == 0 else value for i, value in enumerate(VALUES)]),
        "i": [i % 7 for i in range(ROWS)],
        "c": [f"c{int(value)}" for value in VALUES],
        "b": [i % 3 == 0 for i in range(ROWS)],
        "text": [f"the flight {i} was late by {i * 7} minutes" for i in range(ROWS)],
        "t": [datetime(2013, 1, 1) + timedelta(hours=3 * i) for i in range(ROWS)],
        "y": [int(value > 11) for value in VALUES],
        "nan": [float("nan") if i % 2 else float(i) for i in range(ROWS)],
        "empty": pa.nulls(ROWS, pa.float64()),
    }
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


@pytest.fixture
def table(path: Path) -> TableProfile:
    return profile(path, target="y", event_time="t", keys=["i", "c"])


def column(table: TableProfile, name: str) -> ColumnProfile:
    found = table.column(name)
    assert found is not None
    return found


def test_kinds_are_guessed(table: TableProfile) -> None:
    kinds = {column.name: column.kind for column in table.columns}
    assert kinds == {
        "x": "numeric",
        "i": "numeric",
        "c": "categorical",
        "b": "boolean",
        "text": "text",
        "t": "datetime",
        "y": "numeric",
        "nan": "numeric",
        "empty": "numeric",
    }


def test_figures_of_numbers_are_those_of_numpy(table: TableProfile) -> None:
    there = np.array([value for value in TABLE["x"].to_pylist() if value is not None])
    x = column(table, "x")
    assert (x.rows, x.missing, x.distinct, x.distinct_exact) == (ROWS, 100, 900, True)
    assert (x.minimum, x.maximum) == (there.min(), there.max())
    assert (x.mean, x.std) == (pytest.approx(there.mean()), pytest.approx(there.std()))
    assert dict(x.quantiles)[0.5] == pytest.approx(statistics.median_low(there), abs=0.05)
    assert x.histogram is not None
    edges = np.array(x.histogram.edges)
    assert len(edges) == 19
    np.testing.assert_array_equal(np.bincount(np.searchsorted(edges, there), minlength=20), x.histogram.counts)
    assert max(x.histogram.counts) - min(x.histogram.counts) <= 2


def test_what_is_not_finite_is_missing_and_an_empty_column_has_no_figures(table: TableProfile) -> None:
    assert column(table, "nan").missing == 500
    assert column(table, "nan").mean == pytest.approx(np.arange(0, ROWS, 2).mean())
    empty = column(table, "empty")
    assert (empty.missing, empty.distinct, empty.mean, empty.quantiles) == (ROWS, 0, None, ())
    assert empty.histogram is not None
    assert (empty.histogram.edges, empty.histogram.counts) == ((), (0,))


def test_a_column_of_one_value_has_all_rows_in_one_bin(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [5, 5, 5]}), tmp_path / "a.parquet")
    found = column(profile(tmp_path / "a.parquet", target=None, event_time=None), "a").histogram
    assert found is not None
    assert (found.edges, found.counts) == ((5.0,), (3, 0))


def test_categories_come_with_counts_and_the_rest_is_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CATEGORIES", 3)
    monkeypatch.setattr(module, "_GROUPED_AT_ONCE", 1)
    got = column(profile(path, target=None, event_time=None), "c")
    counts = sorted(Counter(TABLE["c"].to_pylist()).items(), key=lambda item: (-item[1], item[0]))
    assert list(got.categories) == counts[:3]
    assert got.other == ROWS - sum(count for _, count in counts[:3])
    assert column(profile(path, target=None, event_time=None), "b").categories == (("false", 666), ("true", 334))


def test_texts_are_told_by_their_length(table: TableProfile) -> None:
    lengths = [len(text) for text in TABLE["text"].to_pylist()]
    text = column(table, "text")
    assert (text.minimum, text.maximum, text.mean) == (
        min(lengths),
        max(lengths),
        pytest.approx(statistics.mean(lengths)),
    )
    assert text.categories == ()


def test_duplicates_are_counted(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 1, 1, None, None], "b": [1, 1, 2, 3, 3]}), tmp_path / "a.parquet")
    got = profile(tmp_path / "a.parquet", target=None, event_time=None, keys=["a"])
    assert (got.duplicate_rows, got.duplicate_keys) == (2, 3)


def test_time_and_target_are_spread_over_days(table: TableProfile) -> None:
    assert table.time is not None
    assert (len(table.time.days), table.time.days[0], table.time.missing) == (125, ("2013-01-01", 8), 0)
    assert table.time.gaps("day") == ()
    assert table.target is not None
    rate = float(np.mean(TABLE["y"].to_pylist()))
    assert table.target.classes == ("0", "1")
    assert table.target.balance == (pytest.approx(1 - rate), pytest.approx(rate))
    first = float(np.mean(TABLE["y"].to_pylist()[: 31 * 8]))
    assert table.target.over_time("month")[0] == ("2013-01-01", (pytest.approx(1 - first), pytest.approx(first)))


def test_a_target_of_many_numbers_is_a_quantity(path: Path) -> None:
    got = profile(path, target="x", event_time="t").target
    assert got is not None
    there = [value for value in TABLE["x"].to_pylist() if value is not None]
    assert (got.classes, got.missing) == ((), 100)
    assert got.balance == (pytest.approx(np.mean(there)),)
    assert got.over_time("month")[0][1][0] == pytest.approx(
        np.mean([v for v in TABLE["x"].to_pylist()[:248] if v is not None])
    )


def test_a_window_is_measured_over_the_edges_and_categories_of_the_reference(
    path: Path, table: TableProfile, tmp_path: Path
) -> None:
    window = pa.table(
        {"x": [100.0, -100.0], "c": ["c10", "new"], "text": ["short", "short"], "y": [1, 2], "fresh": [1, 2]}
    )
    pq.write_table(window, tmp_path / "w.parquet")
    got = profile(tmp_path / "w.parquet", target="y", event_time=None, reference=table)
    x, before = column(got, "x").histogram, column(table, "x").histogram
    assert x is not None
    assert before is not None
    assert x.edges == before.edges
    assert (x.counts[0], x.counts[-1], sum(x.counts)) == (1, 1, 2)
    c = column(got, "c")
    assert (dict(c.categories)["c10"], c.other) == (1, 1)
    assert set(dict(c.categories)) == set(dict(column(table, "c").categories))
    assert column(got, "text").kind == "text"
    assert got.target is not None
    assert (got.target.classes, got.target.counts, got.target.other) == (("0", "1"), (0.0, 1.0), 1)
    assert column(got, "fresh").histogram is not None


def test_a_column_that_changed_its_type_keeps_its_own_kind(table: TableProfile, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": ["a", "b"]}), tmp_path / "w.parquet")
    got = column(profile(tmp_path / "w.parquet", target=None, event_time=None, reference=table), "x")
    assert (got.kind, got.categories) == ("categorical", (("a", 1), ("b", 1)))


def test_beyond_the_exact_rows_counts_stay_exact_and_estimates_are_marked(
    path: Path, table: TableProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXACT_ROWS", 100)
    got = column(profile(path, target=None, event_time=None), "x")
    assert not got.distinct_exact
    assert got.distinct == pytest.approx(900, rel=0.2)
    assert got.mean == column(table, "x").mean
    assert got.histogram is not None
    assert sum(got.histogram.counts) == 900
    assert dict(got.quantiles)[0.5] == pytest.approx(dict(column(table, "x").quantiles)[0.5], abs=1)


def test_an_empty_table_has_a_profile(tmp_path: Path, table: TableProfile) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "w.parquet")
    got = profile(tmp_path / "w.parquet", target="y", event_time="t", keys=["i"], reference=table)
    assert (got.rows, got.duplicate_rows, got.duplicate_keys) == (0, None, 0)
    assert got.target is not None
    assert got.target.balance == ()


def test_a_profile_survives_json(table: TableProfile) -> None:
    assert TableProfile.from_dict(json.loads(json.dumps(table.to_dict(), allow_nan=False))) == table


def test_a_profile_of_a_profiled_file_is_the_same(path: Path, table: TableProfile) -> None:
    assert profile(path, target="y", event_time="t", keys=["i", "c"]) == table


def test_a_column_that_was_empty_in_the_reference_is_counted_in_its_only_bin(
    path: Path, table: TableProfile, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"empty": [1.0, 2.0, None]}), tmp_path / "w.parquet")
    got = column(profile(tmp_path / "w.parquet", target=None, event_time=None, reference=table), "empty").histogram
    assert got is not None
    assert (got.edges, got.counts) == ((), (2,))


def test_values_of_any_size_are_binned(tmp_path: Path) -> None:
    values = [1e308, -1e308, 1e-300, 0.1, 0.30000000000000004, 123456789012345.67, 1e200]
    pq.write_table(pa.table({"x": values}), tmp_path / "a.parquet")
    x = column(profile(tmp_path / "a.parquet", target=None, event_time=None), "x")
    assert x.histogram is not None
    assert sum(x.histogram.counts) == len(values)
    assert set(x.histogram.edges) <= set(values)
    assert x.mean == pytest.approx(123456789012345.67 / 4)


def test_several_files_are_one_table(path: Path, table: TableProfile) -> None:
    got = profile([path, path], target=None, event_time=None, reference=table)
    assert got.rows == 2 * table.rows
    for name in ("x", "c"):
        assert column(got, name).missing == 2 * column(table, name).missing
    assert dict(column(got, "c").categories) == {
        value: 2 * count for value, count in column(table, "c").categories
    }  # fmt: skip
    twice = merge(table, table)
    assert column(got, "x").histogram == column(twice, "x").histogram


def test_beside_a_reference_nothing_is_sorted_and_distinct_values_of_many_rows_are_estimated(
    path: Path, table: TableProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXACT_WINDOW", 100)
    got = profile(path, target=None, event_time=None, reference=table)
    x = column(got, "x")
    assert (got.duplicate_rows, x.quantiles, x.distinct_exact) == (None, (), False)
    assert x.distinct == pytest.approx(900, rel=0.2)
    assert (x.minimum, x.maximum, x.mean) == (
        column(table, "x").minimum,
        column(table, "x").maximum,
        column(table, "x").mean,
    )
    pq.write_table(pa.table({"x": [7.0] * 200, "c": ["c10"] * 200}), tmp_path / "still.parquet")
    still = profile(tmp_path / "still.parquet", target=None, event_time=None, reference=table)
    assert [column(still, name).distinct for name in ("x", "c")] == [1, 1]
