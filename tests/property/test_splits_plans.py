from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.splits import SplitPlan, assign, plan_split
from mlops_mlflow.core.usecase.data import Split

TIMES = st.lists(st.integers(-(2**62), 2**62), min_size=3, max_size=60).map(
    lambda times: np.array(times, dtype=np.int64)
)
HASHES = st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=60, unique=True).map(np.array)


@st.composite
def shares(draw):
    train = draw(st.floats(0.05, 0.9))
    validation = draw(st.floats(0.02, 0.95 - train))
    return {"train": train, "validation": validation, "test": 1 - train - validation}


def through_json(plan):
    return SplitPlan.from_dict(json.loads(json.dumps(plan.to_dict())))


@settings(deadline=None)
@given(times=TIMES, shares=shares())
def test_by_time_no_part_reaches_into_the_next_and_equal_times_stay_together(times, shares):
    plan = through_json(plan_split(Split(by="time", **shares), times, seed=0, columns=()))
    parts = assign(plan, times)
    assert (np.diff(parts[np.argsort(times, kind="stable")]) >= 0).all()
    assert all(len(set(parts[times == time])) == 1 for time in times)


@settings(deadline=None)
@given(times=TIMES.filter(lambda times: len(set(times)) == len(times)), shares=shares())
def test_by_time_distinct_times_fill_every_part_about_as_asked(times, shares):
    parts = assign(plan_split(Split(by="time", **shares), times, seed=0, columns=()), times)
    counts = np.bincount(parts, minlength=3)
    assert (counts >= 1).all()
    assert np.abs(counts - np.array(list(shares.values())) * len(times)).max() <= 2.5


@settings(deadline=None)
@given(old=HASHES, new=HASHES, shares=shares())
def test_random_splits_do_not_move_when_rows_are_added(old, new, shares):
    split = Split(**shares)
    before = assign(plan_split(split, old, seed=0, columns=None), old)
    both = np.r_[old, new]
    assert (assign(through_json(plan_split(split, both, seed=0, columns=None)), both)[: len(old)] == before).all()


@settings(deadline=None)
@given(
    positions=HASHES, classes=st.lists(st.sampled_from(["a", "b", "*", "1"]), min_size=3, max_size=60), shares=shares()
)
def test_each_large_enough_stratum_is_in_every_part(positions, classes, shares):
    size = min(len(positions), len(classes))
    positions, strata = positions[:size], np.array(classes[:size], dtype=object)
    enough = np.array([list(strata).count(name) >= 3 for name in strata])
    positions, strata = positions[enough], strata[enough]
    plan = through_json(plan_split(Split(by="stratified", **shares), positions, strata, seed=0, columns=None))
    parts = assign(plan, positions, strata)
    assert all(set(parts[strata == name]) == {0, 1, 2} for name in strata)
