from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import every_kind, problem

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.learning.folds import folds

TIME = {"split": {"by": "time"}, "event_time": {"column": "met"}}
GROUPED = {"split": {"by": "grouped", "group": "narrow"}}


def made(tmp_path, frame=None, **changes):
    """The problem and its train rows; all rows train, so that what the folds get is known."""
    found = problem(tmp_path, every_kind() if frame is None else frame, **changes)
    object.__setattr__(found, "parts", np.zeros_like(found.parts))
    return found, found.rows("train")


def stamps(times):
    return every_kind(len(times)).assign(met=pd.to_datetime(times))


def test_by_time_no_fold_is_judged_on_what_lies_before_its_train_rows(tmp_path):
    shuffled = every_kind().sample(frac=1, random_state=0).reset_index(drop=True)
    found, rows = made(tmp_path, shuffled, **TIME, tuning={"folds": 4})
    pairs = folds(found, rows)
    met = rows.about["met"].to_numpy()
    assert len(pairs) == 4
    for fit, judge in pairs:
        assert met[fit].max() < met[judge].min()
    assert [len(fit) for fit, _ in pairs] == [24, 48, 72, 96]
    assert sum(len(judge) for _, judge in pairs) == 96


def test_one_hold_out_by_time_is_the_newest_fifth(tmp_path):
    shuffled = every_kind().sample(frac=1, random_state=0).reset_index(drop=True)
    found, rows = made(tmp_path, shuffled, **TIME, tuning={"folds": 1})
    met = rows.about["met"].to_numpy()
    [(fit, judge)] = folds(found, rows)
    assert (len(fit), len(judge)) == (96, 24)
    assert met[fit].max() < met[judge].min()


@pytest.mark.parametrize("changes", [{}, GROUPED])
def test_one_hold_out_is_one_of_four_folds(tmp_path, changes):
    found, rows = made(tmp_path, **changes, tuning={"folds": 1})
    [(fit, judge)] = folds(found, rows)
    assert sorted([*fit, *judge]) == list(range(120))
    assert 20 <= len(judge) <= 40
    four = folds(*made(tmp_path, **changes, tuning={"folds": 4}))
    assert any(np.array_equal(judge, other) for _, other in four)


def test_too_few_rows_for_a_hold_out_are_told_what_needs_fewer(tmp_path):
    frame = every_kind().assign(late=["rare"] * 3 + ["common"] * 117)
    with pytest.raises(DataError, match="too few for cross-validation") as caught:
        folds(*made(tmp_path, frame, tuning={"folds": 1}))
    assert caught.value.expected == "at least 4 rows of each class"
    assert "folds: 2" in caught.value.hint


def test_by_time_equal_times_stay_together(tmp_path):
    found, rows = made(tmp_path, stamps(np.repeat(pd.date_range("2024-01-01", periods=7), 17)), **TIME)
    met = rows.about["met"].to_numpy()
    for fit, judge in folds(found, rows):
        assert not set(met[fit]) & set(met[judge])
        assert len(judge) % 17 == 0


@pytest.mark.parametrize(
    "times", [["2024-01-01"] * 80 + ["2024-01-02"] * 40, ["2024-01-01"] * 119 + ["2024-01-02"], None]
)
def test_by_time_many_equal_times_leave_fewer_folds_and_none_is_empty(tmp_path, times):
    times = times if times is not None else ["2024-01-01"] + ["2024-01-02"] * 119
    found, rows = made(tmp_path, stamps(times), **TIME)
    pairs = folds(found, rows)
    assert len(pairs) == 1
    assert all(len(fit) and len(judge) for fit, judge in pairs)
    assert sum(map(len, pairs[0])) == 120


def test_by_time_a_single_time_cannot_be_cross_validated(tmp_path):
    found, rows = made(tmp_path, stamps(["2024-01-01"] * 20), **TIME)
    with pytest.raises(DataError, match="too few for cross-validation") as caught:
        folds(found, rows)
    assert caught.value.expected == "at least 2 distinct times"


def test_rows_of_one_group_are_never_on_both_sides(tmp_path):
    found, rows = made(tmp_path, **GROUPED)
    groups = rows.about["narrow"].fillna("(missing)").to_numpy()
    pairs = folds(found, rows)
    assert len(pairs) == 3
    for fit, judge in pairs:
        assert not set(groups[fit]) & set(groups[judge])
    assert sorted(np.concatenate([judge for _, judge in pairs])) == list(range(120))


def test_fewer_groups_than_folds_are_refused(tmp_path):
    found, rows = made(tmp_path, **GROUPED, tuning={"folds": 5})
    with pytest.raises(DataError, match="too few for cross-validation") as caught:
        folds(found, rows)
    assert (caught.value.expected, caught.value.got) == ("at least 5 groups", "4 groups")


@pytest.mark.parametrize("by", ["random", "stratified"])
def test_each_row_is_judged_once_and_classes_are_spread_evenly(tmp_path, by):
    frame = every_kind().assign(late=["yes" if number % 10 == 0 else "no" for number in range(120)])
    found, rows = made(tmp_path, frame)
    object.__setattr__(
        found, "spec", found.spec.model_copy(update={"split": found.spec.split.model_copy(update={"by": by})})
    )
    pairs = folds(found, rows)
    assert sorted(np.concatenate([judge for _, judge in pairs])) == list(range(120))
    assert [(rows.actual[judge] == "yes").sum() for _, judge in pairs] == [4, 4, 4]
    assert all(not set(fit) & set(judge) for fit, judge in pairs)


def test_same_seed_same_folds_and_another_seed_others(tmp_path):
    found, rows = made(tmp_path, seed=1)
    first, again = folds(found, rows), folds(found, rows)
    other = folds(*made(tmp_path, seed=2))
    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert any((a[1] != b[1]).any() for a, b in zip(first, other, strict=True))


def test_numbers_are_folded_without_classes(tmp_path):
    found, rows = made(
        tmp_path, every_kind().assign(late=np.linspace(0, 1, 120)), success=[{"metric": "rmse", "at_most": 1}]
    )
    assert [len(judge) for _, judge in folds(found, rows)] == [40, 40, 40]


def test_a_class_with_fewer_rows_than_folds_is_refused(tmp_path):
    frame = every_kind().assign(late=["rare"] * 2 + ["common"] * 118)
    with pytest.raises(DataError, match="too few for cross-validation") as caught:
        folds(*made(tmp_path, frame))
    assert (caught.value.expected, caught.value.got) == ("at least 3 rows of each class", "2 rows of each class")


def test_fewer_numbers_than_folds_are_refused(tmp_path):
    found, rows = made(
        tmp_path, every_kind().assign(late=np.linspace(0, 1, 120)), success=[{"metric": "rmse", "at_most": 1}]
    )
    with pytest.raises(DataError, match="too few for cross-validation"):
        folds(found, rows.sample(2, seed=0))
