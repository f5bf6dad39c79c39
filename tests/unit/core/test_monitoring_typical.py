from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from monitoring_profiles import levels, number, table

from mlops_mlflow.core.monitoring.typical import OTHER, typical_rows
from mlops_mlflow.core.profiles import ColumnProfile

ROWS = 20_000


def drawn(column: ColumnProfile, rows: int = ROWS) -> pd.Series:
    return typical_rows(table(column), rows, seed=1)[column.name]


def test_numbers_fall_into_bins_as_often_as_in_the_profile() -> None:
    values = drawn(number("x", [100, 700, 0, 200], missing=1000))
    assert values.isna().mean() == pytest.approx(0.5, abs=0.02)
    shares = np.histogram(values.dropna(), [-1, 1, 2, 3, 4])[0] / values.notna().sum()
    assert shares == pytest.approx([0.1, 0.7, 0.0, 0.2], abs=0.02)
    assert (values.min() >= 0, values.max() <= 3) == (True, True), "within the extremes of the reference"


def test_whole_numbers_stay_whole_and_in_their_bins() -> None:
    values = drawn(number("x", [10, 70, 20], type="BIGINT"))
    assert (values % 1 == 0).all()
    assert (values <= 1).mean() == pytest.approx(0.1, abs=0.02)


def test_levels_come_as_often_as_in_the_profile_and_the_rest_together() -> None:
    values = drawn(levels("x", {"a": 60, "b": 20}, other=20, missing=100))
    assert values.isna().mean() == pytest.approx(0.5, abs=0.02)
    assert values.value_counts(normalize=True).to_dict() == pytest.approx({"a": 0.6, "b": 0.2, OTHER: 0.2}, abs=0.02)


def test_columns_that_cannot_be_drawn_are_left_out_and_empty_ones_are_empty() -> None:
    columns = [
        number("empty", [], missing=10, histogram=None, minimum=None, maximum=None),
        levels("no level", {}, missing=10),
        levels("time", {}, missing=10, kind="datetime"),
        levels("text", {}, missing=10, kind="text"),
    ]
    found = typical_rows(table(*columns), 5, seed=1)
    assert list(found.columns) == ["empty", "no level"]
    assert found.isna().all().all()
    assert typical_rows(table(number("x", [])), 5, seed=1).columns.tolist() == []


def test_a_constant_column_is_constant() -> None:
    assert set(drawn(number("x", [10, 0], minimum=0.5, maximum=0.5))) == {0.5}


def test_the_same_seed_draws_the_same() -> None:
    profile = table(number("x", [1, 2, 3]), levels("y", {"a": 3, "b": 3}))
    pd.testing.assert_frame_equal(typical_rows(profile, 50, seed=3), typical_rows(profile, 50, seed=3))
    assert not typical_rows(profile, 50, seed=3).equals(typical_rows(profile, 50, seed=4))
