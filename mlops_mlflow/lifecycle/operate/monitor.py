"""Look at every window of production that is due: each is a run, and its figures are points on the version's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops_mlflow.core.errors import SourceError
from mlops_mlflow.core.monitoring.due import Due, standing
from mlops_mlflow.core.monitoring.health import Health
from mlops_mlflow.core.monitoring.windows import read_moment
from mlops_mlflow.engines.inference_log import Span, versions
from mlops_mlflow.governance.opening import open_registry
from mlops_mlflow.governance.pages.showing import MONITOR_RUN, link_monitoring
from mlops_mlflow.governance.shelf import Registry, Version
from mlops_mlflow.lifecycle.display import Display
from mlops_mlflow.lifecycle.folder import UseCaseFolder
from mlops_mlflow.lifecycle.launcher import point_to
from mlops_mlflow.lifecycle.operate.alone import alone
from mlops_mlflow.lifecycle.operate.labels import read_labels
from mlops_mlflow.lifecycle.operate.looking import Looked, Subject, look
from mlops_mlflow.lifecycle.operate.notify import News, notify
from mlops_mlflow.lifecycle.operate.reference import read_reference
from mlops_mlflow.lifecycle.operate.schedule import PRODUCTION, NoSuchWindowError, Schedule, zone_of
from mlops_mlflow.lifecycle.operate.score import log_folder
from mlops_mlflow.lifecycle.operate.version import resolve
from mlops_mlflow.lifecycle.operate.watch import HEALTH, MONITOR, TOLD, Watch, open_watch, working
from mlops_mlflow.tracking.process import end_dead_runs
from mlops_mlflow.tracking.tracker import open_tracker

LOUD = ("alarm", "warning")


@dataclass(frozen=True)
class Asked:
    """What shall be looked at.

    Attributes:
        until: The time that is taken for now, as a person writes it; now when left out.
        window: Label of one window that is looked at again; every window that is due when left out.
        version: A registry stage, an alias or a number; every version that has scored rows when left out.
        report: Let Evidently draw each window, and not only those that alarm.
        before: Leave out windows that end later.
    """

    until: str = ""
    window: str = ""
    version: str = ""
    report: bool = False
    before: datetime | None = None


@dataclass(frozen=True)
class Monitored:
    """What monitoring found.

    Attributes:
        model: Name of the registered model.
        until: The time that was taken for now; UTC.
        looked: Windows that were looked at.
        health: Of each version as it stands, by number.
        waiting: How many windows wait for their labels, by version.
        runs: Parent run of each version.
    """

    model: str
    until: datetime
    looked: tuple[Looked, ...]
    health: Mapping[str, Health]
    waiting: Mapping[str, int]
    runs: Mapping[str, str]

    @property
    def alarmed(self) -> bool:
        """Whether a window that was looked at alarms."""
        return any(one.health == "alarm" for one in self.looked)


def monitor(folder: UseCaseFolder, asked: Asked, *, display: Display) -> Monitored:
    """Look at every window that is due, of every version that has scored rows.

    Args:
        folder: The use case.
        asked: What shall be looked at.
        display: What the person sees.

    Raises:
        MlopsError: Whatever stopped it; windows that were finished stay so.
    """
    spec = folder.spec
    now = read_moment(asked.until, zone_of(spec)) if asked.until else datetime.now(UTC)
    log = log_folder(spec.use_case, os.environ)
    schedule = replace(Schedule.of(spec, now, log), before=asked.before)
    tracker = open_tracker(spec.use_case, create=False)
    registry = open_registry(tracker.uri)
    call = _Call(folder, schedule, asked, registry, display)
    watches, looked, lacking = list[Watch](), list[Looked](), list[NoSuchWindowError]()
    if not log.is_dir():
        raise _nothing_scored(spec.use_case, asked, log)
    with alone(log, MONITOR, display=display):
        end_dead_runs(tracker)
        for version, span in _used(registry, spec.use_case, asked, log):
            watches.append(open_watch(tracker, spec.use_case, version, schedule.windows))
            try:
                looked += call.look_at(watches[-1], span)
            except NoSuchWindowError as error:  # another version may have it
                lacking.append(error)
    if lacking and not looked:
        raise lacking[-1]
    point_to(tracker, f"monitor {spec.use_case}", tracker.page(watches[-1].run_id), os.environ)
    return Monitored(
        spec.use_case,
        now,
        tuple(looked),
        {watch.version.number: standing(watch.looks) for watch in watches},
        {watch.version.number: sum(not one.closed for one in watch.looks.values()) for watch in watches},
        {watch.version.number: watch.run_id for watch in watches},
    )


def _used(registry: Registry, model: str, asked: Asked, log: Path) -> list[tuple[Version, Span]]:
    """Versions to watch, and when they were used; the oldest first."""
    known = versions(log, model=model)
    if asked.version:
        number = resolve(registry, model, asked.version).number
        known = {number: known[number]} if number in known else {}
    there = registry.shelf(model).versions
    found = [(there[number], span) for number, span in known.items() if number in there]
    if not found:
        raise _nothing_scored(model, asked, log)
    return sorted(found, key=lambda one: int(one[0].number))


def _nothing_scored(model: str, asked: Asked, log: Path) -> SourceError:
    which = f"version {asked.version}" if asked.version else "no version"
    return SourceError(
        f"{which} of {model} has scored {'nothing' if asked.version else 'anything'}",
        expected=f"an inference log with rows of {model}",
        got=str(log) if log.is_dir() else f"{log}, which is no folder",
        hint="score with `mlops score`; MLOPS_INFERENCE_LOG names the log's folder if it is elsewhere",
    )


@dataclass(frozen=True)
class _Call:
    """What all versions of a call share."""

    folder: UseCaseFolder
    schedule: Schedule
    asked: Asked
    registry: Registry
    display: Display

    def look_at(self, watch: Watch, span: Span) -> list[Looked]:
        """Whatever is due of one version."""
        with TemporaryDirectory(prefix="mlops-") as name:
            scratch = Path(name)
            todo = self.schedule.due(watch, span, label=self.asked.window, scratch=scratch)
            if not todo and watch.shown:
                return []
            with working(watch):
                reference = read_reference(watch.tracker, watch.version, scratch / "reference")
                labels = self._labels(todo, scratch)
                spec, log = self.folder.spec, self.schedule.log
                used_until = None if watch.version.registry_stage == PRODUCTION else span.last
                subject = Subject(spec, watch, reference, log, labels, self.asked.report, used_until)
                looked = self._looks(subject, todo, scratch)
                self._show(subject, looked)
        return looked

    def _looks(self, subject: Subject, todo: Sequence[Due], scratch: Path) -> list[Looked]:
        looked, last, profile = list[Looked](), None, None
        for one in todo:
            number = one.window.number
            before = profile if last == number - 1 else subject.watch.profile(number - 1, scratch)
            found, profile = look(subject, one, before, display=self.display)
            looked.append(found)
            last = number
        return looked

    def _labels(self, todo: Sequence[Due], scratch: Path) -> Path | None:
        """Outcomes for all windows that are closed, read at once; None where there are none."""
        closed = [one.window for one in todo if one.closed]
        if self.folder.spec.labels is None or not closed:
            return None
        begin, end = min(one.begin for one in closed), max(one.end for one in closed)
        return read_labels(self.folder, begin, end, environment=os.environ, scratch=scratch)

    def _show(self, subject: Subject, looked: Sequence[Looked]) -> None:
        """Put what was found where people look: the parent run, the version's page, and a message if health changed."""
        from mlops_mlflow.stages.monitor import overview

        watch, spec, health = subject.watch, self.folder.spec, standing(subject.watch.looks)
        watch.show(overview(spec, subject.reference, watch.looks, watch.figures, health), {HEALTH: health})
        version, known = watch.version, watch.version.tags
        if (known.get(HEALTH), known.get(MONITOR_RUN)) != (health, watch.run_id):
            with self.registry.changing(version.name) as change:
                change.tag(version.number, HEALTH, health)
                change.tag(version.number, MONITOR_RUN, watch.run_id)
        if known.get(MONITOR_RUN) != watch.run_id:
            link_monitoring(watch.tracker, version, watch.run_id)
        if health != watch.told and (health in LOUD or watch.told in LOUD):
            page = watch.tracker.page(watch.run_id)
            said = notify(spec, News(watch.version, health, watch.told, looked, page), os.environ)
            if said.told:
                self.display.say(said.told)
            watch.tag({"mlops.notified": said.record})
        watch.tag({TOLD: health})
