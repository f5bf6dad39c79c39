"""A past stretch of time as production would have been: scored and monitored window by window, with a simulated clock.

Everything happens in a store of its own. The first version is let through to Production by approvals that this script
gives, under names that say so; every run carries the tag `mlops.replay`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.errors import RegistryError, StorageError, UseCaseError
from mlops_mlflow.core.ledger.record import Actor
from mlops_mlflow.core.monitoring.windows import Calendar, Window, read_moment
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.requests import request
from mlops_mlflow.governance.opening import open_registry
from mlops_mlflow.governance.pages.people import waiting
from mlops_mlflow.lifecycle.display import Display
from mlops_mlflow.lifecycle.folder import UseCaseFolder
from mlops_mlflow.lifecycle.governance.publishing import public_desk
from mlops_mlflow.lifecycle.main import run_main
from mlops_mlflow.lifecycle.operate.labels import read_rows_between
from mlops_mlflow.lifecycle.operate.monitor import Asked as MonitorAsked
from mlops_mlflow.lifecycle.operate.monitor import Monitored, monitor
from mlops_mlflow.lifecycle.operate.notify import ADDRESSES
from mlops_mlflow.lifecycle.operate.schedule import Schedule, zone_of
from mlops_mlflow.lifecycle.operate.score import LOG, Asked, score
from mlops_mlflow.lifecycle.session import Options, open_session
from mlops_mlflow.tracking.tracker import open_tracker

REPLAY = "mlops.replay"
SCRIPT = Actor("replay", "script of a replay, no person")
_DATABASE = "mlflow.db"
_FOREIGN = ("MLFLOW_REGISTRY_URI", "MLOPS_POLICY", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID", ADDRESSES)
"""What would reach out of the store: a registry, the policy with its people, a launcher's run, people to notify."""


@dataclass(frozen=True)
class Period:
    """What is replayed, and where.

    Attributes:
        since: First day or time, as a person writes it.
        until: The first that is no more replayed.
        store: Folder that gets everything; made where there is none.
    """

    since: str
    until: str
    store: Path


@dataclass(frozen=True)
class Replayed:
    """What came of a replay.

    Attributes:
        found: What monitoring says at its end.
        metrics: Names of the figures that alarms are about, and of value where outcomes have prices.
        figures: Of each window, by its label.
        store: Where everything is.
    """

    found: Monitored
    metrics: tuple[str, ...]
    figures: Mapping[str, Mapping[str, float | str]]
    store: Path


def replay(folder: UseCaseFolder, period: Period, *, display: Display) -> Replayed:
    """Score and monitor a past stretch of time. Called again, it goes on where it was stopped.

    Args:
        folder: The use case.
        period: What is replayed, and where.
        display: What the person sees.

    Raises:
        MlopsError: Whatever stopped it.
    """
    zone = zone_of(folder.spec)
    since, until = (read_moment(text, zone) for text in (period.since, period.until))
    if since >= until:
        raise UseCaseError("a replay ends after it began", got=f"--since {period.since} --until {period.until}")
    if folder.spec.event_time is None:
        raise UseCaseError(
            f"{folder.spec.use_case} does not say when its rows happened",
            expected="a section `event_time`, by which a past year can be played again",
        )
    schedule = Schedule.of(folder.spec, until, Path())
    folder = replace(folder, path=folder.path.absolute())
    _enter(period.store, os.environ)
    version = _in_production(folder, since, display)
    length = schedule.settings.window if isinstance(schedule.settings.window, timedelta) else timedelta(days=1)
    windows = [one for one in Calendar(length, zone).between(since, until) if one.begin >= since and one.end <= until]
    display.say(f"replaying {len(windows)} windows of version {version} in {period.store}")
    with TemporaryDirectory(prefix="mlops-") as name:
        scratch, todo = Path(name), [window for window in windows if not _output(window).exists()]
        batches = _Batches.read(folder, todo, scratch) if todo else None
        for window in todo:
            if batches is not None and (batch := batches.of(window, scratch)):
                score(folder, Asked(str(batch), str(_output(window)), at=window.end), display=display)
            monitor(folder, MonitorAsked(until=window.end.isoformat()), display=display)
    late = until + schedule.delay
    found = monitor(folder, MonitorAsked(until=late.isoformat(), before=until), display=display)
    alarms, value = schedule.settings.alarm, ["value_per_row"] if folder.spec.value else []
    metrics = tuple(dict.fromkeys([*(one.metric for one in alarms), *value]))
    return Replayed(found, metrics, _figures(folder, version, schedule.windows), period.store)


def _enter(store: Path, environment: MutableMapping[str, str]) -> None:
    """Go into the store, and leave nothing in the environment that would lead out of it."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        (store / "scored").mkdir(exist_ok=True)
        os.chdir(store)
    except OSError as error:
        raise StorageError(f"{store} cannot be used: {error.strerror}", expected="a folder to write to") from error
    import mlflow

    for name in _FOREIGN:
        environment.pop(name, None)
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{store.absolute() / _DATABASE}"
    environment["MLFLOW_RUN_CONTEXT"] = json.dumps({REPLAY: "yes"})
    environment[LOG] = str(store.absolute() / "inference_log")
    mlflow.set_tracking_uri(environment["MLFLOW_TRACKING_URI"])


def _in_production(folder: UseCaseFolder, since: datetime, display: Display) -> str:
    """Number of the version in Production; trained on what was known before, and let through, where there is none."""
    model = folder.spec.use_case
    tracker = open_tracker(model)
    champions = open_registry(tracker.uri).shelf(model).in_stage("Production")
    if champions:
        return champions[0].number
    _train(folder, since, display)
    desk = replace(public_desk(tracker, tell=display.say), actor=SCRIPT)
    asked = request(desk, model, None, "Production", comment="a replay: nobody decided this")
    for role in waiting(asked.decision):
        said = Actor(f"replay {role or 'approver'}", SCRIPT.known_by)
        approve(
            replace(desk, actor=said),
            asked.request.number,
            role=role or None,
            comment="scripted, in a replay's own store",
        )
    made = request(desk, model, asked.request.version, "Production")
    if made.moved is None:
        raise RegistryError(
            f"version {asked.request.version} cannot go to Production in a replay",
            expected="rules that scripted approvals meet",
            got="; ".join(f"{one.rule}: {one.reason}" for one in made.decision.missing),
        )
    display.say(f"version {asked.request.version} is in Production by scripted approvals")
    return asked.request.version


def _train(folder: UseCaseFolder, since: datetime, display: Display) -> None:
    """Run the lifecycle on what was there before the replay begins."""
    own = folder.spec.data.until
    local = since.astimezone(ZoneInfo(zone_of(folder.spec)))
    cut = local if own is not None and own.tzinfo else local.replace(tzinfo=None)
    options = Options() if own is not None and own <= cut else Options(until=cut)
    session = open_session(folder, target="main", options=options, display=display)
    try:
        with session.working():
            result = run_main(session)
    finally:
        session.close()
    if result.version is None:
        raise RegistryError(
            f"nothing can be replayed: the verdict on {result.chosen} is {result.verdict}",
            expected="a version that `validate` passes",
            hint="the card of the stage validate says why",
        )


def _output(window: Window) -> Path:
    return Path("scored") / _name(window)


def _name(window: Window) -> str:
    return f"{window.label.replace(':', '')}.parquet"


@dataclass(frozen=True)
class _Batches:
    """All rows to score, without their outcomes.

    Attributes:
        rows: Arrow table.
        times: Of each row, nanoseconds since 1970 in UTC.
    """

    rows: Any
    times: NDArray[np.int64]

    @classmethod
    def read(cls, folder: UseCaseFolder, windows: Sequence[Window], scratch: Path) -> _Batches:
        """What the use case's SQL gives for these windows."""
        import pyarrow.parquet as pq

        from mlops_mlflow.learning.problem import event_nanoseconds

        begin, end, out = windows[0].begin, windows[-1].end, scratch / "rows.parquet"
        made = read_rows_between(folder, begin, end, environment=os.environ, scratch=scratch, out=out)
        rows = pq.read_table(out).drop_columns([folder.spec.target.column])
        column = folder.spec.event_time.column if folder.spec.event_time else ""
        return cls(rows, event_nanoseconds(folder.spec, made.columns, rows.column(column).to_pandas()))

    def of(self, window: Window, scratch: Path) -> Path | None:
        """File with the rows of a window; None where there are none."""
        import pyarrow.parquet as pq

        begin, end = (int(moment.timestamp() * 1_000_000) * 1000 for moment in (window.begin, window.end))
        inside = (self.times >= begin) & (self.times < end)
        if not inside.any():
            return None
        out = scratch / _name(window)
        pq.write_table(self.rows.filter(inside), out)
        return out


def _figures(folder: UseCaseFolder, version: str, windows: str) -> dict[str, dict[str, float | str]]:
    from mlops_mlflow.lifecycle.operate.watch import open_watch

    tracker = open_tracker(folder.spec.use_case, create=False)
    known = open_registry(tracker.uri).shelf(folder.spec.use_case).versions[version]
    watch = open_watch(tracker, folder.spec.use_case, known, windows)
    return {
        watch.looks[number].window.label: {**watch.figures[number], "health": watch.looks[number].health}
        for number in sorted(watch.looks)
    }
