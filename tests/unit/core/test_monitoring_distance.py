from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from mlops_mlflow.core.monitoring.distance import jensen_shannon
from mlops_mlflow.core.monitoring.limits import FLOOR, SEVERE, share_at


@pytest.mark.parametrize("bins", [2, 5, 20, 51])
@pytest.mark.parametrize("seed", range(5))
def test_distances_are_scipys(bins: int, seed: int) -> None:
    from scipy.spatial.distance import jensenshannon

    random = np.random.default_rng(seed)
    a, b = random.poisson(3, bins) + np.eye(1, bins, dtype=int)[0], random.poisson(1, bins) + np.ones(bins, dtype=int)
    assert jensen_shannon(a, b) == pytest.approx(float(jensenshannon(a, b, base=2)), abs=1e-12)


def test_nothing_shared_is_one_and_equal_shares_are_zero() -> None:
    assert jensen_shannon((5, 0), (0, 3)) == 1.0
    assert jensen_shannon((1, 2, 3), (100, 200, 300)) == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize(("distance", "shift"), [(FLOOR, 0.24), (SEVERE, 0.48)])
def test_floors_mean_the_shifts_that_their_documentation_tells(distance: float, shift: float) -> None:
    edges = [NormalDist().inv_cdf(number / 20) for number in range(1, 20)]
    moved = np.diff([0.0, *(NormalDist(shift).cdf(edge) for edge in edges), 1.0])
    assert jensen_shannon(np.full(20, 0.05), moved) == pytest.approx(distance, rel=0.03)


@pytest.mark.parametrize(("distance", "share"), [(FLOOR, 0.02), (SEVERE, 0.08)])
def test_floors_mean_the_shares_that_their_documentation_tells(distance: float, share: float) -> None:
    assert share_at(0.0, distance) == pytest.approx(share, abs=0.003)
