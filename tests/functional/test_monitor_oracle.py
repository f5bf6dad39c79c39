"""Our distance beside Evidently's, on the same two frames.

Evidently gives the Jensen-Shannon distance to base e and we to base 2, which differ by the factor sqrt(ln 2). For
categories, and for numbers of few values, both count the same cells, so the figures are equal to rounding. Other
numbers are counted in bins: Evidently's are equally wide, as Sturges has it for both frames together, and ours hold
equal shares of the reference. Both lose a little of the distance between the densities, and chance adds about
(bins - 1) / (8 ln 2) (1/n + 1/N) to its square: 0.0011 here, where Evidently's 15 bins, many of them empty, give less.
So distances of 0.2 and more agree within a tenth, and where nothing has moved both are below 0.05.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_mlflow.core.monitoring.drift import drift_signals
from mlops_mlflow.core.monitoring.health import Signal
from mlops_mlflow.engines.profile import profile

ROWS = 5_000
NUMBERS = ("normal", "half a deviation", "wide", "skewed", "few", "few moved")
LEVELS = ("same", "tilted", "one new", "boolean", "fifty")


def frame(seed: int, *, moved: bool) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    tilt = [0.5, 0.2, 0.3] if moved else [0.2, 0.3, 0.5]
    return pd.DataFrame(
        {
            "normal": draw.normal(size=ROWS),
            "half a deviation": draw.normal(0.5 * moved, size=ROWS),
            "wide": draw.normal(scale=2 if moved else 1, size=ROWS),
            "skewed": draw.lognormal(sigma=0.5, mean=0.5 * moved, size=ROWS),
            "few": draw.integers(0, 6, ROWS).astype(float),
            "few moved": draw.binomial(4, 0.6 if moved else 0.4, ROWS).astype(float),
            "same": draw.choice(["a", "b", "c"], ROWS, p=[0.2, 0.3, 0.5]),
            "tilted": draw.choice(["a", "b", "c"], ROWS, p=tilt),
            "one new": draw.choice(["a", "b", "new" if moved else "b"], ROWS),
            "boolean": draw.random(ROWS) < (0.6 if moved else 0.3),
            "fifty": [f"level {number}" for number in draw.integers(0, 50, ROWS)],
        }
    )


@pytest.fixture(scope="module")
def theirs() -> dict[str, float]:
    """Evidently's distances, to base 2."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    definition = DataDefinition(numerical_columns=[*NUMBERS], categorical_columns=[*LEVELS])
    before, now = (
        Dataset.from_pandas(frame(seed, moved=moved).astype({"boolean": str}), data_definition=definition)
        for seed, moved in ((1, False), (2, True))
    )
    metrics = [ValueDrift(column=name, method="jensenshannon") for name in (*NUMBERS, *LEVELS)]
    found: list[dict[str, Any]] = Report(metrics).run(now, before).dict()["metrics"]
    return {one["config"]["column"]: float(one["value"]) / math.sqrt(math.log(2)) for one in found}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signal]:
    """Our signals, from files."""
    folder = tmp_path_factory.mktemp("frames")
    before, now = folder / "before.parquet", folder / "now.parquet"
    frame(1, moved=False).to_parquet(before)
    frame(2, moved=True).to_parquet(now)
    reference = profile(before, target=None, event_time=None)
    window = profile(now, target=None, event_time=None, reference=reference)
    signals = drift_signals(reference, window, importances=dict.fromkeys((*NUMBERS, *LEVELS), 1.0), minimum_rows=500)
    return {one.subject: one for one in signals}


@pytest.mark.parametrize("name", ["few", "few moved", "same", "tilted", "boolean", "fifty"])
def test_over_the_same_cells_the_distances_are_equal(
    name: str, ours: dict[str, Signal], theirs: dict[str, float]
) -> None:
    assert ours[name].statistic == pytest.approx(theirs[name], abs=1e-9)


def test_a_new_level_is_the_feeds_matter_and_adds_less_to_our_distance(
    ours: dict[str, Signal], theirs: dict[str, float]
) -> None:
    """It is counted with the rarest that was known: where cells are joined, a distance can only become smaller."""
    statistic = ours["one new"].statistic
    assert statistic is not None
    assert 0.2 < statistic < theirs["one new"]


@pytest.mark.parametrize("name", ["half a deviation", "wide", "skewed"])
def test_over_bins_the_distances_agree_within_a_tenth(
    name: str, ours: dict[str, Signal], theirs: dict[str, float]
) -> None:
    assert theirs[name] > 0.18
    assert ours[name].statistic == pytest.approx(theirs[name], rel=0.1)


def test_where_nothing_has_moved_both_are_small(ours: dict[str, Signal], theirs: dict[str, float]) -> None:
    assert theirs["normal"] < 0.05
    statistic = ours["normal"].statistic
    assert statistic is not None
    assert statistic < 0.05


def test_in_windows_of_this_size_both_flag_the_same_columns(ours: dict[str, Signal], theirs: dict[str, float]) -> None:
    default = 0.1 / math.sqrt(math.log(2))
    flagged = {name for name, one in ours.items() if one.health in ("warning", "alarm")}
    assert flagged == {name for name, distance in theirs.items() if distance >= default}
    assert {"normal", "few", "same", "fifty"}.isdisjoint(flagged)
