from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from inference_logs import put

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.monitoring.due import Look
from mlops_mlflow.core.usecase.operation import Monitoring
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.engines.inference_log import Span
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.lifecycle.operate.schedule import NoSuchWindowError, Schedule, zone_of
from mlops_mlflow.lifecycle.operate.watch import Watch

SPEC = """
version: 1
use_case: flights
question: Which flights will be late?
owners: {business: owner@example.com, technical: team@example.com}
card: {intended_use: Tests.}
sources: {rows: {path: rows.csv}}
entity_key: key
target: {column: late}
candidates: {logistic: {estimator: sklearn.linear_model.LogisticRegression}}
success: [{metric: roc_auc, at_least: 0.6}]
"""
SPAN = Span(datetime(2013, 7, 1, 8, tzinfo=UTC), datetime(2013, 7, 4, 8, tzinfo=UTC))


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2013, 7, day, hour, tzinfo=UTC)


def watch(stage: str = "Production", *looks: Look) -> Watch:
    version = cast("Any", type("V", (), {"name": "flights", "number": "1", "registry_stage": stage})())
    return Watch(cast("Any", None), cast("Version", version), "run", looks={one.window.number: one for one in looks})


def schedule(now: datetime, *, window: Any = timedelta(days=1), delay: int = 0, log: Path = Path()) -> Schedule:
    settings = Monitoring.model_construct(window=window)  # unchecked: a hundred rows are many for a test
    return Schedule(settings, "UTC", timedelta(days=delay), now, log)


def labels(of: Schedule, over: Watch, scratch: Path = Path(), *, label: str = "", span: Span = SPAN) -> list[str]:
    return [f"{one.window.label} {one.closed}" for one in of.due(over, span, label=label, scratch=scratch)]


def test_a_version_in_production_is_watched_up_to_now_and_another_to_its_last_row() -> None:
    assert labels(schedule(at(7)), watch()) == [f"2013-07-0{day} True" for day in range(1, 7)]
    assert labels(schedule(at(7)), watch("Archived")) == [f"2013-07-0{day} True" for day in range(1, 5)]
    assert labels(schedule(at(3, 12)), watch("Archived")) == ["2013-07-01 True", "2013-07-02 True"]
    assert labels(schedule(at(1, 12)), watch()) == []


def test_a_now_before_the_first_row_gives_nothing() -> None:
    assert labels(schedule(datetime(2012, 1, 1, tzinfo=UTC)), watch()) == []


def test_windows_wait_for_labels() -> None:
    assert labels(schedule(at(4), delay=1), watch()) == ["2013-07-01 True", "2013-07-02 True", "2013-07-03 False"]


def test_one_window_is_named_by_any_label_that_calendars_know() -> None:
    assert labels(schedule(at(7)), watch(), label="2013-07-02") == ["2013-07-02 True"]
    hours = schedule(at(7), window=timedelta(hours=6))
    assert labels(hours, watch(), label="2013-07-02T06:00") == ["2013-07-02T06:00+00:00 True"]


@pytest.mark.parametrize("label", ["2013-07-07", "2013-06-30"])
def test_a_window_that_the_version_has_not_says_which_it_has(label: str) -> None:
    with pytest.raises(NoSuchWindowError, match=f"no window `{label}` that is over") as caught:
        labels(schedule(at(7)), watch(), label=label)
    assert "one of 2013-07-01 to 2013-07-06" in str(caught.value)
    with pytest.raises(NoSuchWindowError, match="none is over yet"):
        labels(schedule(at(1, 12)), watch(), label=label)


def test_windows_of_rows_go_on_where_they_were_left(tmp_path: Path) -> None:
    put(tmp_path / "log", "job", [f"2013-07-01T{hour:02}:00" for hour in range(8, 18)])
    of = schedule(at(7), window=4, log=tmp_path / "log")
    first = of.due(watch(), SPAN, label="", scratch=tmp_path)
    assert [(one.window.number, one.window.begin.hour, one.window.end.hour) for one in first] == [
        (0, 8, 12),
        (1, 12, 16),
    ]
    seen = watch("Production", *(Look(one.window, "run", True, 4, "ok") for one in first))
    assert of.due(seen, SPAN, label="", scratch=tmp_path) == []
    put(tmp_path / "log", "more", ["2013-07-02T08:00", "2013-07-02T09:00", "2013-07-02T10:00"], first=20)
    (third,) = of.due(seen, SPAN, label="", scratch=tmp_path)
    assert (third.window.number, third.window.begin, third.window.end) == (2, at(1, 16), at(2, 10))
    (again,) = of.due(seen, SPAN, label=first[1].window.label, scratch=tmp_path)
    assert (again.window, again.supersedes) == (first[1].window, "run")
    with pytest.raises(UseCaseError, match="no window `2013-07-01` that is over"):
        of.due(seen, SPAN, label="2013-07-01", scratch=tmp_path)


def test_windows_of_other_lengths_and_zones_have_other_words() -> None:
    words = {
        schedule(at(7)).windows,
        schedule(at(7), window=timedelta(days=7)).windows,
        schedule(at(7), window=100).windows,
        Schedule(Monitoring(window=timedelta(days=1)), "Europe/Berlin", timedelta(0), at(7), Path()).windows,
    }
    assert len(words) == 4
    assert schedule(at(7)).windows == schedule(at(8), delay=3).windows, "they do not depend on when one asks"


def test_a_use_case_without_the_section_is_told_to_add_one() -> None:
    spec = parse_use_case(SPEC, file="usecase.yaml")
    with pytest.raises(UseCaseError, match="does not say how it is monitored") as caught:
        Schedule.of(spec, at(7), Path())
    assert "monitoring: {window: P7D}" in str(caught.value)
    assert zone_of(spec) == "UTC"
    with_it = parse_use_case(SPEC + "monitoring: {window: P7D}\n", file="usecase.yaml")
    assert Schedule.of(with_it, at(7), Path()).delay == timedelta(0)
