from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from monitoring_profiles import number, table

from mlops_mlflow.core.monitoring.windows import Calendar
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.lifecycle.operate.watch import Watch, open_watch, working
from mlops_mlflow.tracking.tracker import Tracker, open_tracker

WINDOWS = list(
    Calendar(timedelta(days=1), "UTC").between(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC))
)


def version(named: str = "1") -> Version:
    return cast("Version", type("V", (), {"name": "flights", "number": named})())


@pytest.fixture
def tracker(tracking_uri: str) -> Tracker:
    return open_tracker("flights", tracking_uri)


def opened(tracker: Tracker, named: str = "1", windows: str = "days") -> Watch:
    return open_watch(tracker, "flights", version(named), windows)


def look(watch: Watch, place: int, *, status: Any = "FINISHED", closed: str = "yes", rows: float = 10) -> str:
    window, client = WINDOWS[place], watch.tracker.client
    tags = {"mlops.kind": "window", "mlops.window_number": str(window.number), "mlops.closed": closed}
    run = watch.tracker.create_run(window.label, tags | {"mlops.health": "warning"}, watch.run_id)
    for name, value in (("window", window.label), ("begin", window.begin), ("end", window.end)):
        client.log_param(run, name, value.isoformat() if isinstance(value, datetime) else value)
    client.log_metric(run, "rows", rows)
    client.log_metric(run, "rows_rejected", 2)
    watch.tracker.end_run(run, status)
    return run


def test_a_watch_is_begun_once_for_each_version_and_length_of_windows(tracker: Tracker) -> None:
    first = opened(tracker)
    assert (first.shown, first.told, first.looks) == (False, "", {})
    assert opened(tracker).run_id == first.run_id
    assert len({first.run_id, opened(tracker, "2").run_id, opened(tracker, windows="weeks").run_id}) == 3


def test_it_knows_the_newest_finished_look_at_each_window(tracker: Tracker) -> None:
    watch = opened(tracker)
    look(watch, 0, closed="no", rows=1)
    newest = look(watch, 0)
    look(watch, 0, status="FAILED", rows=99)
    look(watch, 1, status="KILLED")
    again = opened(tracker)
    (found,) = again.looks.values()
    assert (found.run_id, found.closed, found.rows, found.health) == (newest, True, 12, "warning")
    assert found.window == WINDOWS[0]
    assert again.figures[WINDOWS[0].number]["rows"] == 10


def test_the_same_point_again_is_one_point(tracker: Tracker) -> None:
    watch = opened(tracker)
    for _ in range(3):
        watch.point(WINDOWS[0], {"rows": 10.0, "roc_auc": 0.7})
    watch.point(WINDOWS[1], {"rows": 11.0})
    history = tracker.client.get_metric_history(watch.run_id, "rows")
    assert [(one.step, one.timestamp, one.value) for one in history] == [
        (window.number, int(window.end.timestamp() * 1000), value)
        for window, value in zip(WINDOWS, (10.0, 11.0), strict=False)
    ]
    assert len(tracker.client.get_metric_history(watch.run_id, "roc_auc")) == 1


def test_a_profile_is_read_again_and_none_where_its_file_is_gone(tracker: Tracker, tmp_path: Path) -> None:
    import json

    watch = opened(tracker)
    known = table(number("x", [1, 2]))
    with_file, without, torn = (look(watch, place) for place in range(3))
    assert without
    tracker.client.log_text(with_file, json.dumps(known.to_dict()), "profile.json")
    tracker.client.log_text(torn, "{", "profile.json")
    again = opened(tracker)
    assert [again.profile(window.number, tmp_path) for window in WINDOWS[:3]] == [known, None, None]
    assert again.profile(0, tmp_path) is None


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [(None, "FINISHED", True), (ValueError, "FAILED", False), (KeyboardInterrupt, "KILLED", False)],
)
def test_the_parent_ends_as_its_work_does_and_only_then_counts_as_shown(
    tracker: Tracker, error: type[BaseException] | None, status: str, shown: bool
) -> None:
    watch = opened(tracker)

    def work() -> None:
        with working(watch):
            assert tracker.client.get_run(watch.run_id).info.status == "RUNNING"
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(error):
            work()
    assert tracker.client.get_run(watch.run_id).info.status == status
    assert opened(tracker).shown is shown


def test_what_people_were_told_is_remembered(tracker: Tracker) -> None:
    opened(tracker).tag({"mlops.told_health": "alarm"})
    assert opened(tracker).told == "alarm"
