from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlops_mlflow.core.monitoring.due import Due, Look, due, standing, usual_rows
from mlops_mlflow.core.monitoring.health import Health
from mlops_mlflow.core.monitoring.windows import Window

BEGIN, DAY = datetime(2013, 7, 1, tzinfo=UTC), timedelta(days=1)
WINDOWS = [Window(number, f"day {number}", BEGIN + number * DAY, BEGIN + (number + 1) * DAY) for number in range(5)]


def look(number: int, *, closed: bool = True, rows: int = 100, health: Health = "ok") -> Look:
    return Look(WINDOWS[number], f"run {number}", closed, rows, health)


def looks(*found: Look) -> dict[int, Look]:
    return {one.window.number: one for one in found}


def test_a_window_is_due_when_it_is_over_and_again_when_its_labels_are_complete() -> None:
    now, delay = BEGIN + 3 * DAY, 2 * DAY
    found = list(due(WINDOWS, {}, now, delay))
    assert found == [Due(WINDOWS[0], True), Due(WINDOWS[1], False), Due(WINDOWS[2], False)]
    seen = looks(look(0), look(1, closed=False))
    assert list(due(WINDOWS, seen, now, delay)) == [Due(WINDOWS[2], False)]
    later = list(due(WINDOWS, seen, now + DAY, delay))
    assert later == [Due(WINDOWS[1], True, "run 1"), Due(WINDOWS[2], False), Due(WINDOWS[3], False)]


def test_without_a_delay_a_window_is_closed_when_it_is_over() -> None:
    assert list(due(WINDOWS[:1], {}, WINDOWS[0].end, timedelta(0))) == [Due(WINDOWS[0], True)]
    assert list(due(WINDOWS[:1], {}, WINDOWS[0].end - timedelta(microseconds=1), timedelta(0))) == []


def test_a_window_that_was_asked_for_is_looked_at_again_but_never_before_it_is_over() -> None:
    now, seen = BEGIN + 2 * DAY, looks(look(0), look(1))
    assert list(due(WINDOWS, seen, now, timedelta(0), again=frozenset({1, 2}))) == [Due(WINDOWS[1], True, "run 1")]


def test_a_clock_that_went_back_does_not_open_a_closed_window_again() -> None:
    assert list(due(WINDOWS[:1], looks(look(0)), WINDOWS[0].end, 2 * DAY)) == []


def test_usual_rows_are_of_the_windows_before_newest_first_without_the_first_of_all() -> None:
    seen = looks(*(look(number, rows=number) for number in range(5)))
    assert usual_rows(seen, WINDOWS[4]) == (3, 2, 1)
    assert usual_rows(seen, WINDOWS[4], most=2) == (3, 2)
    assert usual_rows(seen, WINDOWS[1]) == usual_rows({}, WINDOWS[1]) == ()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "insufficient data"),
        ([look(0, health="alarm"), look(1)], "ok"),
        ([look(0, health="alarm"), look(1, closed=False)], "alarm"),
        ([look(0), look(1, closed=False, health="warning"), look(2, closed=False)], "warning"),
        ([look(0, closed=False, health="alarm"), look(1, closed=False)], "alarm"),
        ([look(0), look(1, health="insufficient data")], "insufficient data"),
    ],
)
def test_a_version_stands_as_its_newest_closed_window_and_those_since(found: list[Look], expected: Health) -> None:
    assert standing(looks(*found)) == expected
