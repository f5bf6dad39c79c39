"""What labels say of a window: its figures beside those of the version's own test rows.

A loss raises an alarm when it is real: when the near end of its interval, too, is beyond what the use case allows. A
window of a week has seven days, too few for a percentile interval, and after a calm week its own error is too small by
far. So the error of a difference is never taken for smaller than what the days of the reference say of as many days,
and the interval is Student's with the reference's degrees of freedom; what was measured is in
``docs/adr/0021-a-loss-is-real-or-may-be-chance.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.monitoring.health import Health, Signal
from mlops_mlflow.core.monitoring.reference import (
    Estimate,
    Ints,
    ReferencePerformance,
    Slice,
    SliceFigures,
    estimates,
    slice_estimates,
)
from mlops_mlflow.core.usecase.operation import Alarm

LEVEL = 0.95
METHOD = "block_bootstrap_t"
FEWEST_OWN = 5
"""Blocks from which on a fixed bound is judged by the error of the window alone."""


@dataclass(frozen=True)
class Labelled:
    """The rows of a window that have their label.

    Attributes:
        made: Outcomes beside what the model said.
        blocks: Block of each row, as those of the reference are.
        slices: Those with enough rows.
        window_rows: All rows of the window, with a label or without.
    """

    made: Predictions
    blocks: Ints
    slices: Sequence[Slice]
    window_rows: int

    @property
    def coverage(self) -> float:
        """Share of rows with a label; NaN of an empty window."""
        return len(self.made) / self.window_rows if self.window_rows else math.nan

    @property
    def without_label(self) -> int:
        """Rows without a label: counted, never guessed."""
        return self.window_rows - len(self.made)


@dataclass(frozen=True)
class Performance:
    """What labels say of a window.

    Attributes:
        figures: Of all labelled rows, by metric.
        slices: Figures of slices.
        signals: One for each alarm of the use case, and one more for each of its slices.
    """

    figures: Mapping[str, Estimate]
    slices: tuple[SliceFigures, ...]
    signals: tuple[Signal, ...]


def judge_performance(
    alarms: Sequence[Alarm],
    window: Labelled,
    reference: ReferencePerformance | None,
    *,
    metrics: Iterable[str],
    slice_metrics: Iterable[str],
    minimum_rows: int,
    seed: int,
) -> Performance:
    """Hold a window against the alarms of a use case, as a whole and by slice.

    Args:
        alarms: What is asked.
        window: The rows with labels.
        reference: Of the version; None where it carries none.
        metrics: Measured on all rows, those of the alarms among them.
        slice_metrics: Measured on slices, those of the alarms among them.
        minimum_rows: With fewer labels nothing is judged.
        seed: Of the draws.
    """
    figures = estimates(metrics, window.made, window.blocks, seed=seed)
    slices = slice_estimates(slice_metrics, window.made, window.blocks, window.slices, seed=seed)
    known = reference.figures if reference else {}
    signals = [judge_alarm(one, one.metric, figures[one.metric], known.get(one.metric), minimum_rows) for one in alarms]
    for alarm in alarms:
        for one in slices:
            beside = reference.of(one.column, one.value).get(alarm.metric) if reference else None
            subject = f"{alarm.metric} where {one.column} is {one.value}"
            found = one.figures[alarm.metric]
            signals.append(judge_alarm(alarm, subject, found, beside, minimum_rows, among=len(slices)))
    return Performance(figures, slices, tuple(signals))


def judge_alarm(
    alarm: Alarm, subject: str, window: Estimate, reference: Estimate | None, minimum_rows: int, *, among: int = 1
) -> Signal:
    """One figure of a window against one alarm.

    Args:
        alarm: What is asked.
        subject: What the figure is, for people.
        window: The figure.
        reference: The same of the version's test rows.
        minimum_rows: With fewer it is not judged.
        among: How many figures are held against the alarm at once; any of them may raise it by chance.
    """
    level = 1 - (1 - LEVEL) / among
    method = f"{METHOD} at {level:.4g}"

    def found(health: Health, statistic: float | None, reason: str) -> Signal:
        return Signal("performance", subject, health, statistic, method, alarm.limit, window.rows, reason)

    start = (reference.figure if reference else None) if alarm.by_reference else alarm.limit
    if window.rows < minimum_rows:
        return found("insufficient data", None, f"{window.rows} rows have a label, fewer than {minimum_rows}")
    if window.figure is None:
        return found("insufficient data", None, "not defined by these labels, such as those of one class alone")
    if start is None:
        return found("insufficient data", None, "the version carries no figure of its test rows to compare with")
    loss, allowed = alarm.sign * (window.figure - start), alarm.limit if alarm.by_reference else 0.0
    reach = _reach(alarm, window, reference, level)
    real, missed = reach is not None and loss - reach > allowed, loss > allowed
    chance = "; it may be chance" if missed and not real else ""
    if real and reach is not None and alarm.by_reference:
        chance = f"; {loss - reach:.3g} of it at least is no chance"
    statistic, reason = (
        (loss, _moved(alarm, loss, start)) if alarm.by_reference else (window.figure, _kept(alarm, missed))
    )
    return found(
        "alarm" if real else "warning" if missed else "ok", statistic, f"{window.figure:.4g}, {reason}{chance}"
    )


def _reach(alarm: Alarm, window: Estimate, reference: Estimate | None, level: float) -> float | None:
    """How far an interval reaches beyond the figure, or the difference, that an alarm is about; None if unknown."""
    if not alarm.by_reference and window.error is not None and window.blocks >= FEWEST_OWN:
        return _student(window.blocks - 1, level) * window.error
    if reference is None or reference.error is None:
        return None
    as_there = reference.error * math.sqrt(reference.blocks / window.blocks)
    other = reference.error if alarm.by_reference else 0.0
    return _student(reference.blocks - 1, level) * math.hypot(max(window.error or 0.0, as_there), other)


def _student(degrees: int, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, level))


def _moved(alarm: Alarm, loss: float, start: float) -> str:
    worse, better = ("above", "below") if alarm.sign > 0 else ("below", "above")
    return (
        f"{abs(loss):.3g} {worse if loss >= 0 else better} the {start:.4g} of the test rows, "
        f"where {alarm.limit:.4g} {worse} is allowed"
    )


def _kept(alarm: Alarm, missed: bool) -> str:
    return f"which is {'not ' if missed else ''}at {'most' if alarm.sign > 0 else 'least'} {alarm.limit:.4g}"
