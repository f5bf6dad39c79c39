from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_mlflow.learning import columns


def one(values, dtype=None):
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


@pytest.mark.parametrize(
    ("values", "dtype", "numbers"),
    [
        ([1, 2], "int64", [1, 2]),
        ([True, False], "bool", [1, 0]),
        ([True, None, False], "object", [1, np.nan, 0]),
        ([True, None], "boolean", [1, np.nan]),
        ([1, None], "Int64", [1, np.nan]),
        (["1.5", "x", None], "object", [1.5, np.nan, np.nan]),
        ([np.inf, -np.inf, 1.0], "float64", [np.nan, np.nan, 1]),
        ([None, None], "object", [np.nan, np.nan]),
        ([], "float64", []),
    ],
)
def test_as_numbers(values, dtype, numbers):
    found = columns.as_numbers(one(values, dtype))
    assert found["x"].dtype == float
    np.testing.assert_array_equal(found["x"], numbers)


def test_whole_numbers_and_booleans_are_the_same_words_however_they_are_stored():
    """A file in which one value is missing has floats where the training data had integers."""
    stored = [one([1, 0], "int64"), one([1.0, 0.0, None]), one([True, False], "bool"), one([True, 0.0, None], "object")]
    for table in stored:
        assert columns.as_categories(table)["x"].tolist()[:2] == ["1", "0"]


def test_as_categories_names_missing_and_keeps_texts():
    found = columns.as_categories(pd.DataFrame({"x": ["a", None, "1.0"], "y": [0.5, np.nan, 2.0]}, index=[7, 3, 5]))
    assert found["x"].tolist() == ["a", "(missing)", "1.0"]
    assert found["y"].tolist() == ["0.5", "(missing)", "2"]
    assert found.index.tolist() == [7, 3, 5]


def test_as_categories_of_nothing_but_missing():
    assert columns.as_categories(one([None, np.nan], "object"))["x"].tolist() == ["(missing)"] * 2


def test_as_text_leaves_missing_empty():
    assert columns.as_text(pd.Series(["a b", None, 3])).tolist() == ["a b", "", "3"]


def test_time_of_week_is_the_same_a_week_later_and_different_an_hour_later():
    times = pd.to_datetime(["2024-03-04T06:30", "2024-03-11T06:30", "2024-03-04T07:30"])
    found = columns.time_of_week(one(times)).to_numpy()
    np.testing.assert_allclose(found[0], found[1])
    assert abs(found[0] - found[2]).max() > 0.1
    np.testing.assert_allclose(found[:, 0] ** 2 + found[:, 1] ** 2, 1)


def test_calendar_tells_years_apart():
    found = columns.calendar(one(pd.to_datetime(["2000-01-01", "2000-01-02", None]))).to_numpy()
    assert found.shape == (3, 7)
    assert found[:2, -1].tolist() == [0, 1]
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize("convert", [columns.time_of_week, columns.calendar, columns.hour_of_week])
def test_times_with_a_zone_and_texts_are_read_as_times_in_utc(convert):
    naive = one(pd.to_datetime(["2024-03-04T06:30", None]))
    zoned = one(naive["x"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    texts = one(["2024-03-04 06:30", "no time"], "object")
    for other in (zoned, texts):
        np.testing.assert_allclose(convert(other), convert(naive), equal_nan=True)


def test_each_text_is_read_by_itself():
    """pandas would take the format of the first for all, so a time would depend on the rows beside it."""
    mixed = one(["2024-03-04", "2024-03-04T06:30:00Z", "March 4 2024 06:30"], "object")
    assert columns.hour_of_week(mixed).iloc[:, 0].tolist() == [0, 6, 6]


def test_several_time_columns_have_columns_of_their_own():
    times = pd.to_datetime(["2024-03-04"])
    assert columns.calendar(pd.DataFrame({"a": times, "b": times})).shape == (1, 14)
    assert columns.time_of_week(pd.DataFrame({"a": times, "b": times})).columns.is_unique


def test_hour_of_week_begins_on_monday():
    times = pd.to_datetime(["2024-03-04T00:10", "2024-03-10T23:00", None])
    np.testing.assert_array_equal(columns.hour_of_week(one(times)).iloc[:, 0], [0, 167, np.nan])


def test_it_imports_nothing_that_a_loaded_model_may_lack():
    tree = ast.parse(Path(columns.__file__).read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "typing", "numpy", "pandas"}
