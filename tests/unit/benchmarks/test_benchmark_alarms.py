"""Benchmarks of monitoring: what they count, and that what they count is what monitoring does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import alarms, drift, streams, watching
from benchmarks.alarms import Found
from benchmarks.drift import Side
from benchmarks.streams import Stream
from benchmarks.watching import Seen
from mlops_mlflow.core.usecase.operation import Alarm

NONE = frozenset[str]()


def test_the_quick_profile_of_a_batch_is_that_of_its_file(tmp_path):
    reference = alarms.written_profile(
        tmp_path / "reference.parquet", alarms.drawn(np.random.default_rng(0), 3_000), None
    )
    batch = alarms.drawn(np.random.default_rng(1), 200)
    quick = alarms.profiled(reference, batch)
    real = alarms.written_profile(tmp_path / "batch.parquet", batch, reference)
    assert quick.rows == real.rows
    for ours, theirs in zip(quick.columns, real.columns, strict=True):
        moments = {"mean": None, "std": None}
        assert replace(ours, **moments) == replace(theirs, **moments)
        assert ours.mean == pytest.approx(theirs.mean)
        assert ours.std == pytest.approx(theirs.std)


def test_a_batch_is_falsely_alarmed_by_any_signal_and_a_shift_is_found_where_all_its_columns_are():
    noisy, quiet = Found(frozenset({"flag"}), NONE, 0, 10), Found(NONE, NONE, 5, 5)
    part = Found(frozenset({"normal_0"}), NONE, 0, 10)
    warned, alarmed = Found(frozenset(alarms.SHIFTED), NONE, 0, 10), Found(*[frozenset(alarms.SHIFTED)] * 2, 0, 10)
    found = alarms.figures({30: [noisy, quiet], 100: [quiet] * 4}, [part, warned, alarmed, alarmed])
    values = {one.key: one.value for one in found}
    assert (values["false_alarm_share_30"], values["worst_false_alarm_share"]) == (0.5, 0.5)
    assert (values["detection_share"], values["detection_alarm_share"]) == (0.75, 0.5)
    assert values["insufficient_share"] == 0.5


def test_drift_compares_medians_and_tells_whether_the_same_columns_are_flagged():
    some, other = frozenset({"a"}), frozenset({"a", "b"})
    ours = [Side(1.0, 1_000_000, some, 300.0), Side(9.0, 1_000_000, some, 310.0), Side(1.0, 1_000_000, some, 290.0)]
    many, peer = Side(120.0, 100_000_000, some, 400.0), Side(60.0, 1_000_000, some, 2_000.0)
    values = {one.key: one.value for one in drift.figures(ours, many, peer)}
    assert (values["ratio"], values["peak_mb"], values["same_flagged"]) == (60.0, 310.0, 1.0)
    assert (values["seconds_per_million_rows"], values["growth"]) == (1.2, 1.2)
    values = {one.key: one.value for one in drift.figures(ours, None, replace(peer, flagged=other))}
    assert values["same_flagged"] == 0.0
    assert "growth" not in values


def test_the_figures_of_streams_are_of_real_losses_and_of_shuffled_windows():
    quiet = Seen("a", 0, False, False, "ok", "ok", "ok")
    caught = replace(quiet, real=True, likely=True, loss="alarm", health="alarm")
    missed = replace(caught, loss="warning", health="warning")
    told = [quiet, caught, missed, replace(quiet, loss="alarm", feed="alarm")]
    rows, days = [quiet, replace(quiet, health="warning")], [quiet, quiet, quiet, caught]
    values = {one.key: one.value for one in watching.figures(told, rows, days)}
    assert (values["real_losses"], values["real_losses_alarmed_share"]) == (2, 0.5)
    assert (values["alarms_beyond_real"], values["feed_alarms"]) == (1, 1)
    assert (values["shuffled_alarm_share"], values["shuffled_loud_share"]) == (0, 0.5)
    assert (values["shuffled_days_alarm_share"], values["shuffled_days_likely_share"]) == (0.25, 0.25)


def _stream() -> Stream:
    """Sixty days of fifty rows; from day 50 on the outcome is the other way round."""
    random = np.random.default_rng(0)
    time = np.repeat(np.arange(60), 50)
    x = random.normal(size=len(time))
    outcome = ((x + random.normal(size=len(x)) > 0) ^ (time >= 50)).astype(int)
    rows = pd.DataFrame({"x": x, "c": pd.Categorical(random.choice(["a", "b"], len(x)))})
    asked = Alarm.model_validate({"metric": "roc_auc", "falls_by": 0.05, "below": "reference"})
    return Stream("turned", rows, outcome, time, 20, 40, 10, asked)


@pytest.fixture
def few_draws(monkeypatch, tmp_path):
    monkeypatch.setattr(watching, "DRAWS", 100)
    monkeypatch.setattr(watching, "fresh", lambda name: tmp_path)


@pytest.mark.usefixtures("few_draws")
def test_the_window_where_outcomes_turn_is_a_real_loss_and_alarms_and_the_one_before_is_neither():
    before, after = watching.watched(_stream())
    assert (before.begin, before.real, before.loss, before.health) == (40, False, "ok", "ok")
    assert (after.begin, after.real, after.likely, after.loss, after.health) == (50, True, True, "alarm", "alarm")


@pytest.mark.usefixtures("few_draws")
def test_with_rows_at_any_time_the_same_stream_does_not_alarm():
    seen = list(watching.watched(_stream().shuffled(streams.of_rows, 0)))
    assert len(seen) == 2
    assert not any(one.real or one.health == "alarm" for one in seen)


def test_days_in_another_order_keep_their_rows():
    stream = _stream()
    moved = stream.shuffled(streams.of_times, 0)
    assert not np.array_equal(moved.time, stream.time)
    assert len(set(zip(stream.time, moved.time, strict=True))) == 60
    assert len(stream.reference) == len(moved.reference) == 20 * 50


def test_a_side_of_drift_writes_rows_and_finds_what_moved_in_a_file_that_is_listed_twice(tmp_path):
    for asked in (("write", "a.parquet", 2_000, 1), ("write", "b.parquet", 2_000, 2, "moved")):
        drift._asked(tmp_path, *asked)
    drift._asked(tmp_path, "refer", "a.parquet", "profile.json")
    side = drift._side(tmp_path, "ours", "profile.json", "b.parquet", 2)
    assert (side.rows, side.flagged) == (4_000, frozenset(alarms.SHIFTED))
