from __future__ import annotations

import json

import numpy as np
import pytest

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.splits import PARTS, SplitPlan, assign, check_parts, plan_split
from mlops_mlflow.core.usecase.data import Split

HOUR = 3_600 * 10**9
TIME = Split(by="time")
STRATIFIED = Split(by="stratified")


def hashes(rows, seed=0):
    return np.random.default_rng(seed).random(rows)


def by_time(times):
    return plan_split(TIME, np.asarray(times, dtype=np.int64), seed=0, columns=())


def test_by_time_the_past_trains_and_the_newest_tests():
    times = np.arange(100) * HOUR
    parts = assign(by_time(times), times)
    assert np.bincount(parts).tolist() == [70, 15, 15]
    assert (np.diff(parts) >= 0).all()


def test_equal_times_stay_together():
    times = np.repeat(np.arange(10), 10) * HOUR
    parts = assign(by_time(times), times).reshape(10, 10)
    assert (parts == parts[:, :1]).all()


@pytest.mark.parametrize("split", [TIME, STRATIFIED, Split()])
def test_the_order_of_rows_does_not_matter(split):
    positions = np.arange(60) * HOUR if split.by == "time" else hashes(60)
    strata = np.array(["a", "b", "b"] * 20, dtype=object)
    shuffled = np.random.default_rng(1).permutation(60)
    plan = plan_split(split, positions, strata, seed=0, columns=None)
    turned = plan_split(split, positions[shuffled], strata[shuffled], seed=0, columns=None)
    assert plan == turned
    assert (assign(plan, positions, strata)[shuffled] == assign(turned, positions[shuffled], strata[shuffled])).all()


@pytest.mark.parametrize("split", [Split(), Split(by="grouped", group="g")])
def test_more_rows_leave_the_parts_of_the_old_ones(split):
    old, new = hashes(50), hashes(30, seed=1)
    before = assign(plan_split(split, old, seed=0, columns=None), old)
    both = np.r_[old, new]
    assert (assign(plan_split(split, both, seed=0, columns=None), both)[:50] == before).all()


def test_shares_of_a_split_by_hash_are_about_as_asked():
    positions = hashes(20_000)
    split = Split(train=0.6, validation=0.3, test=0.1)
    shares = np.bincount(assign(plan_split(split, positions, seed=0, columns=None), positions)) / 20_000
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.01)


def test_rows_of_one_group_share_a_position_and_so_a_part():
    split = Split(by="grouped", group="g")
    positions = np.repeat(hashes(40), 5)
    parts = assign(plan_split(split, positions, seed=0, columns=["g"]), positions).reshape(40, 5)
    assert (parts == parts[:, :1]).all()


def test_each_stratum_has_its_shares():
    strata = np.array(["rare"] * 20 + ["common"] * 980, dtype=object)
    positions = hashes(1_000)
    parts = assign(plan_split(STRATIFIED, positions, strata, seed=0, columns=None), positions, strata)
    assert np.bincount(parts[strata == "rare"]).tolist() == [14, 3, 3]
    assert np.bincount(parts[strata == "common"]).tolist() == [686, 147, 147]


@pytest.mark.parametrize("labels", [(0, 1), (False, True), ("0", "1"), (0.0, 1.0)])
def test_strata_of_any_type_survive_json(labels):
    strata = np.array([labels[number % 3 == 0] for number in range(60)], dtype=object)
    positions = hashes(60)
    plan = plan_split(STRATIFIED, positions, strata, seed=0, columns=None)
    again = SplitPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert np.bincount(assign(again, positions, strata)).tolist() == [42, 9, 9]


def test_a_plan_made_with_integers_divides_the_same_classes_as_floats_alike():
    strata, positions = np.array([0, 1, 1] * 20, dtype=object), hashes(60)
    plan = plan_split(STRATIFIED, positions, strata, seed=0, columns=None)
    floats = strata.astype(float).astype(object)
    assert (assign(plan, positions, floats) == assign(plan, positions, strata)).all()


def test_a_stratum_that_the_plan_does_not_know_is_for_test():
    strata = np.array(["a", "b"] * 30, dtype=object)
    plan = plan_split(STRATIFIED, hashes(60), strata, seed=0, columns=None)
    assert assign(plan, np.array([0.0, 0.5]), np.array(["new", "newer"], dtype=object)).tolist() == [2, 2]


def test_a_stratum_may_be_called_like_the_whole():
    strata = np.array(["!", "*", "a"] * 20, dtype=object)
    positions = hashes(60)
    parts = assign(plan_split(STRATIFIED, positions, strata, seed=0, columns=None), positions, strata)
    for name in ("!", "*", "a"):
        assert np.bincount(parts[strata == name]).tolist() == [14, 3, 3]


def test_a_stratified_split_needs_the_classes():
    with pytest.raises(ValueError, match="class of each row"):
        plan_split(STRATIFIED, hashes(9), seed=0, columns=None)
    plan = plan_split(STRATIFIED, hashes(9), np.array(["a"] * 9, dtype=object), seed=0, columns=None)
    with pytest.raises(ValueError, match="class of each row"):
        assign(plan, hashes(9))


def test_nanoseconds_survive_json():
    """They need more digits than a float has."""
    times = 1_700_000_000_000_000_001 + np.arange(100)
    plan = by_time(times)
    again = SplitPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert all(isinstance(cut, int) for cut in again.cuts["*"])
    assert (assign(again, times) == assign(plan, times)).all()
    assert np.bincount(assign(again, times)).tolist() == [70, 15, 15]


@pytest.mark.parametrize("columns", [None, (), ("key",)])
def test_the_columns_of_a_plan_survive_json(columns):
    plan = plan_split(Split(), hashes(5), seed=3, columns=columns)
    assert SplitPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    assert (plan.columns, plan.seed) == (columns, 3)


def test_assigning_depends_on_the_row_alone_and_changes_nothing():
    positions = hashes(40)
    plan = plan_split(Split(), positions, seed=0, columns=None)
    whole, kept = assign(plan, positions), positions.copy()
    assert [int(assign(plan, positions[[row]])[0]) for row in range(40)] == whole.tolist()
    assert (positions == kept).all()


@pytest.mark.parametrize("rows", [3, 4, 5, 7])
def test_a_tiny_table_has_a_row_in_each_part(rows):
    times = np.arange(rows) * HOUR
    assert (np.bincount(assign(by_time(times), times), minlength=3) >= 1).all()


def test_a_share_below_one_row_still_gets_one():
    times, split = np.arange(5) * HOUR, Split(by="time", train=0.6, validation=0.05, test=0.35)
    assert assign(plan_split(split, times, seed=0, columns=()), times).tolist() == [0, 0, 0, 1, 2]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_fewer_than_three_rows_cannot_be_divided(rows):
    with pytest.raises(DataError, match="too few rows to be divided by time") as caught:
        by_time(np.arange(rows))
    assert caught.value.got == f"{rows} rows"


def test_numbers_are_no_strata():
    with pytest.raises(DataError, match=r"the class 0\.\d+ has too few rows") as caught:
        plan_split(STRATIFIED, hashes(50), hashes(50, seed=1).astype(object), seed=0, columns=None)
    assert "for classes, not for numbers" in caught.value.hint


def test_a_part_without_rows_is_refused_by_name():
    times = np.r_[np.zeros(60), np.ones(40)].astype(np.int64) * HOUR
    with pytest.raises(DataError, match="no row for validation") as caught:
        check_parts(assign(by_time(times), times), None, TIME)
    assert caught.value.expected == "15% of 100 rows in validation (split by time)"


def test_a_part_without_a_class_is_refused_by_name():
    classes = np.array(["late"] * 30 + ["early"] * 70, dtype=object)
    times = np.arange(100) * HOUR
    with pytest.raises(DataError, match="leaves validation without the class 'late'") as caught:
        check_parts(assign(by_time(times), times), classes, TIME)
    assert "by: stratified" in caught.value.hint


def test_a_stratified_split_is_not_advised_to_be_stratified():
    parts = np.array([0, 1, 2, 0], dtype=np.int8)
    with pytest.raises(DataError, match="without the class") as caught:
        check_parts(parts, np.array(["a", "a", "a", "b"], dtype=object), STRATIFIED)
    assert "by: stratified" not in caught.value.hint


def test_whole_parts_pass():
    check_parts(np.array([0, 1, 2] * 2, dtype=np.int8), np.array(list("aaabbb"), dtype=object), Split())
    assert PARTS == ("train", "validation", "test")
