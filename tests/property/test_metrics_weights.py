from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.metrics.measure import Predictions, best_value, measure
from mlops_mlflow.core.usecase.success import Value

BINARY = sorted(name for name, info in CATALOGUE.items() if info.kind == "quality" and "binary" in info.tasks)
# Few distinct scores, so that ties are the rule.
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=25)


def binary(rows, value=None):
    actual, eighths, counts = (np.array(column) for column in zip(*rows, strict=True))
    scores = eighths / 8
    made = Predictions("binary", actual, (scores >= 0.5).astype(int), np.c_[1 - scores, scores], ("no", "yes"), value)
    return made, counts


@settings(deadline=None)
@given(rows=ROWS)
def test_integer_weights_equal_repeated_rows(rows):
    made, counts = binary(rows)
    repeated = made.take(np.repeat(np.arange(len(made)), counts))
    for name in BINARY:
        assert measure(name, made, counts.astype(float)) == pytest.approx(measure(name, repeated), nan_ok=True)


@settings(deadline=None)
@given(rows=ROWS, seed=st.integers(0, 99))
def test_no_metric_depends_on_the_order_of_rows(rows, seed):
    made, counts = binary(rows)
    order = np.random.default_rng(seed).permutation(len(made))
    for name in BINARY:
        turned = measure(name, made.take(order), counts[order].astype(float))
        assert turned == pytest.approx(measure(name, made, counts.astype(float)), nan_ok=True)


@settings(deadline=None)
@given(rows=ROWS, factor=st.floats(0.01, 100))
def test_no_metric_depends_on_the_unit_of_weights(rows, factor):
    made, counts = binary(rows)
    for name in sorted(set(BINARY) - {"calibration_error"}):  # its groups may tip over at their very edge
        scaled = measure(name, made, counts * factor)
        assert scaled == pytest.approx(measure(name, made, counts.astype(float)), nan_ok=True)


@settings(deadline=None)
@given(rows=ROWS)
def test_roc_auc_is_defined_just_where_scikit_learn_defines_it(rows):
    made, counts = binary(rows)
    kept = made.take(counts > 0)
    figure = measure("roc_auc", made, counts.astype(float))
    if len(set(kept.actual)) < 2:
        assert np.isnan(figure)
    else:
        expected = roc_auc_score(kept.actual, kept.scores[:, 1], sample_weight=counts[counts > 0])
        assert figure == pytest.approx(expected)


@settings(deadline=None)
@given(rows=ROWS, prices=st.tuples(*[st.integers(-5, 5)] * 4))
def test_best_value_is_never_below_that_of_any_threshold(rows, prices):
    names = ("true_positive", "false_positive", "true_negative", "false_negative")
    value = Value(**dict(zip(names, prices, strict=True)))
    made, _ = binary(rows, value)
    scores = made.scores[:, 1]
    figures = [
        measure(
            "value_per_row", Predictions("binary", made.actual, (scores >= cut).astype(int), None, made.classes, value)
        )
        for cut in [*np.unique(scores), 2.0]
    ]
    assert best_value(made) == pytest.approx(max(figures))
