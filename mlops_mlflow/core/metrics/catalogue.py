"""Every metric that a use case may name: its tasks, its direction, what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mlops_mlflow.core.usecase.base import Task

Kind = Literal["quality", "value", "technical", "fairness"]


@dataclass(frozen=True)
class MetricInfo:
    """One metric.

    Attributes:
        name: As in a use case and as logged.
        tasks: Where it is defined.
        higher_is_better: Its direction.
        kind: ``quality`` and ``value`` are measured on predictions, ``technical`` on the model, ``fairness`` on groups.
        description: What it says, for readers of cards.
    """

    name: str
    tasks: frozenset[Task]
    higher_is_better: bool
    kind: Kind
    description: str


BINARY: frozenset[Task] = frozenset({"binary"})
MULTICLASS: frozenset[Task] = frozenset({"multiclass"})
REGRESSION: frozenset[Task] = frozenset({"regression"})
CLASSES = BINARY | MULTICLASS
ALL = CLASSES | REGRESSION

_TABLE: Iterable[tuple[str, frozenset[Task], bool, Kind, str]] = (
    ("roc_auc", BINARY, True, "quality", "chance that a positive row scores above a negative one"),
    ("average_precision", BINARY, True, "quality", "area under precision over recall"),
    ("precision", BINARY, True, "quality", "share of positive decisions that were right"),
    ("recall", BINARY, True, "quality", "share of positive rows that were found"),
    ("specificity", BINARY, True, "quality", "share of negative rows that were left alone"),
    ("f1", BINARY, True, "quality", "harmonic mean of precision and recall"),
    ("matthews_corrcoef", BINARY, True, "quality", "correlation of decision and outcome"),
    ("brier_score", BINARY, False, "quality", "mean squared error of the probability"),
    ("calibration_error", BINARY, False, "quality", "mean gap between probability and rate, over ten equal groups"),
    ("roc_auc_ovr", MULTICLASS, True, "quality", "mean over classes of the one-versus-rest ROC AUC"),
    ("f1_macro", MULTICLASS, True, "quality", "mean over classes of F1"),
    ("precision_macro", MULTICLASS, True, "quality", "mean over classes of precision"),
    ("recall_macro", MULTICLASS, True, "quality", "mean over classes of recall"),
    ("accuracy", CLASSES, True, "quality", "share of decisions that were right"),
    ("balanced_accuracy", CLASSES, True, "quality", "mean over classes of the share found"),
    ("log_loss", CLASSES, False, "quality", "mean negative logarithm of the probability of what happened"),
    ("rmse", REGRESSION, False, "quality", "root of the mean squared error"),
    ("mae", REGRESSION, False, "quality", "mean absolute error"),
    ("mape", REGRESSION, False, "quality", "mean absolute error as a share of the outcome"),
    ("r2", REGRESSION, True, "quality", "share of the variance that is explained"),
    ("value_per_row", ALL, True, "value", "mean worth of a decision, at the prices of the use case"),
    ("latency_p95_ms", ALL, False, "technical", "95th percentile of the time for a single row on one thread, ms"),
    ("model_size_mb", ALL, False, "technical", "size of the model's files, MB"),
    ("training_seconds", ALL, False, "technical", "time of the final fit, s"),
    ("demographic_parity_difference", BINARY, False, "fairness", "largest gap in the rate of positive decisions"),
    ("demographic_parity_ratio", BINARY, True, "fairness", "smallest ratio of the rates of positive decisions"),
    ("equalized_odds_difference", BINARY, False, "fairness", "largest gap in true or false positive rate"),
    ("equalized_odds_ratio", BINARY, True, "fairness", "smallest ratio of true or false positive rates"),
    ("equal_opportunity_difference", BINARY, False, "fairness", "largest gap in true positive rate"),
)

CATALOGUE: dict[str, MetricInfo] = {row[0]: MetricInfo(*row) for row in _TABLE}

DEFAULT_METRIC: dict[Task, str] = {"binary": "roc_auc", "multiclass": "roc_auc_ovr", "regression": "rmse"}


def better(name: str, left: float, right: float) -> bool:
    """Whether ``left`` is the better figure of this metric; NaN is never better."""
    return left > right if CATALOGUE[name].higher_is_better else left < right


def quality_metrics(task: Task) -> tuple[str, ...]:
    """Names of the metrics measured on predictions of this task, without those that need prices."""
    return tuple(info.name for info in CATALOGUE.values() if task in info.tasks and info.kind == "quality")
