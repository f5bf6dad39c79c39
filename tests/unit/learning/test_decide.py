from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from mlops_mlflow.core.metrics.measure import measure
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.learning.decide import DECISION_METRICS, STEPS, tune_threshold, with_threshold
from mlops_mlflow.learning.predict import predictions, predictor
from mlops_mlflow.learning.target import Outcomes

PRICES = Value(true_positive=30, false_positive=-10)


class Says(ClassifierMixin, BaseEstimator):
    """Gives column ``p`` as the probability of its greater class."""

    def fit(self, table, actual):
        self.classes_ = np.unique(actual)
        return self

    def predict_proba(self, table):
        return np.c_[1 - table["p"], table["p"]]

    def predict(self, table):
        return self.classes_[(table["p"] > 0.5).astype(int)]


def case(labels=(0, 1), rows=150, seed=0, spread=1.0):
    """A model, rows, outcomes; the chance of the positive label is that which the model gives to it."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"p": (random.random(rows) * spread).round(3)})
    greater = random.random(rows) < table["p"]
    actual = np.where(greater, max(labels), min(labels))
    actual[:2] = labels
    return Says().fit(table, actual), table, actual, Outcomes("binary", labels)


def value_at(threshold, model, table, actual, outcomes, metric="value_per_row", value=PRICES):
    deciding = with_threshold(model, threshold, outcomes, table, actual)
    return measure(metric, predictions(predictor(deciding, outcomes), table, actual, outcomes, value))


def brute_force(model, table, actual, outcomes, metric="value_per_row", value=PRICES):
    cuts = [0.0, *np.unique(model.predict_proba(table)), 1.01]
    return max(value_at(cut, model, table, actual, outcomes, metric, value) for cut in cuts)


@pytest.mark.parametrize("labels", [(0, 1), ("no", "yes"), (False, True), ("good", "bad"), (1, 0)])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_threshold_gives_the_greatest_value_whichever_label_is_positive(labels, seed):
    made = case(labels, seed=seed)
    threshold = tune_threshold(*made, metric="value_per_row", value=PRICES)
    assert value_at(threshold, *made) == pytest.approx(brute_force(*made))


@pytest.mark.parametrize("metric", sorted(DECISION_METRICS - {"value_per_row"}))
def test_a_threshold_can_be_chosen_for_each_decision_metric(metric):
    made = case(("good", "bad"))
    threshold = tune_threshold(*made, metric=metric, value=None)
    assert value_at(threshold, *made, metric, None) == pytest.approx(brute_force(*made, metric, None))


def test_of_many_probabilities_the_quantiles_come_close_to_the_greatest_value():
    random = np.random.default_rng(3)
    model, table, _actual, outcomes = case(rows=3_000)
    table["p"] = table["p"] ** 6 + random.random(3_000) * 1e-6
    assert table["p"].nunique() > STEPS
    made = (model, table, (random.random(3_000) < table["p"]).astype(int), outcomes)
    threshold = tune_threshold(*made, metric="value_per_row", value=PRICES)
    deciding = [value_at(cut, *made) for cut in np.quantile(table["p"], np.linspace(0, 1, 1_000))]
    assert value_at(threshold, *made) >= max(deciding) - 0.02


def test_a_rare_probability_is_tried_too():
    """Quantiles would step over the one row that is worth a yes."""
    table = pd.DataFrame({"p": [0.1] * 2_000 + [0.5, 0.9]})
    actual = np.array([0] * 2_001 + [1])
    model, outcomes = Says().fit(table, actual), Outcomes("binary", (0, 1))
    threshold = tune_threshold(model, table, actual, outcomes, metric="value_per_row", value=PRICES)
    assert 0.5 < threshold <= 0.9


def test_above_one_where_no_is_always_best_and_then_nobody_is_chosen():
    made = case(spread=0.2)
    threshold = tune_threshold(*made, metric="value_per_row", value=Value(true_positive=1, false_positive=-100))
    assert threshold > 1
    model, table, actual, outcomes = made
    deciding = with_threshold(model, threshold, outcomes, table, actual)
    assert set(deciding.predict(table)) == {0}
    assert set(deciding.predict(pd.DataFrame({"p": [1.0]}))) == {0}


def test_zero_where_yes_is_always_best():
    threshold = tune_threshold(*case(), metric="value_per_row", value=Value(true_positive=100, false_positive=1))
    assert threshold == 0


def test_a_model_that_knows_nothing_says_yes_or_no_to_all():
    table, actual = pd.DataFrame({"x": range(10)}), np.array(["no"] * 6 + ["yes"] * 4)
    model, outcomes = DummyClassifier(strategy="prior").fit(table, actual), Outcomes("binary", ("no", "yes"))
    for price, decided in ((-10, "yes"), (-30, "no")):
        value = Value(true_positive=30, false_positive=price)
        threshold = tune_threshold(model, table, actual, outcomes, metric="value_per_row", value=value)
        found = with_threshold(model, threshold, outcomes, table, actual)
        assert set(found.predict(table)) == {decided}


@pytest.mark.parametrize("labels", [(0, 1), ("no", "yes"), ("good", "bad"), (False, True)])
def test_the_predictor_decides_as_the_saved_model_does(labels):
    table = pd.DataFrame({"x": np.linspace(-3, 3, 80)})
    actual = np.where(table["x"] + np.sin(9 * table["x"]) > 0, *labels[::-1])
    outcomes = Outcomes("binary", labels)
    model = LogisticRegression().fit(table, actual)
    deciding = with_threshold(model, 0.3, outcomes, table, actual)
    decided, scores = predictor(deciding, outcomes)(table)
    assert decided.tolist() == deciding.predict(table).tolist()
    assert decided.tolist() == np.array(labels, dtype=object)[(scores[:, 1] >= 0.3).astype(int)].tolist()
    assert (decided != predictor(model, outcomes)(table)[0]).any()


def test_the_threshold_travels_through_skops():
    table = pd.DataFrame({"x": np.linspace(-3, 3, 40)})
    actual = np.where(table["x"] > 0, "bad", "good")
    outcomes = Outcomes("binary", ("good", "bad"))
    deciding = with_threshold(LogisticRegression().fit(table, actual), 0.8, outcomes, table, actual)
    dumped = skops.io.dumps(deciding)
    found = skops.io.get_untrusted_types(data=dumped)
    assert all(name.startswith(("sklearn.", "numpy.")) for name in found)
    loaded = skops.io.loads(dumped, trusted=found)
    assert loaded.predict(table).tolist() == deciding.predict(table).tolist()


def test_giving_a_threshold_fits_nothing():
    model, table, actual, outcomes = case()
    before = model.predict_proba(table)
    with_threshold(model, 0.9, outcomes, table.head(10), actual[:10])
    np.testing.assert_array_equal(model.predict_proba(table), before)
