from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import every_kind, problem, spec

from mlops_mlflow.learning.problem import Rows, about_columns, blocks, event_nanoseconds

NEW_YORK = {"event_time": {"column": "met", "zone": "America/New_York"}}
NAIVE, ZONED = {"met": "TIMESTAMP"}, {"met": "TIMESTAMP WITH TIME ZONE"}


def utc(texts, columns=NAIVE, **changes):
    times = pd.Series(pd.to_datetime(texts))
    return pd.to_datetime(event_nanoseconds(spec(**changes), columns, times)).strftime("%Y-%m-%dT%H:%M").tolist()


def test_times_without_a_zone_are_read_in_the_declared_one():
    assert utc(["2024-01-15T12:00", "2024-07-15T12:00"], **NEW_YORK) == ["2024-01-15T17:00", "2024-07-15T16:00"]


def test_without_a_declared_zone_they_are_utc():
    assert utc(["2024-07-15T12:00"], event_time={"column": "met"}) == ["2024-07-15T12:00"]
    assert utc(["2024-07-15T12:00"], {}) == ["2024-07-15T12:00"]


def test_a_column_that_tells_its_zone_is_not_shifted_again():
    assert utc(["2024-07-15T12:00"], ZONED, **NEW_YORK) == ["2024-07-15T12:00"]


def test_of_the_hour_that_a_clock_shows_twice_the_first_is_meant():
    """On 3 November 2024 clocks in New York went from 02:00 back to 01:00; the first pass is at -4 hours."""
    assert utc(["2024-11-03T01:30", "2024-11-03T02:30"], **NEW_YORK) == ["2024-11-03T05:30", "2024-11-03T07:30"]


def test_of_the_hour_that_a_clock_skips_the_next_time_that_exists_is_meant():
    """On 10 March 2024 they went from 02:00 to 03:00."""
    assert utc(["2024-03-10T01:59", "2024-03-10T02:30"], **NEW_YORK) == ["2024-03-10T06:59", "2024-03-10T07:00"]


def test_nanoseconds_are_exact_whatever_the_resolution():
    times = pd.Series(pd.to_datetime(["2024-01-01T00:00:00.000000001"]))
    assert event_nanoseconds(spec(**NEW_YORK), ZONED, times).tolist() == [1_704_067_200_000_000_001]
    for unit in ("s", "ms", "us"):
        coarse = pd.Series(pd.to_datetime(["2024-01-01"])).astype(f"datetime64[{unit}]")
        assert event_nanoseconds(spec(**NEW_YORK), ZONED, coarse).tolist() == [1_704_067_200_000_000_000]


def test_no_times_give_no_nanoseconds():
    found = event_nanoseconds(spec(**NEW_YORK), NAIVE, pd.Series([], dtype="datetime64[ns]"))
    assert (len(found), found.dtype) == (0, np.int64)


def test_rows_of_each_part_are_those_of_the_plan(tmp_path):
    frame = every_kind().assign(key=np.arange(120))
    found = problem(tmp_path, frame, entity_key="key", apart=("met",), evaluation={"slices": ["narrow"]})
    seen = []
    for number, part in enumerate(("train", "validation", "test")):
        rows = found.rows(part)
        assert (found.parts[rows.numbers] == number).all()
        assert rows.about["key"].tolist() == rows.numbers.tolist()
        assert rows.actual.tolist() == frame["late"].to_numpy()[rows.numbers].tolist()
        assert not {"late", "key", "met"} & set(rows.table)
        seen += rows.numbers.tolist()
    assert sorted(seen) == list(range(120))


def test_a_sample_keeps_what_belongs_together_in_order():
    table = pd.DataFrame({"x": np.arange(50.0)})
    rows = Rows(table, np.arange(50), table.rename(columns={"x": "y"}), np.arange(50))
    some = rows.sample(10, seed=1)
    assert len(some) == 10
    assert some.table["x"].tolist() == some.actual.tolist() == some.about["y"].tolist() == some.numbers.tolist()
    assert (np.diff(some.numbers) > 0).all()
    assert some.numbers.tolist() == rows.sample(10, seed=1).numbers.tolist()
    assert some.numbers.tolist() != rows.sample(10, seed=2).numbers.tolist()
    assert rows.sample(50, seed=1) is rows


def test_about_names_each_column_once_and_only_those_that_are_there():
    made = spec(
        **NEW_YORK,
        entity_key="key",
        evaluation={"slices": ["narrow", "gone"]},
        success=[{"metric": "roc_auc", "at_least": 0.5, "by": "narrow"}],
        requirements=[
            {"metric": "equalized_odds_difference", "at_most": 0.5, "by": "wide"},
            {"approval": "legal", "subject": "wording"},
        ],
    )
    columns = dict.fromkeys(("wide", "narrow", "met", "key", "weak"), "VARCHAR")
    assert about_columns(made, columns) == ["key", "met", "narrow", "wide"]


def test_prices_add_value_to_the_metrics(tmp_path):
    assert "value_per_row" not in problem(tmp_path, every_kind()).metrics
    assert problem(tmp_path, every_kind(), value={"true_positive": 1}).metrics[-1] == "value_per_row"
    assert problem(tmp_path, every_kind()).dataset("test") == "flights.test"


def days(count, per_day=3, missing=0):
    times = np.repeat(pd.date_range("2024-01-01T06:00", periods=count), per_day).to_series(index=range(count * per_day))
    times.iloc[:missing] = None
    return pd.DataFrame({"met": times})


def test_blocks_are_days_where_there_are_enough():
    numbers, what = blocks(spec(**NEW_YORK), days(8))
    assert what == "day"
    assert numbers.tolist() == np.repeat(np.arange(8), 3).tolist()


@pytest.mark.parametrize("count", [0, 7])
def test_too_few_days_leave_single_rows(count):
    numbers, what = blocks(spec(**NEW_YORK), days(count))
    assert (numbers.tolist(), what) == (list(range(3 * count)), "row")


def test_blocks_are_the_declared_groups_and_missing_is_one_of_its_own():
    made = spec(split={"by": "grouped", "group": "who"}, **NEW_YORK)
    numbers, what = blocks(made, days(3).assign(who=["a", None, "b", "a", None, "b", "b", "b", "a"]))
    assert what == "who"
    assert numbers.tolist() == [0, 1, 2, 0, 1, 2, 2, 2, 0]


def test_without_times_or_groups_blocks_are_rows():
    assert blocks(spec(), days(9))[1] == "row"
