from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from monitoring_profiles import levels, number, table

from mlops_mlflow.core.monitoring.drift import drift_signals
from mlops_mlflow.core.monitoring.feed import feed_signals
from mlops_mlflow.core.monitoring.health import Signal
from mlops_mlflow.core.profiles import ColumnProfile, Histogram
from mlops_mlflow.core.usecase.data import Contract

EVEN, SLIGHT, LARGE = [250] * 4, [330, 290, 210, 170], [700, 200, 70, 30]
REFERENCE = number("x", [12_500] * 4)


def one(before: ColumnProfile, now: ColumnProfile, **more: Any) -> Signal:
    """The only signal of one column."""
    (signal,) = drift_signals(table(before), table(now), **({"importances": {"x": 1.0}, "minimum_rows": 500} | more))
    return signal


def test_what_did_not_move_is_ok_with_statistic_limit_and_rows() -> None:
    signal = one(REFERENCE, number("x", EVEN))
    assert (signal.kind, signal.subject, signal.health, signal.method) == ("drift", "x", "ok", "jensen_shannon")
    assert (signal.statistic, signal.limit, signal.rows) == (pytest.approx(0.0, abs=1e-8), 0.1, 1_000)


@pytest.mark.parametrize(("counts", "health"), [(SLIGHT, "warning"), (LARGE, "alarm")])
def test_what_moved_warns_and_what_moved_far_alarms(counts: list[int], health: str) -> None:
    signal = one(REFERENCE, number("x", counts))
    assert signal.health == health
    assert signal.statistic is not None
    assert f"distance {signal.statistic:.3g} to the reference, above the limit 0.1 of 1,000 values" in signal.reason


def test_a_column_that_the_model_hardly_looks_at_only_warns() -> None:
    before, now = table(REFERENCE, number("y", [12_500] * 4)), table(number("x", LARGE), number("y", LARGE))
    found = drift_signals(before, now, importances={"y": 0.02, "x": 0.1}, minimum_rows=1)
    assert [(signal.subject, signal.health) for signal in found] == [("x", "alarm"), ("y", "warning")]


@pytest.mark.parametrize("importance", [-0.1, 0.0, float("nan")])
def test_columns_that_nothing_leans_on_are_judged_and_only_warn(importance: float) -> None:
    assert one(REFERENCE, number("x", LARGE), importances={"x": importance}).health == "warning"


def test_outputs_of_the_model_have_full_weight_and_a_kind_of_their_own() -> None:
    signal = one(REFERENCE, number("x", LARGE), importances={}, outputs=["x"])
    assert (signal.kind, signal.health) == ("score", "alarm")


def test_columns_are_ranked_by_distance_times_importance() -> None:
    before = table(*(number(name, [12_500] * 4) for name in "abc"))
    now = table(number("a", LARGE), number("b", SLIGHT), number("c", EVEN))
    found = drift_signals(before, now, importances={"c": 1.0, "a": 0.2, "b": 1.0}, minimum_rows=1)
    assert [signal.subject for signal in found] == ["b", "a", "c"]


def test_the_window_before_is_a_second_baseline_that_at_most_warns() -> None:
    found = drift_signals(
        table(REFERENCE),
        table(number("x", EVEN)),
        importances={"x": 1.0},
        minimum_rows=500,
        previous=table(number("x", LARGE)),
    )
    assert {(signal.kind, signal.health) for signal in found} == {("drift", "ok"), ("change", "warning")}


def test_a_small_window_before_is_no_baseline() -> None:
    found = drift_signals(
        table(REFERENCE),
        table(number("x", EVEN)),
        importances={"x": 1.0},
        minimum_rows=500,
        previous=table(number("x", [100] * 4)),
    )
    assert [signal.health for signal in found if signal.kind == "change"] == ["insufficient data"]
    assert "400 values in the window before, fewer than 500" in [signal.reason for signal in found]


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (REFERENCE, number("x", [100] * 4), "400 values, fewer than 500"),
        (REFERENCE, number("x", [100] * 4, missing=600), "400 values, fewer than 500"),
        (REFERENCE, levels("x", {"a": 1_000}), "numeric in the reference and categorical in the window"),
        (REFERENCE, number("y", EVEN), "the window has no such column"),
        (number("y", EVEN), number("x", EVEN), "the reference has no such column"),
        (number("x", [0], missing=9_000), number("x", EVEN), "the reference has no value in this column"),
        (number("x", [9_000, 0]), number("x", [0, 1_000]), "the reference has all of its values in one bin"),
        (number("x", EVEN, kind="datetime"), number("x", EVEN, kind="datetime"), "times always move on"),
        (REFERENCE, number("x", [500] * 2), "not profiled over the reference's bins"),
        (levels("x", {"a": 6, "b": 5}, other=9_000), levels("x", {"a": 1, "b": 0}, other=999), "in one bin"),
    ],
)
def test_what_cannot_be_compared_says_why(before: ColumnProfile, now: ColumnProfile, reason: str) -> None:
    signal = one(before, now)
    assert (signal.health, signal.statistic, signal.limit) == ("insufficient data", None, None)
    assert reason in signal.reason


def test_a_column_without_values_in_the_window_cannot_be_judged() -> None:
    signal = one(REFERENCE, number("x", [0] * 4, missing=1_000), minimum_rows=0)
    assert signal.reason == "the window has no value in this column"


def test_a_handful_of_rows_against_a_tiny_reference_tells_nothing() -> None:
    signal = one(number("x", [2, 1]), number("x", [0, 1]), minimum_rows=1)
    assert signal.health == "insufficient data"
    assert "tell nothing" in signal.reason


@pytest.mark.parametrize("kind", ["text", "boolean"])
def test_lengths_of_texts_and_booleans_are_compared(kind: str) -> None:
    before = number("x", [5_000] * 4, kind=kind) if kind == "text" else levels("x", {"true": 9_000, "false": 900})
    now = number("x", LARGE, kind=kind) if kind == "text" else levels("x", {"true": 500, "false": 500})
    assert one(before, now if kind == "text" else replace(now, kind=before.kind)).health == "alarm"


def test_a_level_that_takes_over_is_found_among_a_thousand() -> None:
    known = {f"v{number}": 2_000 - 30 * number for number in range(50)}
    now = {name: count // 50 for name, count in known.items()}
    rest = sum(now.values())
    assert one(levels("x", known, other=50_000), levels("x", now, other=1_000)).health == "ok"
    assert one(levels("x", known, other=50_000), levels("x", now | {"v49": rest}, other=1_000)).health == "alarm"


@pytest.mark.parametrize("before", [1_000, 5_000, 20_000, 50_000])
@pytest.mark.parametrize("rows", [500, 5_000])
def test_the_listed_of_a_thousand_equal_levels_do_not_look_as_if_they_had_become_rare(before: int, rows: int) -> None:
    """They are the ones that came most often in the reference by luck."""
    random = np.random.default_rng((before, rows))
    flagged = 0
    for _ in range(50):
        drawn = random.multinomial(before, np.full(1_000, 0.001))
        listed = np.argsort(-drawn)[:50].tolist()
        now = random.multinomial(rows, np.full(1_000, 0.001))
        reference, window = (
            table(levels("x", {f"v{i}": int(counts[i]) for i in listed}, other=int(total - counts[listed].sum())))
            for counts, total in ((drawn, before), (now, rows))
        )
        found = [
            *drift_signals(reference, window, importances={"x": 1.0}, minimum_rows=1),
            *feed_signals(reference, window, columns=["x"], contract=Contract(), minimum_rows=1),
        ]
        flagged += any(signal.health in ("warning", "alarm") for signal in found)
    assert flagged == 0


def test_rare_levels_of_a_small_reference_do_not_look_as_if_they_had_moved_in_a_large_window() -> None:
    """Put together in the order of their luck they did, in a fifth of the references."""
    random, shares = np.random.default_rng(0), np.arange(1, 51) ** -0.5
    flagged = 0
    for _ in range(100):
        reference, window = (
            levels("x", {f"v{i}": n for i, n in enumerate(random.multinomial(rows, shares / shares.sum()).tolist())})
            for rows in (500, 5_000)
        )
        flagged += one(reference, window).health in ("warning", "alarm")
    assert flagged <= 2


def test_edges_are_compared_and_not_only_their_number() -> None:
    moved = replace(number("x", EVEN), histogram=Histogram((1.0, 2.0, 4.0), tuple(EVEN)))
    assert "not profiled over" in one(REFERENCE, moved).reason
