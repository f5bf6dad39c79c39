from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.engines.profile import associations
from mlops_mlflow.engines.tables import write_parquet


@pytest.fixture
def path(tmp_path: Path) -> Path:
    generator = np.random.default_rng(7)
    rows = 3000
    signal = generator.normal(size=rows)
    late = (signal + generator.normal(size=rows) > 0).astype(int)
    frame = pd.DataFrame(
        {
            "late": late,
            "minutes": signal * 10 + generator.normal(size=rows),
            "level": np.digitize(signal, [-0.5, 0.5]),
            "leak": np.where(late == 1, 5.0, np.nan),
            "signal": signal,
            "code": np.where(signal > 0, "up", "down"),
            "name": [f"n{i}" for i in range(rows)],
            "gap": np.where(generator.random(rows) < 0.5, None, "x"),
            "noise": generator.normal(size=rows),
            "when": pd.Timestamp("2013-01-01") + pd.to_timedelta(signal, unit="D"),
            "flag": signal > 0,
            "constant": 1,
        }
    )
    write_parquet(frame, tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


COLUMNS = ["leak", "signal", "code", "name", "gap", "noise", "when", "flag", "constant"]


def test_a_leak_is_near_one_and_noise_near_nothing(path: Path) -> None:
    got = associations(path, "late", "binary", [*COLUMNS, "late"], seed=7)
    assert list(got) == COLUMNS
    assert got["leak"] == 1.0
    assert got["leak"] > got["signal"] > got["code"] > 0.4
    assert got["when"] == pytest.approx(got["signal"], abs=0.01)
    assert got["flag"] == pytest.approx(got["code"], abs=0.01)
    assert max(got["noise"], got["name"], got["gap"]) < 0.1
    assert got["constant"] == 0.0


def test_strength_is_comparable_for_classes_and_quantities(path: Path) -> None:
    assert associations(path, "minutes", "regression", COLUMNS, seed=7)["signal"] > 0.9
    assert associations(path, "level", "multiclass", COLUMNS, seed=7)["signal"] > 0.95
    assert associations(path, "minutes", "regression", ["noise", "name"], seed=7) == {"noise": 0.0, "name": 0.0}


def test_the_same_seed_gives_the_same_figures_on_a_sample(path: Path) -> None:
    first = associations(path, "late", "binary", COLUMNS, sample=500, seed=7)
    assert associations(path, "late", "binary", COLUMNS, sample=500, seed=7) == first
    assert associations(path, "late", "binary", COLUMNS, sample=500, seed=8) != first


def test_a_target_of_one_class_is_an_error(path: Path) -> None:
    with pytest.raises(DataError, match="fewer than two of its classes"):
        associations(path, "constant", "binary", ["signal"], seed=7)
