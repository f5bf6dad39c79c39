"""One look at one window, as a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.monitoring.due import Due, Look, usual_rows
from mlops_mlflow.core.monitoring.health import Health, Signal
from mlops_mlflow.core.monitoring.windows import Window
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.core.records import ModelUse, Tag
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.inference_log import select_window
from mlops_mlflow.lifecycle.display import Display
from mlops_mlflow.lifecycle.operate.job import job
from mlops_mlflow.lifecycle.operate.watch import CLOSED, HEADLINE, MONITOR, NUMBER, SUPERSEDES, VERSION, WINDOW, Watch
from mlops_mlflow.tracking.tracker import KIND

if TYPE_CHECKING:
    from mlops_mlflow.stages.monitor import Output, Reference

MODEL = "watched"


@dataclass(frozen=True)
class Looked:
    """A window that was looked at.

    Attributes:
        version: Number of the version.
        window: Which.
        run_id: The run.
        supersedes: Run of the look before; empty where there was none.
        closed: Whether its labels are complete.
        health: As it was found.
        rows: That were scored.
        coverage: Share of rows with a label; None where that was not asked for.
        loud: Signals that warn or alarm, the gravest first.
        blocks_retraining: Whether the feed is broken.
    """

    version: str
    window: Window
    run_id: str
    supersedes: str
    closed: bool
    health: Health
    rows: int
    coverage: float | None
    loud: tuple[Signal, ...]
    blocks_retraining: bool


@dataclass(frozen=True)
class Subject:
    """What all looks of a call at one version share.

    Attributes:
        spec: The use case.
        watch: Over the version.
        reference: That it carries.
        log: Folder of the inference log.
        labels: Outcomes for all windows that are closed; None where there are none.
        report: Whether Evidently draws each window, and not only those that alarm.
        used_until: Time of the last row of a version that is no longer in Production; None of one that is.
    """

    spec: UseCaseSpec
    watch: Watch
    reference: Reference
    log: Path
    labels: Path | None
    report: bool
    used_until: datetime | None


def look(subject: Subject, one: Due, before: TableProfile | None, *, display: Display) -> tuple[Looked, TableProfile]:
    """Look at a window: a finished run, a point on the version's own run if it is closed, and what was found.

    The point comes before the end of the run: whoever is killed between them leaves a window that is still due, and
    the same point again is the same.

    Args:
        subject: What is looked at.
        one: The window.
        before: Profile of the window before; None where there is none.
        display: What the person sees.

    Raises:
        MlopsError: Whatever stopped it; the run is marked as failed.
    """
    from mlops_mlflow.stages.monitor import Inputs, card, run, series

    watch, window, spec = subject.watch, one.window, subject.spec
    tags = {KIND: WINDOW, VERSION: watch.version.number, NUMBER: str(window.number), CLOSED: _word(one.closed)}
    tags |= {SUPERSEDES: one.supersedes} if one.supersedes else {}
    label = window.label
    with job(
        watch.tracker, spec.use_case, MONITOR, label, display=display, tags=tags, parent=watch.run_id, shown=label
    ) as own:
        name, number, out = watch.version.name, watch.version.number, own.scratch / "rows.parquet"
        rows = select_window(subject.log, model=name, version=number, begin=window.begin, end=window.end, out=out)
        # How many rows a window has tells nothing where rows fill it, or where the version was replaced within it.
        by_rows = spec.monitoring is not None and isinstance(spec.monitoring.window, int)
        cut_off = subject.used_until is not None and subject.used_until < window.end
        inputs = Inputs(
            spec,
            window,
            rows.path,
            subject.reference,
            before,
            () if by_rows or cut_off else usual_rows(watch.looks, window),
            one.closed,
            subject.labels if one.closed else None,
            tuple(f"{skipped.path.name}: {skipped.reason}" for skipped in rows.skipped),
            rows.duplicates,
            own.scratch,
            subject.report,
        )
        own.uses(MODEL, watch.version.source)
        own.writer(ModelUse(MODEL, "input"))
        output = run(inputs, own.writer)
        own.draw(lambda: card(inputs, output))
        own.writer(Tag(HEADLINE, own.headline))
        if one.closed:
            watch.point(window, series(output))
    arrived = output.scored + output.rejected
    watch.add(Look(window, own.run_id, one.closed, arrived, output.health, own.headline), series(output))
    return _looked(subject, one, own.run_id, output), output.profile


def _looked(subject: Subject, one: Due, run_id: str, output: Output) -> Looked:
    told = output.of("performance", "feed", "score", "drift", "change")
    return Looked(
        subject.watch.version.number,
        one.window,
        run_id,
        one.supersedes,
        one.closed,
        output.health,
        output.scored,
        output.labels.coverage if output.labels else None,
        tuple(signal for signal in told if signal.health in ("alarm", "warning")),
        output.blocks_retraining,
    )


def _word(closed: bool) -> str:
    return "yes" if closed else "no"
