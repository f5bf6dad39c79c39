from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops_mlflow.core.errors import DataError, UseCaseError
from mlops_mlflow.core.usecase.data import Target
from mlops_mlflow.learning.target import MOST_CLASSES, Outcomes, recognise


def seen(values, dtype=None, **target):
    return recognise(pd.Series(values, dtype=dtype), Target(column="y", **target))


@pytest.mark.parametrize(
    ("values", "task", "labels"),
    [
        ([0, 1, 1], "binary", (0, 1)),
        ([3, 7, 3], "binary", (3, 7)),
        ([1.0, 0.0], "binary", (0.0, 1.0)),
        ([True, False], "binary", (False, True)),
        (["yes", "no"], "binary", ("no", "yes")),
        (["a", "b", "c"], "multiclass", ("a", "b", "c")),
        (list(range(20)), "multiclass", tuple(range(20))),
        (list(range(21)), "regression", ()),
        ([0.5, 1.5], "regression", ()),
        ([0.5, 1.0, 2.0], "regression", ()),
        ([1, 2, "x"], "multiclass", (1, 2, "x")),
    ],
)
def test_the_task_follows_from_the_column(values, task, labels):
    found = seen(values)
    assert (found.task, found.labels) == (task, labels)
    assert {type(label) for label in found.labels} <= {int, float, bool, str}


@pytest.mark.parametrize(
    ("values", "task"), [([0, 1], "regression"), ([0, 1], "multiclass"), (list(range(30)), "multiclass")]
)
def test_a_declared_task_wins_where_it_can_hold(values, task):
    assert seen(values, task=task).task == task


@pytest.mark.parametrize(
    ("values", "task", "what"),
    [
        (["a", "b"], "regression", "declared as regression, but it does not hold numbers"),
        ([True, False], "regression", "declared as regression, but it does not hold numbers"),
        ([1, 2, 3], "binary", "declared as binary, but it has 3 distinct values"),
        ([0.5, 1.5], "binary", "declared as binary, but it holds fractions"),
        ([0.5, 1.5, 2.0], "multiclass", "declared as multiclass, but it holds fractions"),
        (list(range(MOST_CLASSES + 1)), "multiclass", "declared as multiclass, but it has 51"),
    ],
)
def test_a_declared_task_that_cannot_hold_is_refused(values, task, what):
    with pytest.raises(DataError, match=what) as caught:
        seen(values, task=task)
    assert caught.value.hint


def test_too_many_words_are_refused():
    with pytest.raises(DataError, match="recognised as multiclass, but it has 60"):
        seen([f"w{number}" for number in range(60)])


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([1.0, None], "1 rows without an outcome"),
        ([None, None], "2 rows without an outcome"),
        (["a", "a"], "one value only: 'a'"),
        ([], "one value only"),
        ([1.0, np.inf, 2.5], "infinite numbers"),
        ([0.0, -np.inf], "infinite numbers"),
    ],
)
def test_a_column_that_nothing_can_be_learned_from_is_refused(values, what):
    with pytest.raises(DataError, match=what):
        seen(values)


@pytest.mark.parametrize(
    ("values", "positive", "labels"),
    [
        (["bad", "good"], "bad", ("good", "bad")),
        (["bad", "good"], "good", ("bad", "good")),
        ([0, 1], 0, (1, 0)),
        ([False, True], True, (False, True)),
        ([False, True], 1, (False, True)),
        ([0, 1], True, (0, 1)),
    ],
)
def test_the_positive_outcome_comes_second(values, positive, labels):
    found = seen(values, positive=positive)
    assert found.labels == labels
    assert found.positive == positive


def test_a_positive_outcome_that_is_not_there_is_refused():
    with pytest.raises(UseCaseError, match=r"`target\.positive` is 'late', which `y` does not hold") as caught:
        seen(["no", "yes"], positive="late")
    assert caught.value.expected == "'no' or 'yes'"
    with pytest.raises(UseCaseError, match="is '1', which"):
        seen([0, 1], positive="1")


@pytest.mark.parametrize("values", [["a", "b", "c"], [0.1, 0.2, 0.3]])
def test_a_positive_outcome_of_a_target_that_is_not_binary_is_refused(values):
    with pytest.raises(UseCaseError, match=r"`target\.positive` is for a binary target") as caught:
        seen(values, positive="a")
    assert caught.value.got == "3 distinct values"


@pytest.mark.parametrize("values", [[0, 1], [True, False], ["no", "yes"], ["a", "b", "c"], [1.0, 0.0]])
def test_outcomes_are_numbered_in_the_order_of_labels(values):
    found = seen(values)
    for form in (np.array(found.labels), np.array(found.labels, dtype=object), pd.Series(found.labels)):
        assert found.encode(form).tolist() == list(range(len(found.labels)))
    assert found.classes == tuple(map(str, found.labels))


def test_whole_floats_are_the_same_outcomes_as_integers():
    assert Outcomes("binary", (0, 1)).encode(np.array([1.0, 0.0])).tolist() == [1, 0]


def test_numbers_of_a_regression_stay_as_they_are():
    assert Outcomes("regression").encode(pd.Series([1, 2])).tolist() == [1.0, 2.0]


def test_an_unknown_outcome_is_told_plainly():
    with pytest.raises(DataError, match="the outcome 'c' is not one"):
        Outcomes("binary", ("a", "b")).encode(np.array(["a", "c"]))
    with pytest.raises(DataError, match="the outcome 7 is not one"):
        Outcomes("binary", (0, 1)).encode(np.array([0, 7]))
    assert Outcomes("binary", ("a", "b")).encode(np.array([], dtype=object)).tolist() == []
