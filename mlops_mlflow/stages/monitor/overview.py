"""The card of a version in use: all its windows as small multiples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlops_mlflow.cards.bands import Band
from mlops_mlflow.cards.blocks import (
    Badge,
    Block,
    Card,
    Cell,
    Columns,
    Heading,
    Picture,
    Quantity,
    Table,
)
from mlops_mlflow.cards.charts import line
from mlops_mlflow.cards.wording import counted, of_metric, sides, title
from mlops_mlflow.core.monitoring.due import Look
from mlops_mlflow.core.monitoring.health import Health
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.operation import Alarm
from mlops_mlflow.stages.monitor.card import STATUS
from mlops_mlflow.stages.monitor.job import Reference
from mlops_mlflow.stages.monitor.run import DRIFT, metric_name

_COLUMNS = 6
"""Columns of the input that are drawn: those that the model leans on most."""
_LISTED = 60


def overview(
    spec: UseCaseSpec,
    reference: Reference,
    looks: Mapping[int, Look],
    figures: Mapping[int, Mapping[str, float]],
    health: Health,
) -> Card:
    """The page of a version's monitoring.

    Args:
        spec: The use case.
        reference: Of the version.
        looks: The newest at each window, by number.
        figures: Of each of them.
        health: Of the version as it stands.
    """
    course = _Course(spec, reference, [(looks[number], figures[number]) for number in sorted(looks)])
    return Card(
        title("monitor", spec),
        f"version {reference.version} of {reference.model}",
        STATUS[health],
        course.headline,
        tuple(course.blocks()),
        (("windows", len(course.held)), ("alarms", len(course.loud)), ("wait for labels", len(course.waiting))),
        word=health,
    )


@dataclass(frozen=True)
class _Course:
    """Windows of a version with their figures, in the order of time."""

    spec: UseCaseSpec
    reference: Reference
    held: Sequence[tuple[Look, Mapping[str, float]]]

    @property
    def loud(self) -> list[Look]:
        return [look for look, _ in self.held if look.health == "alarm"]

    @property
    def waiting(self) -> list[Look]:
        return [look for look, _ in self.held if not look.closed]

    @property
    def headline(self) -> str:
        if not self.held:
            return "No window is over yet"
        count, waits = len(self.held), len(self.waiting)
        newest = f"**{self.held[-1][0].window.label}** is the newest of {counted(count, 'window')}"
        alarms = f"{counted(len(self.loud), 'alarm')}, the last in {self.loud[-1].window.label}" if self.loud else ""
        late = f"; {counted(waits, 'window')} {'waits' if waits == 1 else 'wait'} for labels" if waits else ""
        return f"{newest}: {alarms or 'no alarm so far'}{late}"

    def blocks(self) -> Iterator[Block]:
        alarms = self.spec.monitoring.alarm if self.spec.monitoring else ()
        value = ["value_per_row"] if self.spec.value else []
        metrics = list(dict.fromkeys([*(one.metric for one in alarms), *value]))
        yield from _multiples("What labels say", [self._metric(name, alarms) for name in metrics])
        arrives = [self._drawn("rows", "rows"), self._drawn("coverage", "share with a label")]
        yield from _multiples("What arrives", arrives)
        weights = sorted(self.reference.importances.items(), key=lambda one: -one[1])
        names = [*self.reference.outputs, *(name for name, _ in weights[:_COLUMNS])]
        moved = [self._drawn(metric_name(DRIFT + name), f"distance of {name}") for name in names]
        yield from _multiples("What moves", [self._drawn("drifted_columns", "columns that drifted"), *moved])
        if self.held:
            yield Heading("Windows")
            yield self._table(metrics)

    def _drawn(self, name: str, words: str, bands: Sequence[Band] = ()) -> Picture | None:
        """One figure over time; None where no window has it."""
        known = [(look.window.end.isoformat(), figures[name]) for look, figures in self.held if name in figures]
        if not known:
            return None
        series = {words: ([date for date, _ in known], [value for _, value in known])}
        return Picture(line(series, x_kind="date", bands=bands, title=words, width=400, height=170), words)

    def _metric(self, name: str, alarms: Sequence[Alarm]) -> Picture | None:
        """A metric beside the version's own test rows, and the bounds of the alarms on it."""
        performance = self.reference.performance
        known = performance.figures.get(name) if performance else None
        start = known.figure if known else None
        bands = [] if start is None else [Band(start, start, "test rows", status="unknown")]
        for alarm in (one for one in alarms if one.metric == name):
            base = start if alarm.by_reference else 0.0
            if base is not None:
                bound = base + (alarm.sign if alarm.by_reference else 1) * alarm.limit
                bands.append(Band(bound, bound, "alarm", status="failed"))
        return self._drawn(name, name, bands)

    def _table(self, metrics: Sequence[str]) -> Table:
        rows: list[tuple[Cell, ...]] = [
            (
                look.window.label,
                Badge(STATUS[look.health], look.health),
                int(figures.get("rows", 0)),
                Quantity(figures["coverage"], "%") if "coverage" in figures else "" if look.closed else "not yet",
                *(of_metric(name, figures.get(name), self.spec) for name in metrics),
                look.headline.replace("**", ""),
            )
            for look, figures in reversed(self.held)
        ]
        heads = ("window", "health", "rows", "labelled", *metrics, "first finding")
        return Table(heads, tuple(rows), align=sides(heads, ("window", "health", "first finding")), limit=_LISTED)


def _multiples(heading: str, pictures: Sequence[Picture | None]) -> list[Block]:
    drawn: list[Block] = [one for one in pictures if one is not None]
    rows = [Columns(tuple(drawn[place : place + 2])) for place in range(0, len(drawn), 2)]
    return [Heading(heading), *rows] if drawn else []
