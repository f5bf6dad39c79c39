from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from builders import package

from mlops_mlflow.learning.baselines import BASELINE, FEWEST_PER_HOUR, SEASONAL, baselines

HOURS = 168 * FEWEST_PER_HOUR


def weeks(rows=HOURS):
    return pd.DataFrame({"met": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows), "h")})


def test_the_baseline_of_classes_predicts_their_rates(tmp_path):
    found = baselines("binary", package(tmp_path), event_time=None, table=weeks(10))[BASELINE]
    found.fit(weeks(10), ["no"] * 7 + ["yes"] * 3)
    np.testing.assert_allclose(found.predict_proba(weeks(2)), [[0.7, 0.3]] * 2)


def test_the_baseline_of_numbers_predicts_their_mean(tmp_path):
    found = baselines("regression", package(tmp_path), event_time=None, table=weeks(4))[BASELINE]
    assert found.fit(weeks(4), [1, 2, 3, 6]).predict(weeks(2)).tolist() == [3, 3]


def test_the_week_needs_a_time_and_enough_rows(tmp_path):
    code = package(tmp_path)
    assert set(baselines("binary", code, event_time=None, table=weeks())) == {BASELINE}
    assert set(baselines("binary", code, event_time="met", table=weeks(HOURS - 1))) == {BASELINE}
    assert set(baselines("binary", code, event_time="met", table=weeks())) == {BASELINE, SEASONAL}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_week_predicts_the_same_hour_of_other_weeks(tmp_path, task):
    table = weeks()
    hour = np.arange(HOURS) % 168
    classes = {"binary": np.array(["no", "yes"]), "multiclass": np.array(["a", "b", "c"])}
    actual = hour.astype(float) if task == "regression" else classes[task][hour % len(classes[task])]
    model = baselines(task, package(tmp_path), event_time="met", table=table)[SEASONAL].fit(table, actual)
    later = table.head(168) + pd.Timedelta(weeks=100)
    assert model.predict(later).tolist() == actual[:168].tolist()


def test_the_week_takes_a_missing_time(tmp_path):
    table = weeks()
    model = baselines("regression", package(tmp_path), event_time="met", table=table)[SEASONAL]
    model.fit(table, np.arange(HOURS) % 168)
    assert np.isfinite(model.predict(pd.DataFrame({"met": pd.to_datetime([None, "2024-01-01"])}))).all()


def test_the_week_survives_skops_with_trusted_types_only(tmp_path):
    table, code = weeks(), package(tmp_path)
    model = baselines("binary", code, event_time="met", table=table)[SEASONAL].fit(table, np.arange(HOURS) % 2)
    dumped = skops.io.dumps(model)
    found = skops.io.get_untrusted_types(data=dumped)
    assert {name.partition(".")[0] for name in found} <= {"sklearn", "numpy", "scipy", code.name}
    assert (skops.io.loads(dumped, trusted=found).predict(table) == model.predict(table)).all()
