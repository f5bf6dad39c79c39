"""Bounds on figures of predictions: on test rows, alone or against the baseline or champion, whole or by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.bootstrap import Interval, block_interval
from mlops_mlflow.core.judgement import Finding, judge
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, better
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.usecase.success import Criterion, MetricRequirement
from mlops_mlflow.learning.problem import slice_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """Everything that criteria are judged by.

    Attributes:
        chosen: The chosen model's predictions of the test rows.
        baseline: The baseline's, of the same rows.
        champion: The champion's, and which of the test rows they are of; None where there is none to compare with.
        champion_silent: Why there is a champion but no comparison; empty otherwise.
        about: Columns for slices.
        blocks: What intervals resample.
        seed: Of the draws.
        technical: Figures of the model rather than of predictions.
    """

    chosen: Predictions
    baseline: Predictions
    champion: tuple[Predictions, Ints] | None
    champion_silent: str
    about: pd.DataFrame
    blocks: Ints
    seed: int
    technical: Mapping[str, float]
    _whole: dict[str, Interval | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def interval(self, metric: str, inside: Ints | None = None) -> Interval | None:
        """Interval of a metric of the chosen model, on all rows (drawn once) or some."""
        if inside is not None:
            return _Comparison(metric, self.chosen.take(inside), None, self.blocks[inside], self.seed).interval()
        if metric not in self._whole:
            self._whole[metric] = _Comparison(metric, self.chosen, None, self.blocks, self.seed).interval()
        return self._whole[metric]


@dataclass(frozen=True)
class _Comparison:
    """A figure of one model, or the difference of two on the same rows."""

    metric: str
    left: Predictions
    right: Predictions | None
    blocks: Ints
    seed: int

    def figure(self, weight: Floats | None = None) -> float:
        figure = measure(self.metric, self.left, weight)
        return figure if self.right is None else figure - measure(self.metric, self.right, weight)

    def interval(self) -> Interval | None:
        return block_interval(self.figure, self.blocks, seed=self.seed)

    def at(self, rows: Ints) -> _Comparison:
        right = None if self.right is None else self.right.take(rows)
        return _Comparison(self.metric, self.left.take(rows), right, self.blocks[rows], self.seed)


def asks_more(criteria: Iterable[Criterion], metric: str) -> bool:
    """Whether a criterion demands a real distance to the baseline, so that being better follows from it."""
    sign = 1 if CATALOGUE[metric].higher_is_better else -1
    return any(
        one.metric == metric and one.against == "baseline" and one.by is None and sign * one.limit > 0
        for one in criteria
    )


def better_than_baseline(measured: Measured, metric: str) -> Finding:
    """What always holds of a model worth having, whether or not the use case says it."""
    compared = _Comparison(metric, measured.chosen, measured.baseline, measured.blocks, measured.seed)
    figure = compared.figure()
    subject = f"{metric} better than the baseline"
    if np.isnan(figure):
        return Finding(subject, "criterion", "unknown", reason=f"{metric} is not defined on the test rows")
    won = better(metric, figure, 0.0)
    says = f"the difference is {figure:.4g}" + ("" if won else ": a rule that knows nothing does as well")
    return Finding(
        subject,
        "criterion",
        "passed" if won else "failed",
        figure,
        0.0,
        CATALOGUE[metric].higher_is_better,
        compared.interval(),
        says,
        len(measured.chosen),
    )


def judge_predictions(bound: Criterion | MetricRequirement, measured: Measured, *, kind: str) -> Finding:
    """Hold a bound against the test rows; ``kind`` is the finding's."""
    against = bound.against if isinstance(bound, Criterion) else None
    subject = bound.metric + (f" against the {against}" if against else "")
    if against == "champion" and measured.champion is None:
        if measured.champion_silent:
            return judge(bound, np.nan, subject=subject, kind=kind, detail=measured.champion_silent)
        reason = "nothing is in Production yet, so there is nothing to compare with"
        return Finding(subject, kind, "passed", None, bound.limit, bound.at_least is not None, reason=reason)
    compared, about = _compared(bound.metric, against, measured)
    if bound.by is not None:
        return _in_slices(bound, compared, about[bound.by], subject=f"{subject} in each {bound.by}", kind=kind)
    return judge(
        bound,
        compared.figure(),
        subject=subject,
        kind=kind,
        interval=compared.interval() if against else measured.interval(bound.metric),
        rows=len(compared.left),
    )


def _compared(metric: str, against: str | None, measured: Measured) -> tuple[_Comparison, pd.DataFrame]:
    if against == "champion" and measured.champion is not None:
        other, rows = measured.champion
        left, about, blocks = measured.chosen.take(rows), measured.about.iloc[rows], measured.blocks[rows]
        return _Comparison(metric, left, other, blocks, measured.seed), about
    right = measured.baseline if against == "baseline" else None
    return _Comparison(metric, measured.chosen, right, measured.blocks, measured.seed), measured.about


def _in_slices(
    bound: Criterion | MetricRequirement, compared: _Comparison, column: pd.Series[str], *, subject: str, kind: str
) -> Finding:
    slices = list(slice_rows(column, bound.min_rows))
    if not slices:
        detail = f"no {bound.by} has {bound.min_rows} test rows (`min_rows`)"
        return judge(bound, np.nan, subject=subject, kind=kind, detail=detail)
    figures = [(compared.at(rows).figure(), value, rows) for value, rows in slices]
    undefined = [value for figure, value, _ in figures if np.isnan(figure)]
    if undefined:
        detail = f"{bound.metric} is not defined where {bound.by} is {undefined[0]}"
        return judge(bound, np.nan, subject=subject, kind=kind, detail=detail)
    extreme: Callable[..., tuple[float, str, Ints]] = min if bound.at_least is not None else max
    figure, value, rows = extreme(figures, key=lambda row: row[0])
    return judge(
        bound,
        figure,
        subject=subject,
        kind=kind,
        interval=compared.at(rows).interval(),
        rows=len(rows),
        detail=f"the weakest of {len(slices)} is {value}",
    )
