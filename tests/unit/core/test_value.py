from __future__ import annotations

import numpy as np
import pytest

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.core.value import worth_matrix, worth_of_errors


def test_prices_of_outcomes_stand_at_actual_and_predicted():
    value = Value(true_positive=4, false_positive=3, true_negative=1, false_negative=2)
    assert worth_matrix(value, ("no", "yes")).tolist() == [[1, 3], [2, 4]]


def test_an_outcome_without_a_price_is_worth_nothing():
    assert worth_matrix(Value(true_positive=4), ("no", "yes")).tolist() == [[0, 0], [0, 4]]


def test_a_matrix_is_read_by_names_and_pairs_that_are_not_named_are_worth_nothing():
    value = Value(matrix={"b": {"a": -1, "b": 2}})
    assert worth_matrix(value, ("a", "b", "c")).tolist() == [[0, 0, 0], [-1, 2, 0], [0, 0, 0]]


@pytest.mark.parametrize("matrix", [{"bb": {"a": 1}}, {"a": {"bb": 1}}])
def test_a_matrix_that_prices_an_unknown_class_is_refused(matrix):
    with pytest.raises(UseCaseError, match="prices `bb`") as caught:
        worth_matrix(Value(matrix=matrix), ("a", "b"))
    assert caught.value.expected == "a, b"


def test_prices_of_a_binary_target_do_not_suit_three_classes():
    with pytest.raises(UseCaseError, match="prices a binary target, but this one is multiclass") as caught:
        worth_matrix(Value(true_positive=1), ("a", "b", "c"))
    assert caught.value.expected == "`matrix`"


def test_prices_of_errors_do_not_suit_classes():
    with pytest.raises(UseCaseError, match="prices a regression target, but this one is binary"):
        worth_matrix(Value(over=-1, under=-2), ("no", "yes"))


def test_units_too_high_and_too_low_have_their_own_price():
    worth = worth_of_errors(Value(over=-1, under=-3), np.array([10.0, 10.0, 10.0]), np.array([12.0, 9.0, 10.0]))
    assert worth.tolist() == [-2, -3, 0]


def test_prices_of_outcomes_do_not_suit_numbers():
    with pytest.raises(UseCaseError, match="prices a binary target, but this one is regression"):
        worth_of_errors(Value(true_positive=1), np.zeros(1), np.zeros(1))
