from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.monitoring.performance import FEWEST_OWN, LEVEL, Labelled, judge_alarm, judge_performance
from mlops_mlflow.core.monitoring.reference import (
    MOST_DRAWN,
    Estimate,
    ReferencePerformance,
    Slice,
    estimates,
    reference_performance,
)
from mlops_mlflow.core.usecase.operation import Alarm

FALLS = Alarm(metric="roc_auc", falls_by=0.05, below="reference")
RISES = Alarm(metric="rmse", rises_by=2.0, above="reference")
LEAST = Alarm(metric="value_per_row", at_least=0.0)
MOST = Alarm(metric="log_loss", at_most=0.5)


def of(figure: float | None, error: float | None = 0.001, *, rows: int = 1000, blocks: int = 30) -> Estimate:
    return Estimate(figure, error, rows, blocks)


@pytest.mark.parametrize(
    ("alarm", "window", "reference", "health"),
    [
        (FALLS, of(0.751), of(0.80), "ok"),
        (FALLS, of(0.85), of(0.80), "ok"),
        (FALLS, of(0.749), of(0.80), "warning"),
        (FALLS, of(0.70), of(0.80), "alarm"),
        (FALLS, of(0.70, 0.1), of(0.80), "warning"),
        (FALLS, of(0.70), of(0.80, 0.1), "warning"),
        (FALLS, of(0.70, None, blocks=1), of(0.80), "alarm"),
        (FALLS, of(0.70), of(0.80, None, blocks=1), "warning"),
        (FALLS, of(0.70), None, "insufficient data"),
        (FALLS, of(0.70), of(None), "insufficient data"),
        (FALLS, of(None), of(0.80), "insufficient data"),
        (FALLS, of(0.10, rows=99), of(0.80), "insufficient data"),
        (RISES, of(12.1), of(10.0), "alarm"),
        (RISES, of(11.9), of(10.0), "ok"),
        (RISES, of(5.0), of(10.0), "ok"),
        (LEAST, of(0.0), None, "ok"),
        (LEAST, of(-0.1), None, "alarm"),
        (LEAST, of(-0.0001), None, "warning"),
        (LEAST, of(-0.1, blocks=FEWEST_OWN - 1), None, "warning"),
        (LEAST, of(-0.1, blocks=FEWEST_OWN - 1), of(1.0), "alarm"),
        (LEAST, of(-0.1, None, blocks=1), of(1.0), "alarm"),
        (MOST, of(0.6), None, "alarm"),
        (MOST, of(0.4), None, "ok"),
    ],
)
def test_a_loss_alarms_when_its_near_end_too_is_beyond_what_is_allowed(
    alarm: Alarm, window: Estimate, reference: Estimate | None, health: str
) -> None:
    found = judge_alarm(alarm, alarm.metric, window, reference, 100)
    assert (found.kind, found.subject, found.health) == ("performance", alarm.metric, health)
    assert (found.limit, found.rows) == (alarm.limit, window.rows)
    assert (found.statistic is None) == (health == "insufficient data")


def test_the_error_of_a_calm_window_is_never_less_than_that_of_as_many_days_of_the_reference() -> None:
    reference = of(0.80, 0.01, blocks=36)
    calm, one = of(0.74, 1e-9, blocks=4), of(0.74, 0.03, blocks=4)
    assert judge_alarm(FALLS, "x", calm, reference, 1).health == judge_alarm(FALLS, "x", one, reference, 1).health
    assert judge_alarm(FALLS, "x", calm, reference, 1).reason == judge_alarm(FALLS, "x", one, reference, 1).reason
    assert judge_alarm(FALLS, "x", of(0.60, 1e-9, blocks=4), reference, 1).health == "alarm"


def test_a_figure_among_many_needs_a_greater_loss() -> None:
    window, reference = of(0.735, 0.004), of(0.80, 0.004)
    assert judge_alarm(FALLS, "x", window, reference, 1).health == "alarm"
    among = judge_alarm(FALLS, "x", window, reference, 1, among=50)
    assert (among.health, among.method) == ("warning", f"block_bootstrap_t at {1 - (1 - LEVEL) / 50:.4g}")


def test_reasons_say_which_way_it_went_and_how_sure_that_is() -> None:
    assert judge_alarm(FALLS, "x", of(0.70), of(0.80), 1).reason.startswith(
        "0.7, 0.1 below the 0.8 of the test rows, where 0.05 below is allowed; 0.09"
    )
    assert "0.05 above the 0.8 of the test rows" in judge_alarm(FALLS, "x", of(0.85), of(0.80), 1).reason
    assert "it may be chance" in judge_alarm(FALLS, "x", of(0.749), of(0.80), 1).reason
    assert "3 above the 10 of the test rows" in judge_alarm(RISES, "x", of(13), of(10), 1).reason
    assert judge_alarm(LEAST, "x", of(-0.1), None, 1).reason == "-0.1, which is not at least 0"
    assert judge_alarm(MOST, "x", of(0.4), None, 1).reason == "0.4, which is at most 0.5"
    assert "99 rows have a label, fewer than 100" in judge_alarm(FALLS, "x", of(0.1, rows=99), None, 100).reason


def made(rows: int = 400, *, shift: float = 2.0, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    actual = random.integers(0, 2, rows)
    chance = 1 / (1 + np.exp(-(random.normal(size=rows) + shift * (actual - 0.5))))
    return Predictions(
        "binary", actual, (chance > 0.5).astype(int), np.column_stack([1 - chance, chance]), ("no", "yes")
    )


def days(rows: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(rows, dtype=np.int64) % count


def test_a_window_is_judged_as_a_whole_and_by_slice() -> None:
    good, bad = made(2000), made(2000, shift=0.0, seed=1)
    first, second = (Slice("side", side, np.arange(part, 2000, 2)) for part, side in enumerate(("left", "right")))
    reference = reference_performance(
        good, days(2000, 20), "day", metrics=["roc_auc", "f1"], slices=[first], slice_metrics=["roc_auc"], seed=1
    )
    found = judge_performance(
        [FALLS],
        Labelled(bad, days(2000, 7), [first, second], 4000),
        reference,
        metrics=["roc_auc"],
        slice_metrics=["roc_auc"],
        minimum_rows=100,
        seed=1,
    )
    told = {one.subject: one.health for one in found.signals}
    assert told == {
        "roc_auc": "alarm",
        "roc_auc where side is left": "alarm",
        "roc_auc where side is right": "insufficient data",  # the version carries no such slice
    }
    assert found.figures["roc_auc"].figure == pytest.approx(measure("roc_auc", bad))
    assert [one.value for one in found.slices] == ["left", "right"]


def test_rows_without_a_label_are_counted() -> None:
    labelled = Labelled(made(30), days(30, 3), [], 40)
    assert (labelled.coverage, labelled.without_label) == (0.75, 10)
    assert math.isnan(Labelled(made(0), days(0, 3), [], 0).coverage)


def test_no_row_and_rows_of_one_class_give_no_figure_and_no_alarm() -> None:
    one_class = made(200).take(np.flatnonzero(made(200).actual == 1))
    for found in (made(0), one_class):
        window = Labelled(found, days(len(found), 3), [], len(found))
        judged = judge_performance([FALLS], window, None, metrics=["roc_auc"], slice_metrics=[], minimum_rows=1, seed=1)
        assert judged.figures["roc_auc"].figure is None
        assert [one.health for one in judged.signals] == ["insufficient data"]


def test_an_error_is_the_spread_over_draws_of_whole_blocks() -> None:
    random = np.random.default_rng(2)
    blocks = np.repeat(np.arange(40), 50)
    by_day = 5 + random.normal(size=40)[blocks]
    actual, decided = by_day + random.normal(scale=0.1, size=2000), np.zeros(2000)
    found = estimates(["mae"], Predictions("regression", actual, decided), blocks, seed=3)["mae"]
    assert (found.rows, found.blocks) == (2000, 40)
    assert found.figure == pytest.approx(by_day.mean(), abs=0.01)
    assert found.error == pytest.approx(by_day.std() / math.sqrt(40), rel=0.25)
    assert found.error > 4 * by_day.std() / math.sqrt(2000), "rows of a day are alike, and count as one"


def test_one_block_has_no_error_and_blocks_may_have_any_numbers() -> None:
    assert estimates(["roc_auc"], made(), np.zeros(400, dtype=int), seed=1)["roc_auc"].error is None
    plain = estimates(["roc_auc"], made(), days(400, 8), seed=1)
    odd = estimates(["roc_auc"], made(), days(400, 8) * 1_000_003 - 5, seed=1)
    assert plain == odd


def test_of_very_many_rows_some_are_drawn_and_the_figure_is_of_all() -> None:
    many = made(MOST_DRAWN + 5000)
    found = estimates(["accuracy"], many, days(len(many), 100), seed=1)["accuracy"]
    assert found.figure == measure("accuracy", many)
    assert found.rows == len(many)
    assert found.error == pytest.approx(math.sqrt(0.16 * 0.84 / len(many)), rel=0.4)


def test_a_reference_is_written_and_read_again() -> None:
    known = reference_performance(
        made(),
        days(400, 8),
        "day",
        metrics=["roc_auc"],
        slices=[Slice("a", "b", np.arange(100))],
        slice_metrics=["roc_auc"],
        seed=1,
    )
    assert ReferencePerformance.from_dict(json.loads(json.dumps(known.to_dict()))) == known
    assert known.of("a", "b")["roc_auc"].rows == 100
    assert known.of("a", "c") == {}
    undefined = dataclasses.replace(known, figures={"x": of(None, None)})
    assert ReferencePerformance.from_dict(json.loads(json.dumps(undefined.to_dict()))) == undefined


@pytest.mark.parametrize("plain", [{}, {"version": 2}, {"version": 1}, {"version": 1, "block": 3, "figures": []}])
def test_a_reference_of_another_kind_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        ReferencePerformance.from_dict(plain)
