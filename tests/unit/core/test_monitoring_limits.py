"""Limits against brute force: how often samples of one distribution pass them."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops_mlflow.core.monitoring import limits
from mlops_mlflow.core.monitoring.distance import jensen_shannon
from mlops_mlflow.core.monitoring.limits import (
    ALPHA,
    FLOOR,
    distance_limit,
    groups,
    per_test,
    rejected_limit,
    share_at,
    share_limit,
    volume_limits,
)

SIZES = list(itertools.product((30, 100, 500, 5_000), (1_000, 50_000)))
DRAWS = 20_000


def uneven(bins: int) -> NDArray[np.float64]:
    """From the rarest to the most frequent, as categories are compared."""
    weights = 1 / np.arange(bins, 0, -1)
    return weights / weights.sum()


def distances(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
    p, q = a / a.sum(axis=1, keepdims=True), b / b.sum(axis=1, keepdims=True)
    middle = np.maximum((p + q) / 2, 1e-300)
    terms = [np.where(x > 0, x * np.log2(np.maximum(x, 1e-300) / middle), 0).sum(axis=1) for x in (p, q)]
    return np.sqrt(np.maximum(sum(terms) / 2, 0))


def passing(shares: NDArray[np.float64], rows: int, before: int, alpha: float) -> float:
    """How often two samples are farther apart than the limit, in units of what was asked for."""
    random = np.random.default_rng((rows, before, len(shares)))
    starts = groups(np.round(before * shares).astype(int), rows)
    shares = np.add.reduceat(shares, starts)
    limit = distance_limit(np.round(before * shares).astype(int), rows, alpha).distance
    found = distances(random.multinomial(before, shares, DRAWS), random.multinomial(rows, shares, DRAWS))
    return float((found > limit).mean()) / alpha


@pytest.mark.parametrize(("rows", "before"), SIZES)
@pytest.mark.parametrize("bins", [2, 5, 20, 50])
def test_samples_of_one_distribution_pass_about_as_often_as_asked(
    monkeypatch: pytest.MonkeyPatch, bins: int, rows: int, before: int
) -> None:
    monkeypatch.setattr(limits, "FLOOR", 0.0)
    for shares in (np.full(bins, 1 / bins), uneven(bins)):
        assert 0.25 < passing(shares, rows, before, 0.001) < 2.5


@pytest.mark.parametrize(("rows", "before"), SIZES)
@pytest.mark.parametrize("expected", [1, 5, 7])
def test_a_rare_value_that_cannot_be_joined_with_others_errs_to_the_quiet_side(
    monkeypatch: pytest.MonkeyPatch, expected: float, rows: int, before: int
) -> None:
    monkeypatch.setattr(limits, "FLOOR", 0.0)
    rare, random = expected / rows, np.random.default_rng((rows, before))
    known, found = random.binomial(before, rare, DRAWS), random.binomial(rows, rare, DRAWS)
    passed = 0
    for y in np.unique(known[known > 0]):
        reference, now = np.array([y, before - y]), found[known == y]
        limit = distance_limit(reference, rows, 0.0005).distance
        passed += sum(jensen_shannon(reference, (x, rows - x)) > limit for x in now)
    assert passed / DRAWS <= 3 * 0.0005


@pytest.mark.parametrize(("rows", "before"), SIZES)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 0.99])
def test_shares_pass_at_most_as_often_as_asked(
    monkeypatch: pytest.MonkeyPatch, share: float, rows: int, before: int
) -> None:
    monkeypatch.setattr(limits, "FLOOR", 0.0)
    random = np.random.default_rng(0)
    known = random.binomial(before, share, 400)
    passed = [(random.binomial(rows, share, 500) > rows * share_limit(y, before, rows, 0.001)).mean() for y in known]
    assert np.mean(passed) < 0.0015


def test_values_of_which_each_came_by_luck_are_not_told_apart() -> None:
    assert groups(np.array([5] * 51), 5_000).tolist() == list(range(0, 50, 5))
    assert (np.add.reduceat(np.array([900, 30, 40, 30]), groups(np.array([900, 30, 40, 30]), 10_000)) >= 25).all()


def test_neighbours_are_joined_until_a_window_has_ten_rows_in_each() -> None:
    assert groups(np.full(20, 500), 200).tolist() == list(range(20))
    assert groups(np.full(20, 500), 100).tolist() == list(range(0, 20, 2))
    assert groups(np.full(20, 500), 30).tolist() == [0, 7]
    assert groups(np.full(20, 500), 3).tolist() == [0, 10]


def test_rows_in_one_bin_are_one_group() -> None:
    assert groups(np.array([0, 900, 0]), 1_000).tolist() == [0]
    assert groups(np.array([900]), 1_000).tolist() == [0]


def test_limits_of_twenty_columns_take_milliseconds() -> None:
    counts = [np.full(50, 1_000 + number) for number in range(20)]
    distance_limit(counts[0], 5_000, 0.001)  # loads scipy
    began = time.perf_counter()
    for one in counts:
        distance_limit(np.add.reduceat(one, groups(one, 5_000)), 5_000, 0.001)
    assert time.perf_counter() - began < 0.1


def test_all_columns_together_are_as_often_wrong_as_one_limit_would_be() -> None:
    assert 1 - (1 - per_test(20)) ** 20 == pytest.approx(ALPHA)
    assert per_test(1) == pytest.approx(ALPHA)
    assert per_test(0) == pytest.approx(ALPHA)


def test_many_rows_leave_the_floor() -> None:
    assert distance_limit(np.full(20, 10**6), 10**8, 0.001).distance == FLOOR
    assert share_limit(0, 10**6, 10**8, 0.001) == share_at(0.0, FLOOR)


def test_an_effect_is_the_distance_without_what_chance_adds() -> None:
    limit = distance_limit(np.full(20, 2_500), 1_000, 0.001)
    random = np.random.default_rng(0)
    same = random.multinomial(1_000, np.full(20, 0.05), 2_000)
    assert (distances(np.full((1, 20), 2_500), same) ** 2).mean() == pytest.approx(limit.noise, rel=0.05)
    assert limit.effect(0.01) == 0.0
    assert limit.effect(0.3) == pytest.approx((0.3**2 - limit.noise) ** 0.5)


def test_no_share_is_farther_than_all() -> None:
    assert share_at(1.0, FLOOR) == 1.0
    assert share_at(0.999, FLOOR) == pytest.approx(1.0)


def test_rejected_rows_may_be_more_than_the_contract_bears_where_rows_are_few() -> None:
    assert rejected_limit(0.01, 30, 0.0005) == pytest.approx(3 / 30)
    assert rejected_limit(0.01, 10**8, 0.0005) == pytest.approx(0.01, rel=0.01)
    assert rejected_limit(0.0, 30, 0.0005) == 0.0
    assert rejected_limit(1.0, 30, 0.0005) == 1.0


@pytest.mark.parametrize("spread", [0.02, 0.3])
@pytest.mark.parametrize("windows", [3, 8, 26])
def test_volumes_pass_as_often_as_asked_whatever_their_spread(windows: int, spread: float) -> None:
    random = np.random.default_rng(0)
    draws = random.poisson(6_000 * random.lognormal(0, spread, (4_000, windows + 1)))
    passed = []
    for *usual, now in draws:
        low, high = volume_limits(usual, 0.02)
        passed.append(not low <= now <= high)
    assert np.mean(passed) < 0.03
    assert np.mean(passed) > 0.005 or windows == 3  # so few may be alike by luck, which is not believed


def test_volumes_of_equal_windows_still_vary_as_counts_do() -> None:
    low, high = volume_limits([100] * 10, 0.001)
    assert low < 70
    assert high > 140
    assert volume_limits([0, 10**9, 0], 1e-6)[1] > 10**9
