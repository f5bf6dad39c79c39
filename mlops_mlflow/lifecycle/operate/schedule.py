"""Which windows of a version are due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.monitoring.due import Due, due
from mlops_mlflow.core.monitoring.windows import Calendar, Window, fill
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.operation import Monitoring
from mlops_mlflow.engines.inference_log import Span, select_window
from mlops_mlflow.engines.logged import moments
from mlops_mlflow.lifecycle.operate.watch import Watch

PRODUCTION = "Production"


class NoSuchWindowError(UseCaseError):
    """A version has no window of this label that is over."""


@dataclass(frozen=True)
class Schedule:
    """When the windows of a use case are due.

    Attributes:
        settings: What the use case says about monitoring.
        zone: Of its event time.
        delay: How long labels take; zero where there are none.
        now: The time that is taken for now; UTC.
        log: Folder of the inference log.
        before: Windows that end later are left out; none when left out.
    """

    settings: Monitoring
    zone: str
    delay: timedelta
    now: datetime
    log: Path
    before: datetime | None = None

    @classmethod
    def of(cls, spec: UseCaseSpec, now: datetime, log: Path) -> Schedule:
        """As a use case says.

        Raises:
            UseCaseError: It says nothing about monitoring.
        """
        if spec.monitoring is None:
            raise UseCaseError(
                f"{spec.use_case} does not say how it is monitored",
                expected="a section `monitoring`",
                hint="add one, such as `monitoring: {window: P7D}`; docs/usecase.md says what it may hold",
            )
        delay = spec.labels.delay if spec.labels else timedelta(0)
        return cls(spec.monitoring, zone_of(spec), delay, now, log)

    @property
    def windows(self) -> str:
        """What windows are; the same words for the same windows."""
        window = self.settings.window
        return f"{window} rows" if isinstance(window, int) else f"{window} in {self.zone}"

    def due(self, watch: Watch, span: Span, *, label: str, scratch: Path) -> list[Due]:
        """Windows of a version to look at, in the order of time.

        Args:
            watch: Over the version.
            span: When it was used.
            label: Of the only window that is wanted, due or not; empty for all that are due.
            scratch: Folder for files on their way.

        Raises:
            NoSuchWindowError: The version has no window of this label that is over.
            UseCaseError: No window is called so.
        """
        found = self._windows(watch, span, scratch)
        windows = [window for window in found if self.before is None or window.end <= self.before]
        if not label:
            return list(due(windows, watch.looks, self.now, self.delay))
        wanted = self._labelled(windows, label)
        return list(due([wanted], watch.looks, self.now, self.delay, again=frozenset({wanted.number})))

    def _windows(self, watch: Watch, span: Span, scratch: Path) -> Iterator[Window]:
        """Those that the version was used in: up to now where it is in Production, otherwise to its last row."""
        used = self.now if watch.version.registry_stage == PRODUCTION else min(span.last, self.now)
        end = used + timedelta(microseconds=1)
        if isinstance(self.settings.window, int):
            yield from self._filled(watch, span.first, end, self.settings.window, scratch)
        else:
            yield from Calendar(self.settings.window, self.zone).between(span.first, end)

    def _filled(self, watch: Watch, first: datetime, end: datetime, size: int, scratch: Path) -> Iterator[Window]:
        known = sorted((look.window for look in watch.looks.values()), key=lambda one: one.number)
        yield from known
        start, number = (known[-1].end, known[-1].number + 1) if known else (first, 0)
        version, rows = watch.version, scratch / "since.parquet"
        if start < end:
            select_window(self.log, model=version.name, version=version.number, begin=start, end=end, out=rows)
            yield from fill(moments(rows), size, start, self.zone, number).windows

    def _labelled(self, windows: Sequence[Window], label: str) -> Window:
        if not isinstance(self.settings.window, int):
            label = Calendar(self.settings.window, self.zone).labelled(label).label
        over = [window for window in windows if window.over(self.now)]
        found = next((window for window in over if window.label == label), None)
        if found is None:
            there = f"one of {over[0].label} to {over[-1].label}" if over else "none is over yet"
            raise NoSuchWindowError(
                f"there is no window `{label}` that is over",
                expected=there,
                hint="without --window, `mlops monitor` looks at every window that is due",
            )
        return found


def zone_of(spec: UseCaseSpec) -> str:
    """IANA name of the zone that windows are of."""
    return spec.event_time.zone if spec.event_time else "UTC"
