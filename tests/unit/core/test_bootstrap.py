from __future__ import annotations

import numpy as np

from mlops_mlflow.core.bootstrap import Interval, block_interval


def weighted_mean(values):
    return lambda weight: float(np.average(values, weights=weight))


def test_same_seed_same_interval_and_another_seed_another():
    values, rows = np.random.default_rng(0).normal(size=50), np.arange(50)
    first, again = (block_interval(weighted_mean(values), rows, seed=3) for _ in range(2))
    assert first == again
    assert first != block_interval(weighted_mean(values), rows, seed=4)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    random = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        found = block_interval(weighted_mean(random.normal(size=60)), np.arange(60), seed=trial, draws=150)
        covered += found.holds(0.0)
    assert 0.88 <= covered / 200 <= 0.99


def test_width_is_that_of_the_standard_error():
    values = np.random.default_rng(2).normal(size=400)
    found = block_interval(weighted_mean(values), np.arange(400), seed=0, draws=1_000)
    assert abs((found.high - found.low) / (2 * 1.96 / np.sqrt(400)) - 1) < 0.15


def test_rows_that_are_alike_within_blocks_make_wider_intervals():
    random = np.random.default_rng(3)
    blocks = np.repeat(np.arange(30), 20)
    values = random.normal(size=30)[blocks] + 0.1 * random.normal(size=600)
    by_block = block_interval(weighted_mean(values), blocks, seed=0)
    by_row = block_interval(weighted_mean(values), np.arange(600), seed=0)
    assert by_block.high - by_block.low > 3 * (by_row.high - by_row.low)


def test_a_block_is_drawn_whole():
    blocks = np.repeat(np.arange(10), 3)
    seen = []

    def statistic(weight):
        seen.append(weight.copy())
        return 0.0

    block_interval(statistic, blocks, seed=0, draws=5)
    for weight in seen:
        assert (weight.reshape(10, 3) == weight.reshape(10, 3)[:, :1]).all()
        assert weight[::3].sum() == 10


def test_a_paired_difference_of_equal_models_has_no_width():
    values = np.random.default_rng(4).normal(size=50)
    found = block_interval(lambda w: weighted_mean(values)(w) - weighted_mean(values)(w), np.arange(50), seed=0)
    assert (found.low, found.high) == (0.0, 0.0)


def test_fewer_than_eight_blocks_give_no_interval():
    values = np.arange(14.0)
    assert block_interval(weighted_mean(values), np.arange(14) % 7, seed=0) is None
    assert block_interval(weighted_mean(np.arange(16.0)), np.arange(16) % 8, seed=0).blocks == 8


def test_no_rows_give_no_interval():
    assert block_interval(weighted_mean(np.array([])), np.array([], dtype=np.int64), seed=0) is None


def test_only_blocks_that_have_rows_count():
    """Numbers with gaps, as of a slice: empty blocks would be drawn, and two blocks would pass for eight."""
    values = np.arange(20.0)
    assert block_interval(weighted_mean(values), np.where(values < 10, 3, 11), seed=0) is None
    gaps, dense = np.arange(20) * 7 - 1, np.arange(20)
    assert block_interval(weighted_mean(values), gaps, seed=0) == block_interval(weighted_mean(values), dense, seed=0)


def test_draws_that_define_nothing_are_left_out_and_too_many_of_them_give_no_interval():
    def sometimes(share):
        random = np.random.default_rng(0)
        return lambda weight: float("nan") if random.random() < share else float(weight[0])

    assert block_interval(sometimes(0.2), np.arange(20), seed=0) is not None
    assert block_interval(sometimes(0.8), np.arange(20), seed=0) is None


def test_an_interval_holds_its_ends():
    found = Interval(0.1, 0.2, 9)
    assert found.holds(0.1)
    assert found.holds(0.2)
    assert not found.holds(0.21)
    assert not found.holds(0.09)
