"""Every kind of bound: on predictions, on how fast, large and even between groups a model is; and approvals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding, judge, meets
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.usecase.success import ApprovalRequirement, Criterion, MetricRequirement, Requirement
from mlops_mlflow.learning.predict import Predictor
from mlops_mlflow.learning.problem import slice_rows
from mlops_mlflow.stages.validate.criteria import Measured, judge_predictions

Floats = NDArray[np.float64]

SINGLE_ROWS = 200
WARM_UP = 20
# Outcomes that a group must have for its rates to be defined; fairlearn takes a rate of no rows as 0.
_NEEDED = {"equalized_odds": (0, 1), "equal_opportunity": (1,)}


def judge_bound(
    bound: Criterion | Requirement,
    measured: Measured,
    predict: Predictor,
    table: pd.DataFrame,
    clock: Callable[[], float],
) -> Finding:
    """Hold a criterion or a requirement against the model; an approval is recorded as pending."""
    if isinstance(bound, ApprovalRequirement):
        reason = f"needs a yes from {bound.approval} before {bound.before}"
        return Finding(bound.subject, bound.kind, "pending", reason=reason, role=bound.approval, before=bound.before)
    kind = "criterion" if isinstance(bound, Criterion) else bound.kind
    if bound.metric == "latency_p95_ms":
        return judge_latency(bound, lambda: latencies(predict, table, clock), kind=kind)
    match CATALOGUE[bound.metric].kind:
        case "technical":
            return judge(bound, measured.technical[bound.metric], subject=bound.metric, kind=kind)
        case "fairness":
            return judge_fairness(bound, measured.chosen, measured.about, kind=kind)
        case _:
            return judge_predictions(bound, measured, kind=kind)


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


def judge_latency(bound: Criterion | MetricRequirement, measure_once: Callable[[], Floats], *, kind: str) -> Finding:
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
        if meets(bound, figure) or not interval.holds(bound.limit):
            break
    else:
        reason = f"{figure:.3g} ms misses {bound.limit:g} within noise, twice: measure on a quiet machine"
        return Finding(bound.metric, kind, "unknown", figure, bound.limit, False, interval, reason, count)
    return judge(
        bound,
        figure,
        subject=bound.metric,
        kind=kind,
        interval=interval,
        rows=count,
        detail="measured twice" if tries > 1 else "",
    )


def judge_fairness(
    bound: Criterion | MetricRequirement, made: Predictions, about: pd.DataFrame, *, kind: str
) -> Finding:
    """Compare groups with fairlearn; groups with too few rows are left out."""
    import fairlearn.metrics

    subject = f"{bound.metric} between {bound.by}"
    groups = list(slice_rows(about[str(bound.by)], bound.min_rows))
    if len(groups) < 2:
        detail = f"fewer than two groups of {bound.by} have {bound.min_rows} test rows (`min_rows`)"
        return judge(bound, np.nan, subject=subject, kind=kind, detail=detail)
    needed = set(_NEEDED.get(bound.metric.rpartition("_")[0], ()))
    undefined = [value for value, inside in groups if needed - set(made.actual[inside].tolist())]
    if undefined:
        detail = f"{bound.metric} is not defined where {bound.by} is {undefined[0]}: an outcome is missing there"
        return judge(bound, np.nan, subject=subject, kind=kind, detail=detail)
    rows = np.concatenate([inside for _, inside in groups])
    names = np.concatenate([np.full(len(inside), value, dtype=object) for value, inside in groups])
    inside = made.take(rows)
    figure = float(getattr(fairlearn.metrics, bound.metric)(inside.actual, inside.decided, sensitive_features=names))
    return judge(
        bound,
        figure,
        subject=subject,
        kind=kind,
        rows=len(rows),
        detail=f"{len(groups)} groups: {', '.join(value for value, _ in groups[:8])}",
    )
