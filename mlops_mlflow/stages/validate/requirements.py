"""Requirements: how fast, how large, how even between groups; and approvals, which no program can give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding, judge, meets
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.usecase.success import ApprovalRequirement, MetricRequirement, Requirement
from mlops_mlflow.learning.predict import Predictor
from mlops_mlflow.stages.validate.criteria import Measured, slice_rows

Floats = NDArray[np.float64]

SINGLE_ROWS = 200
WARM_UP = 20


def judge_requirement(
    requirement: Requirement,
    measured: Measured,
    predict: Predictor,
    table: pd.DataFrame,
    clock: Callable[[], float],
) -> Finding:
    """Hold one requirement against the model; an approval is recorded as pending."""
    if isinstance(requirement, ApprovalRequirement):
        reason = f"needs a yes from {requirement.approval} before {requirement.before}"
        return Finding(requirement.subject, requirement.kind, "pending", reason=reason, role=requirement.approval)
    kind = CATALOGUE[requirement.metric].kind
    if requirement.metric == "latency_p95_ms":
        return judge_latency(requirement, lambda: latencies(predict, table, clock))
    if kind == "technical":
        figure = measured.technical[requirement.metric]
        return judge(requirement, figure, subject=requirement.metric, kind=requirement.kind)
    if kind == "fairness":
        return judge_fairness(requirement, measured.chosen, measured.about)
    figure = measure(requirement.metric, measured.chosen)
    return judge(
        requirement,
        figure,
        subject=requirement.metric,
        kind=requirement.kind,
        interval=measured.interval(requirement.metric),
        rows=len(measured.chosen),
    )


def latencies(
    predict: Predictor, table: pd.DataFrame, clock: Callable[[], float]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Time to predict each of 200 single rows on one thread, after 20 to warm up; ms, shape (200,)."""
    from threadpoolctl import threadpool_limits

    times = []
    with threadpool_limits(limits=1):
        for number in range(WARM_UP + SINGLE_ROWS):
            place = number % len(table)
            row = table.iloc[place : place + 1]
            began = clock()
            predict(row)
            times.append((clock() - began) * 1000)
    return np.array(times[WARM_UP:])


def judge_latency(requirement: MetricRequirement, measure_once: Callable[[], Floats]) -> Finding:
    """Judge the 95th percentile; a miss within noise is measured once more, and then ``unknown``.

    Noise is the 95 % interval of the percentile from its binomial ranks (Conover, Practical Nonparametric Statistics).
    """
    tries = 0
    while tries < 2:
        tries += 1
        times = np.sort(measure_once())
        figure, count = float(np.quantile(times, 0.95)), len(times)
        reach = 1.96 * np.sqrt(count * 0.95 * 0.05)
        low, high = np.clip([count * 0.95 - reach, count * 0.95 + reach], 0, count - 1).astype(int)
        interval = Interval(float(times[low]), float(times[high]), count)
        if meets(requirement, figure) or not interval.holds(requirement.limit):
            break
    else:
        reason = f"{figure:.3g} ms misses {requirement.limit:g} within noise, twice: measure on a quiet machine"
        return Finding(
            requirement.metric, requirement.kind, "unknown", figure, requirement.limit, False, interval, reason, count
        )
    return judge(
        requirement,
        figure,
        subject=requirement.metric,
        kind=requirement.kind,
        interval=interval,
        rows=count,
        detail="measured twice" if tries > 1 else "",
    )


def judge_fairness(requirement: MetricRequirement, made: Predictions, about: pd.DataFrame) -> Finding:
    """Compare groups with fairlearn; groups with too few rows are left out."""
    import fairlearn.metrics

    subject = f"{requirement.metric} between {requirement.by}"
    groups = list(slice_rows(about[str(requirement.by)], requirement.min_rows))
    if len(groups) < 2:
        detail = f"fewer than two groups of {requirement.by} have {requirement.min_rows} test rows"
        return judge(requirement, np.nan, subject=subject, kind=requirement.kind, detail=detail)
    rows = np.concatenate([inside for _, inside in groups])
    names = np.concatenate([np.full(len(inside), value, dtype=object) for value, inside in groups])
    inside = made.take(rows)
    measure_groups = getattr(fairlearn.metrics, requirement.metric)
    figure = float(measure_groups(inside.actual, inside.decided, sensitive_features=names))
    return judge(
        requirement,
        figure,
        subject=subject,
        kind=requirement.kind,
        rows=len(rows),
        detail=f"{len(groups)} groups: {', '.join(value for value, _ in groups[:8])}",
    )
