"""Shapley values by sampling: what they promise, against closed forms and brute force."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import every_kind

from mlops_mlflow.learning.contributions import AT_ONCE, BACKGROUND, background_size, contributions

Function = Callable[[np.ndarray[Any, Any]], Any]
NAMES = list("abcd")


def given(rows: int = 60, columns: int = 4, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row that lies apart, and background rows of independent columns."""
    draw = np.random.default_rng(seed)
    background = pd.DataFrame(draw.standard_normal((rows, columns)), columns=NAMES[:columns])
    return pd.DataFrame([np.arange(1.0, columns + 1)], columns=background.columns), background


def on_arrays(function: Function) -> Callable[[pd.DataFrame], Any]:
    return lambda table: function(table.to_numpy(dtype=float))


def wild(x: np.ndarray[Any, Any]) -> Any:
    """All columns at once, the third without a say."""
    return np.tanh(x[:, 0] * x[:, 1] + x[:, 3]) + (x[:, 0] > 0.5) * x[:, 3] * x[:, 1]


def exact(function: Function, row: np.ndarray[Any, Any], background: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Shapley values over every subset of columns."""
    width = len(row)

    def worth(subset: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(subset)] = row[list(subset)]
        return float(np.mean(function(mixed)))

    values = np.zeros(width)
    for column in range(width):
        others = [one for one in range(width) if one != column]
        for size in range(width):
            weight = factorial(size) * factorial(width - size - 1) / factorial(width)
            for subset in combinations(others, size):
                values[column] += weight * (worth((*subset, column)) - worth(subset))
    return values


def test_contributions_and_the_average_add_up_to_the_prediction() -> None:
    row, background = given()
    found = contributions(on_arrays(wild), row, background, seed=0)
    assert found.prediction == wild(row.to_numpy())[0]
    assert found.average == pytest.approx(wild(background.to_numpy()).mean(), abs=1e-12)
    assert found.average + found.values.sum() == pytest.approx(found.prediction, abs=1e-12)


def test_a_column_without_a_say_gets_exactly_nothing() -> None:
    row, background = given()
    found = contributions(on_arrays(wild), row, background, seed=0)
    assert found.values[2] == 0.0
    assert found.errors[2] == 0.0


def test_what_rounding_leaves_is_no_contribution() -> None:
    row, background = given()

    def rounded(x: np.ndarray[Any, Any]) -> Any:
        return (x[:, 0] + 0.1 * x[:, 2]) - 0.1 * x[:, 2]

    assert np.ptp(rounded(np.c_[np.ones((50, 2)), np.linspace(0, 1, 50)])) > 0, "the last digits do move"
    assert contributions(on_arrays(rounded), row, background, seed=0).values[2] == 0.0


def test_a_linear_model_gives_each_column_its_coefficient_times_its_distance_from_the_mean() -> None:
    row, background = given()
    coefficients = np.array([1.0, -2.0, 0.0, 0.5])
    found = contributions(on_arrays(lambda x: 3 + x @ coefficients), row, background, seed=0)
    expected = coefficients * (row.to_numpy()[0] - background.to_numpy().mean(axis=0))
    assert found.values == pytest.approx(expected, abs=1e-12)


def test_two_columns_together_share_what_they_do_together_exactly() -> None:
    row, background = given(columns=2)
    found = contributions(on_arrays(lambda x: x[:, 0] * x[:, 1]), row, background, seed=0)
    (x, y), z = row.to_numpy()[0], background.to_numpy()
    assert found.values[0] == pytest.approx(np.mean((x - z[:, 0]) * (y + z[:, 1]) / 2), abs=1e-12)
    assert found.values[1] == pytest.approx(np.mean((y - z[:, 1]) * (x + z[:, 0]) / 2), abs=1e-12)


def test_two_identical_columns_share_equally() -> None:
    row, background = given(rows=300)
    row, background = (table.assign(d=table["a"]) for table in (row, background))
    found = contributions(on_arrays(lambda x: np.tanh(x[:, 0] + x[:, 3]) * x[:, 1]), row, background, seed=0)
    apart = abs(found.values[0] - found.values[3])
    assert found.values[0] > 0.1
    assert apart < 3 * np.hypot(found.errors[0], found.errors[3])


@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_every_subset_within_their_errors(seed: int) -> None:
    row, background = given(rows=400, seed=seed)
    found = contributions(on_arrays(wild), row, background, seed=seed)
    truth = exact(wild, row.to_numpy()[0], background.to_numpy())
    assert (np.abs(found.values - truth) <= 4 * found.errors + 1e-12).all()
    assert (found.errors[[0, 1, 3]] > 0).all()


def test_the_error_tells_how_far_values_scatter_over_background_samples() -> None:
    row, whole = given(rows=4000, columns=4)
    found = [contributions(on_arrays(wild), row, whole.iloc[at : at + 100], seed=at) for at in range(0, 4000, 100)]
    scatter = np.std([one.values[0] for one in found], ddof=1)
    assert np.mean([one.errors[0] for one in found]) == pytest.approx(scatter, rel=0.35)


def test_a_seed_gives_one_answer_and_another_seed_another() -> None:
    row, background = given()
    one, again, other = (contributions(on_arrays(wild), row, background, seed=seed) for seed in (5, 5, 6))
    assert one.values.tolist() == again.values.tolist()
    assert one.errors.tolist() == again.errors.tolist()
    assert one.values.tolist() != other.values.tolist()


def test_the_model_sees_every_column_with_the_type_that_it_has() -> None:
    table = every_kind().drop(columns="late")
    kinds: list[Any] = []

    def length(seen: pd.DataFrame) -> Any:
        kinds.append(seen.dtypes)
        return seen["story"].fillna("").astype(str).str.len().to_numpy(dtype=float)

    found = contributions(length, table.iloc[[0]], table.iloc[1:40], seed=0)
    assert all(seen.equals(table.dtypes) for seen in kinds)
    assert {name for name, value in zip(found.columns, found.values, strict=True) if value} == {"story"}


def test_a_fitted_pipeline_is_explained_in_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    row, background = given(rows=300)
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    model.fit(background.to_numpy(), background["a"] * background["b"] > 0)
    asked: list[int] = []

    def predict(table: pd.DataFrame) -> Any:
        asked.append(len(table))
        return model.predict_proba(table.to_numpy())[:, 1]

    found = contributions(predict, row, background, seed=0)
    assert found.average + found.values.sum() == pytest.approx(found.prediction, abs=1e-12)
    assert max(asked) <= AT_ONCE
    assert len(asked) == 2  # 300 rows, 2 orders, 5 steps are one batch; the row itself is the other
    assert found.order[:2] == [1, 0] or found.order[:2] == [0, 1]


def test_many_rows_are_asked_for_in_batches() -> None:
    row, background = given(rows=1500)
    asked: list[int] = []

    def predict(table: pd.DataFrame) -> Any:
        asked.append(len(table))
        return wild(table.to_numpy())

    found = contributions(predict, row, background, seed=0)
    assert sum(asked) == 1500 * 2 * 5 + 1
    assert max(asked) <= AT_ONCE
    assert found.average == pytest.approx(wild(background.to_numpy()).mean(), abs=1e-12)


def test_one_background_row_and_one_column_are_enough() -> None:
    row, background = given(rows=1, columns=1)
    found = contributions(on_arrays(lambda x: 2 * x[:, 0]), row, background, seed=0)
    assert found.values.tolist() == [pytest.approx(2 - 2 * background["a"][0])]
    assert np.isnan(found.errors).all()


def test_a_wide_table_is_walked_from_fewer_rows() -> None:
    assert background_size(15) == BACKGROUND
    assert 20 <= background_size(1_000) < background_size(200) < BACKGROUND
