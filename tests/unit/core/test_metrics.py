from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics as sk

from mlops_mlflow.core.metrics.catalogue import CATALOGUE, DEFAULT_METRIC, better, quality_metrics
from mlops_mlflow.core.metrics.measure import KERNELS, Predictions, best_value, measure, measure_all
from mlops_mlflow.core.usecase.success import Value

PRICES = Value(true_positive=30, false_positive=-10, false_negative=-5)


def binary(actual, scores, threshold=0.5, value=None):
    positive = np.asarray(scores, dtype=float)
    decided = (positive >= threshold).astype(int)
    return Predictions("binary", np.asarray(actual), decided, np.c_[1 - positive, positive], ("no", "yes"), value)


def drawn(rows=300, ties=False, seed=0, value=None):
    random = np.random.default_rng(seed)
    scores = random.random(rows)
    scores = scores.round(1) if ties else scores
    return binary((random.random(rows) < scores).astype(int), scores, value=value)


def multiclass(rows=300, seed=0, classes=("a", "b", "c", "d"), seen=None):
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.ones(len(classes)), rows).round(2)
    scores /= scores.sum(axis=1, keepdims=True)
    actual = random.integers(0, seen or len(classes), rows)
    return Predictions("multiclass", actual, scores.argmax(axis=1), scores, classes)


def regression(rows=300, seed=0):
    random = np.random.default_rng(seed)
    actual = random.normal(5, 3, rows)
    return Predictions("regression", actual, actual + random.standard_normal(rows))


def weights(rows, kind, seed=9):
    random = np.random.default_rng(seed)
    return {
        "even": np.ones(rows),
        "real": random.random(rows) + 0.01,
        "counts": random.integers(0, 3, rows).astype(float),
    }[kind]


ORACLES = {
    "roc_auc": lambda p, w: sk.roc_auc_score(p.actual, p.scores[:, 1], sample_weight=w),
    "average_precision": lambda p, w: sk.average_precision_score(p.actual, p.scores[:, 1], sample_weight=w),
    "precision": lambda p, w: sk.precision_score(p.actual, p.decided, sample_weight=w, zero_division=0),
    "recall": lambda p, w: sk.recall_score(p.actual, p.decided, sample_weight=w),
    "specificity": lambda p, w: sk.recall_score(p.actual, p.decided, pos_label=0, sample_weight=w),
    "f1": lambda p, w: sk.f1_score(p.actual, p.decided, sample_weight=w),
    "matthews_corrcoef": lambda p, w: sk.matthews_corrcoef(p.actual, p.decided, sample_weight=w),
    "brier_score": lambda p, w: sk.brier_score_loss(p.actual, p.scores[:, 1], sample_weight=w),
    "roc_auc_ovr": lambda p, w: np.mean(
        [sk.roc_auc_score(p.actual == c, p.scores[:, c], sample_weight=w) for c in range(len(p.classes))]
    ),
    "f1_macro": lambda p, w: sk.f1_score(p.actual, p.decided, average="macro", sample_weight=w),
    "precision_macro": lambda p, w: sk.precision_score(p.actual, p.decided, average="macro", sample_weight=w),
    "recall_macro": lambda p, w: sk.recall_score(p.actual, p.decided, average="macro", sample_weight=w),
    "accuracy": lambda p, w: sk.accuracy_score(p.actual, p.decided, sample_weight=w),
    "balanced_accuracy": lambda p, w: sk.balanced_accuracy_score(p.actual, p.decided, sample_weight=w),
    "log_loss": lambda p, w: sk.log_loss(p.actual, p.scores, labels=range(len(p.classes)), sample_weight=w),
    "rmse": lambda p, w: sk.root_mean_squared_error(p.actual, p.decided, sample_weight=w),
    "mae": lambda p, w: sk.mean_absolute_error(p.actual, p.decided, sample_weight=w),
    "mape": lambda p, w: sk.mean_absolute_percentage_error(p.actual, p.decided, sample_weight=w),
    "r2": lambda p, w: sk.r2_score(p.actual, p.decided, sample_weight=w),
}
MADE = {
    "binary": [drawn(), drawn(ties=True), drawn(rows=7, seed=3)],
    "multiclass": [multiclass(), multiclass(rows=40, seed=4)],
    "regression": [regression(), regression(rows=5, seed=5)],
}


def calibration_oracle(p, counts):
    """Repeat rows, sort, cut ten groups by middle rank of equal scores, in exact fractions of ranks."""
    rows = sorted(
        (float(s), int(a)) for s, a, n in zip(p.scores[:, 1], p.actual, counts, strict=True) for _ in range(n)
    )
    groups = {}
    for score, actual in rows:
        above = sum(other > score for other, _ in rows)
        equal = sum(other == score for other, _ in rows)
        group = min(int((above + Fraction(equal, 2)) / len(rows) * 10), 9)
        groups.setdefault(group, []).append(score - actual)
    return sum(abs(sum(gaps)) for gaps in groups.values()) / len(rows)


def test_every_measured_metric_has_a_kernel_and_an_oracle():
    measured = {name for name, info in CATALOGUE.items() if info.kind in ("quality", "value")}
    assert set(KERNELS) == measured
    assert measured - set(ORACLES) == {"calibration_error", "value_per_row"}


@pytest.mark.parametrize("kind", ["even", "real", "counts"])
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_metric_equals_scikit_learn(name, kind):
    for task in CATALOGUE[name].tasks:
        for made in MADE[task]:
            weight = weights(len(made), kind)
            assert measure(name, made, weight) == pytest.approx(ORACLES[name](made, weight), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_weights_are_counts_of_rows(name):
    counts = weights(300, "counts").astype(int)
    for task in CATALOGUE[name].tasks:
        made = {"binary": drawn(ties=True, value=PRICES), "multiclass": multiclass(), "regression": regression()}[task]
        if name == "value_per_row" and task != "binary":
            continue
        repeated = made.take(np.repeat(np.arange(len(made)), counts))
        assert measure(name, made, counts.astype(float)) == pytest.approx(measure(name, repeated), rel=1e-12)


def test_a_class_without_rows_in_a_draw_is_left_out_of_macro_means():
    made = multiclass(classes=("a", "b", "c"))
    weight = ((made.actual != 2) & (made.decided != 2)).astype(float)
    kept = made.take(weight > 0)
    for average, name in (("f1", "f1_macro"), ("precision", "precision_macro"), ("recall", "recall_macro")):
        oracle = getattr(sk, f"{average}_score")(kept.actual, kept.decided, average="macro")
        assert measure(name, made, weight) == pytest.approx(oracle)


def test_recall_macro_counts_a_class_that_is_only_decided_as_zero():
    made = Predictions("multiclass", np.array([0, 1, 1]), np.array([0, 1, 2]), np.eye(3), ("a", "b", "c"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = sk.recall_score(made.actual, made.decided, average="macro")
    assert measure("recall_macro", made) == pytest.approx(oracle)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "recall"])
def test_without_a_positive_row_it_is_not_defined(name):
    assert np.isnan(measure(name, binary([0, 0, 0], [0.1, 0.6, 0.9])))


@pytest.mark.parametrize("name", ["roc_auc", "specificity"])
def test_without_a_negative_row_it_is_not_defined(name):
    assert np.isnan(measure(name, binary([1, 1], [0.1, 0.9])))


@pytest.mark.parametrize(("name", "figure"), [("precision", 0.0), ("f1", 0.0), ("matthews_corrcoef", 0.0)])
def test_without_a_positive_decision_it_is_zero_as_in_scikit_learn(name, figure):
    assert measure(name, binary([0, 1, 0], [0.1, 0.2, 0.3])) == figure


def test_one_class_balanced_accuracy_is_its_recall():
    assert measure("balanced_accuracy", binary([1, 1, 1, 1], [0.9, 0.1, 0.8, 0.7])) == 0.75


def test_constant_scores_separate_nothing():
    made = binary([0, 1, 1, 0], [0.3] * 4)
    assert measure("roc_auc", made) == 0.5
    assert measure("average_precision", made) == 0.5


@pytest.mark.parametrize("name", sorted(set(KERNELS) - {"value_per_row"}))
def test_without_weight_nothing_is_defined(name):
    task = sorted(CATALOGUE[name].tasks)[0]
    made = MADE[task][0]
    assert np.isnan(measure(name, made, np.zeros(len(made))))


def test_of_no_rows_nothing_is_defined():
    assert np.isnan(measure("rmse", regression().take(np.array([], dtype=int))))
    assert np.isnan(measure("roc_auc", drawn().take(np.array([], dtype=int))))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error"])
def test_a_score_that_is_no_number_gives_no_figure(name):
    assert np.isnan(measure(name, binary([0, 1, 0, 1], [0.1, np.nan, 0.3, 0.8])))


def test_log_loss_of_an_impossible_outcome_is_finite():
    assert measure("log_loss", binary([1, 0], [0.0, 1.0])) == pytest.approx(
        sk.log_loss([1, 0], [[1.0, 0.0], [0.0, 1.0]], labels=[0, 1])
    )


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 / 3])
def test_r2_of_a_constant_outcome_is_not_defined(constant):
    """The mean of equal numbers differs from them in the last bit; the figure would be a huge negative number."""
    made = Predictions("regression", np.full(7, constant), np.arange(7.0))
    assert np.isnan(measure("r2", made))
    assert np.isnan(measure("r2", made, np.array([0.3, 0.7, 0.1, 0, 0, 0.9, 0.2])))


def test_r2_sees_only_rows_that_weigh():
    made = Predictions("regression", np.array([0.1] * 7 + [5.0]), np.arange(8.0))
    assert np.isnan(measure("r2", made, np.array([0.3, 0.7, 0.1, 0, 0, 0.9, 0.2, 0])))


def test_mape_of_a_zero_outcome_equals_scikit_learn():
    made = Predictions("regression", np.array([0.0, 2.0]), np.array([1.0, 1.0]))
    assert measure("mape", made) == pytest.approx(sk.mean_absolute_percentage_error([0, 2], [1, 1]))


@pytest.mark.parametrize("kind", ["even", "counts"])
@pytest.mark.parametrize("made", [drawn(97), drawn(97, ties=True), drawn(4), drawn(15, seed=8)])
def test_calibration_error_equals_brute_force(made, kind):
    counts = weights(len(made), kind).astype(int)
    assert measure("calibration_error", made, counts.astype(float)) == pytest.approx(calibration_oracle(made, counts))


def test_calibration_error_of_one_score_is_its_gap_to_the_rate_in_any_order():
    """Ranks would cut equal scores into a group of negatives and one of positives, and call a perfect score wrong."""
    assert measure("calibration_error", binary([0] * 10 + [1] * 10, [0.5] * 20)) == pytest.approx(0)
    assert measure("calibration_error", binary([0] * 15 + [1] * 5, [0.5] * 20)) == pytest.approx(0.25)


def test_calibration_error_does_not_depend_on_the_order_of_rows():
    made = drawn(ties=True)
    turned = made.take(np.arange(len(made))[::-1])
    assert measure("calibration_error", turned) == pytest.approx(measure("calibration_error", made))


def test_calibration_error_of_distinct_scores_makes_ten_equal_groups():
    scores = np.linspace(0.01, 0.99, 50)
    made = binary((scores > 0.5).astype(int), scores)
    gaps = (scores - made.actual).reshape(10, 5).sum(axis=1)
    assert measure("calibration_error", made) == pytest.approx(np.abs(gaps).sum() / 50)


def test_calibration_error_is_small_where_rates_follow_scores_and_large_where_not():
    honest = drawn(5_000)
    boastful = binary(honest.actual, np.where(honest.scores[:, 1] > 0.5, 0.999, 0.001))
    assert measure("calibration_error", honest) < 0.03
    assert measure("calibration_error", boastful) > 0.2


def test_value_of_a_binary_target_prices_each_outcome():
    made = binary([1, 0, 1, 0], [0.9, 0.9, 0.1, 0.1], value=PRICES)
    assert measure("value_per_row", made) == (30 - 10 - 5 + 0) / 4


def test_value_without_prices_is_an_error():
    with pytest.raises(ValueError, match="prices"):
        measure("value_per_row", drawn())


@pytest.mark.parametrize("seed", range(5))
def test_best_value_equals_brute_force_over_thresholds(seed):
    made = drawn(40, ties=bool(seed % 2), seed=seed, value=PRICES)
    thresholds = [*np.unique(made.scores[:, 1]), 2.0]
    brute = max(
        measure("value_per_row", binary(made.actual, made.scores[:, 1], threshold, PRICES)) for threshold in thresholds
    )
    assert best_value(made) == pytest.approx(brute)


def test_best_value_says_no_where_yes_never_pays():
    made = drawn(value=Value(true_positive=-1, false_positive=-2, false_negative=0.5))
    assert best_value(made) == pytest.approx(0.5 * made.actual.mean())


def test_taking_rows_takes_outcomes_decisions_and_scores_together():
    made = drawn(value=PRICES)
    some = made.take(np.array([5, 2]))
    assert some.actual.tolist() == made.actual[[5, 2]].tolist()
    assert some.scores.tolist() == made.scores[[5, 2]].tolist()
    assert (len(some), some.value, some.classes) == (2, PRICES, ("no", "yes"))


def test_measure_all_gives_each_metric_its_own_figure():
    made = drawn()
    assert measure_all(["roc_auc", "f1"], made) == {name: measure(name, made) for name in ("roc_auc", "f1")}


def test_better_follows_the_direction_and_never_prefers_a_figure_that_is_not_defined():
    assert better("roc_auc", 0.8, 0.7)
    assert better("rmse", 0.7, 0.8)
    assert not better("rmse", 0.8, 0.7)
    assert not better("roc_auc", 0.7, 0.7)
    assert not better("roc_auc", float("nan"), 0.1)


def test_each_task_has_a_default_metric_among_its_own():
    for task, name in DEFAULT_METRIC.items():
        assert name in quality_metrics(task)
    assert "value_per_row" not in quality_metrics("binary")
    assert "rmse" not in quality_metrics("binary")
