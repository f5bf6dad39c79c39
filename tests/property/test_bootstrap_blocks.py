from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.bootstrap import FEWEST_BLOCKS, block_interval

ROWS = st.lists(st.tuples(st.integers(0, 20), st.floats(-1e6, 1e6)), min_size=1, max_size=60)


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 1_000))
def test_an_interval_of_a_mean_lies_within_the_values_and_counts_its_blocks(rows, seed):
    blocks, values = (np.array(column) for column in zip(*rows, strict=True))
    found = block_interval(lambda weight: float(np.average(values, weights=weight)), blocks, seed=seed, draws=30)
    distinct = len(set(blocks.tolist()))
    assert (found is None) == (distinct < FEWEST_BLOCKS)
    if found is not None:
        slack = 1e-9 * max(1.0, float(np.abs(values).max()))
        assert values.min() - slack <= found.low <= found.high <= values.max() + slack
        assert found.blocks == distinct


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, shift=st.integers(-5, 1_000), seed=st.integers(0, 1_000))
def test_how_blocks_are_numbered_does_not_matter(rows, shift, seed):
    blocks, values = (np.array(column) for column in zip(*rows, strict=True))

    def interval(numbers):
        return block_interval(lambda weight: float(weight @ values), numbers, seed=seed, draws=20)

    assert interval(blocks) == interval(blocks * 3 + shift)
