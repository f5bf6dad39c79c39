"""Metrics of predictions, with row weights.

Weights make resampling cheap: a bootstrap draw is a vector of counts, and scores are sorted once for all draws. Each
metric equals scikit-learn's of the same meaning (tests compare them), which offers no such reuse; where nothing defines
a figure (recall without a positive row, R2 of a constant outcome) it is NaN, not the 0 that scikit-learn warns of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.core.value import worth_matrix, worth_of_errors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Predictions:
    """Outcomes beside what a model said.

    Attributes:
        task: What kind of target.
        actual: Class numbers (the positive class of a binary target is 1), or numbers; shape (rows,).
        decided: The model's decisions, alike.
        scores: Probabilities, shape (rows, classes); None for a regression.
        classes: Name of each class.
        value: Prices, where the use case gives any.
    """

    task: Task
    actual: NDArray[np.generic]
    decided: NDArray[np.generic]
    scores: Floats | None = None
    classes: tuple[str, ...] = ()
    value: Value | None = None

    def __len__(self) -> int:
        """Rows."""
        return len(self.actual)

    def take(self, rows: NDArray[np.generic]) -> Predictions:
        """The same for some rows."""
        scores = None if self.scores is None else self.scores[rows]
        return Predictions(self.task, self.actual[rows], self.decided[rows], scores, self.classes, self.value)

    @cached_property
    def worth(self) -> Floats:
        """Worth of each row."""
        if self.value is None:
            raise ValueError("value_per_row needs prices")
        if self.task == "regression":
            return worth_of_errors(self.value, self.actual.astype(float), self.decided.astype(float))
        cells = self.actual.astype(np.int64), self.decided.astype(np.int64)
        return np.asarray(worth_matrix(self.value, self.classes)[cells], dtype=float)

    @cached_property
    def orders(self) -> dict[int, tuple[Ints, Ints]]:
        """Per class: rows by falling score, and the last place of each distinct score."""
        result: dict[int, tuple[Ints, Ints]] = {}
        scores = cast("Floats", self.scores)
        for number in [1] if self.task == "binary" else range(len(self.classes)):
            order = np.argsort(-scores[:, number], kind="stable")
            ends = np.flatnonzero(np.diff(scores[order, number], append=-np.inf))
            result[number] = (order, ends)
        return result


def _confusion(p: Predictions, w: Floats) -> Floats:
    size = len(p.classes)
    cells = p.actual.astype(np.int64) * size + p.decided.astype(np.int64)
    return np.bincount(cells, weights=w, minlength=size * size).astype(float).reshape(size, size)


def _ratio(top: float, bottom: float, otherwise: float = np.nan) -> float:
    return float(top / bottom) if bottom else otherwise


def _cumulated(p: Predictions, w: Floats, number: int) -> tuple[Floats, Floats]:
    """Weight of rows of a class, and of others, at or above each distinct score; NaN where a score is NaN."""
    order, ends = p.orders[number]
    if np.isnan(cast("Floats", p.scores)[order[-1], number]):  # NaN sorts last
        return np.full(len(ends), np.nan), np.full(len(ends), np.nan)
    hits = np.where(p.actual[order] == number, w[order], 0.0)
    true = np.cumsum(hits)[ends]
    return true, np.cumsum(w[order])[ends] - true


def _roc_auc(p: Predictions, w: Floats, number: int = 1) -> float:
    true, false = _cumulated(p, w, number)
    area = np.trapezoid(np.r_[0.0, true], np.r_[0.0, false])
    return _ratio(float(area), float(true[-1] * false[-1]))


def _average_precision(p: Predictions, w: Floats) -> float:
    true, false = _cumulated(p, w, 1)
    seen = true + false
    precision = np.divide(true, seen, out=np.zeros_like(true), where=seen > 0)
    return _ratio(float(np.sum(np.diff(true, prepend=0.0) * precision)), float(true[-1]))


def _log_loss(p: Predictions, w: Floats) -> float:
    scores = cast("Floats", p.scores)
    likelihood = np.clip(scores[np.arange(len(p)), p.actual.astype(np.int64)], EPSILON, 1.0)
    return float(np.average(-np.log(likelihood), weights=w))


def _brier(p: Predictions, w: Floats) -> float:
    return float(np.average((cast("Floats", p.scores)[:, 1] - p.actual.astype(float)) ** 2, weights=w))


def _calibration_error(p: Predictions, w: Floats) -> float:
    """Equal scores stay in one group, that of their middle, so the order of rows cannot matter."""
    order, ends = p.orders[1]
    weight = w[order]
    upto = np.cumsum(weight)
    middle = (upto[ends] + np.r_[0.0, upto[ends[:-1]]]) / 2
    groups = np.minimum(10 * middle / upto[-1], 9).astype(int)
    gaps = np.cumsum((cast("Floats", p.scores)[order, 1] - p.actual[order].astype(float)) * weight)[ends]
    return float(np.abs(np.bincount(groups, weights=np.diff(gaps, prepend=0.0), minlength=10)).sum() / upto[-1])


def _rates(p: Predictions, w: Floats) -> tuple[Floats, Floats, Floats]:
    table = _confusion(p, w)
    return np.diag(table), table.sum(axis=1), table.sum(axis=0)


def _recalls(p: Predictions, w: Floats) -> Floats:
    right, actual, _ = _rates(p, w)
    shares: Floats = np.divide(right, actual, out=np.full(len(right), np.nan), where=actual > 0)
    return shares


def _balanced_accuracy(p: Predictions, w: Floats) -> float:
    recalls = _recalls(p, w)
    return float(np.nanmean(recalls)) if np.isfinite(recalls).any() else float("nan")


def _macro(kind: str) -> Callable[[Predictions, Floats], float]:
    def measure_macro(p: Predictions, w: Floats) -> float:
        right, actual, decided = _rates(p, w)
        bottom = {"recall": actual, "precision": decided, "f1": (actual + decided) / 2}[kind]
        shares = np.divide(right, bottom, out=np.zeros(len(right)), where=bottom > 0)
        present = (actual + decided) > 0
        return float(shares[present].mean())

    return measure_macro


def _of_positive(kind: str) -> Callable[[Predictions, Floats], float]:
    def measure_positive(p: Predictions, w: Floats) -> float:
        (tn, fp), (fn, tp) = _confusion(p, w)
        match kind:
            case "precision":
                return _ratio(tp, tp + fp, 0.0)
            case "recall":
                return _ratio(tp, tp + fn)
            case "specificity":
                return _ratio(tn, tn + fp)
            case "f1":
                return _ratio(2 * tp, 2 * tp + fp + fn, 0.0)
        sides = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return _ratio(tp * tn - fp * fn, float(np.sqrt(sides)), 0.0)

    return measure_positive


def _roc_auc_ovr(p: Predictions, w: Floats) -> float:
    return float(np.mean([_roc_auc(p, w, number) for number in range(len(p.classes))]))


def _accuracy(p: Predictions, w: Floats) -> float:
    return float(np.average(p.actual == p.decided, weights=w))


def _errors(p: Predictions) -> Floats:
    errors: Floats = p.decided.astype(float) - p.actual.astype(float)
    return errors


def _rmse(p: Predictions, w: Floats) -> float:
    return float(np.sqrt(np.average(_errors(p) ** 2, weights=w)))


def _mae(p: Predictions, w: Floats) -> float:
    return float(np.average(np.abs(_errors(p)), weights=w))


def _mape(p: Predictions, w: Floats) -> float:
    scale = np.maximum(np.abs(p.actual.astype(float)), EPSILON)
    return float(np.average(np.abs(_errors(p)) / scale, weights=w))


def _r2(p: Predictions, w: Floats) -> float:
    actual = p.actual.astype(float)
    if np.ptp(actual[w > 0]) == 0:  # the variance below would be a rounding error
        return float("nan")
    spread = np.average((actual - np.average(actual, weights=w)) ** 2, weights=w)
    return 1 - _ratio(float(np.average(_errors(p) ** 2, weights=w)), float(spread))


def _value_per_row(p: Predictions, w: Floats) -> float:
    return float(np.average(p.worth, weights=w))


KERNELS: dict[str, Callable[[Predictions, Floats], float]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "precision": _of_positive("precision"),
    "recall": _of_positive("recall"),
    "specificity": _of_positive("specificity"),
    "f1": _of_positive("f1"),
    "matthews_corrcoef": _of_positive("matthews_corrcoef"),
    "brier_score": _brier,
    "calibration_error": _calibration_error,
    "roc_auc_ovr": _roc_auc_ovr,
    "f1_macro": _macro("f1"),
    "precision_macro": _macro("precision"),
    "recall_macro": _macro("recall"),
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "rmse": _rmse,
    "mae": _mae,
    "mape": _mape,
    "r2": _r2,
    "value_per_row": _value_per_row,
}


def measure(name: str, predictions: Predictions, weight: Floats | None = None) -> float:
    """One metric.

    Args:
        name: A metric of kind ``quality`` or ``value``.
        predictions: What is measured.
        weight: How much each row counts, shape (rows,); all alike when left out.

    Returns:
        The figure; NaN where it is not defined, such as a ROC AUC of one class.
    """
    weight = np.ones(len(predictions)) if weight is None else weight
    return KERNELS[name](predictions, weight) if weight.sum() > 0 else float("nan")


def best_value(predictions: Predictions) -> float:
    """``value_per_row`` of a binary target at the threshold that suits these rows best."""
    worth = worth_matrix(cast("Value", predictions.value), predictions.classes)
    order, ends = predictions.orders[1]
    actual = predictions.actual.astype(np.int64)[order]
    gains = np.cumsum(worth[actual, 1] - worth[actual, 0])[ends]
    return float((worth[actual, 0].sum() + max(0.0, float(gains.max()))) / len(predictions))


def measure_all(names: Iterable[str], predictions: Predictions) -> dict[str, float]:
    """Several metrics of the same predictions."""
    return {name: measure(name, predictions) for name in names}
