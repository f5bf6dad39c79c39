from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mlops_mlflow.core.monitoring.health import Health, Signal, blocks_retraining, overall
from mlops_mlflow.core.plain import from_plain, to_plain

SIGNAL = Signal("drift", "x", "ok", 0.05, "jensen_shannon", 0.1, 1000, "within the limit")


def of(*healths: Health) -> list[Signal]:
    return [replace(SIGNAL, health=health) for health in healths]


@pytest.mark.parametrize(
    ("healths", "expected"),
    [
        (("ok", "alarm", "warning"), "alarm"),
        (("ok", "warning", "insufficient data"), "warning"),
        (("insufficient data", "ok"), "ok"),
        (("insufficient data", "insufficient data"), "insufficient data"),
        ((), "insufficient data"),
    ],
)
def test_a_window_is_as_healthy_as_its_worst_signal_that_could_be_judged(
    healths: tuple[Health, ...], expected: Health
) -> None:
    assert overall(of(*healths)) == expected


def test_only_an_alarm_of_the_feed_blocks_retraining() -> None:
    assert not blocks_retraining([*of("alarm"), replace(SIGNAL, kind="feed", health="warning")])
    assert blocks_retraining([*of("ok"), replace(SIGNAL, kind="feed", health="alarm")])


def test_signals_go_through_json_and_back() -> None:
    signals = (SIGNAL, replace(SIGNAL, health="insufficient data", statistic=None, limit=None))
    assert from_plain(tuple[Signal, ...], json.loads(json.dumps(to_plain(signals)))) == signals
