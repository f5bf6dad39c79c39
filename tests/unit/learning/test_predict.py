from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression

from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.learning.predict import in_order, predictions, predictor
from mlops_mlflow.learning.target import Outcomes

TABLE = pd.DataFrame({"x": np.linspace(-1, 1, 30)})


def test_probabilities_stand_in_the_order_of_the_outcomes():
    scores = in_order([[0.2, 0.8]], np.array(["bad", "good"]), Outcomes("binary", ("good", "bad")))
    assert scores.tolist() == [[0.8, 0.2]]


def test_an_outcome_that_the_model_never_saw_has_no_chance():
    scores = in_order([[0.4, 0.6]], np.array(["a", "c"]), Outcomes("multiclass", ("a", "b", "c")))
    assert scores.tolist() == [[0.4, 0.0, 0.6]]


def test_booleans_and_numpy_labels_are_found():
    for classes in (np.array([False, True]), np.array([False, True], dtype=object)):
        assert in_order([[0.1, 0.9]], classes, Outcomes("binary", (False, True))).tolist() == [[0.1, 0.9]]


def test_a_classifier_decides_for_the_most_likely_outcome():
    actual = np.array(["a", "b", "c"])[np.digitize(TABLE["x"], [-0.3, 0.3])]
    model, outcomes = LogisticRegression(C=100).fit(TABLE, actual), Outcomes("multiclass", ("c", "a", "b"))
    decided, scores = predictor(model, outcomes)(TABLE)
    assert decided.tolist() == model.predict(TABLE).tolist()
    assert np.array(outcomes.labels)[scores.argmax(axis=1)].tolist() == decided.tolist()


def test_a_regression_has_numbers_and_no_probabilities():
    decided, scores = predictor(DummyRegressor().fit(TABLE, np.arange(30)), Outcomes("regression"))(TABLE)
    assert scores is None
    assert decided.dtype == float


def test_predictions_hold_numbers_of_classes_scores_and_prices():
    actual = np.where(TABLE["x"] > 0, "yes", "no")
    model, outcomes, value = (
        LogisticRegression().fit(TABLE, actual),
        Outcomes("binary", ("no", "yes")),
        Value(over=1, under=2),
    )
    made = predictions(predictor(model, outcomes), TABLE, actual, outcomes, value)
    assert made.actual.tolist() == (TABLE["x"] > 0).astype(int).tolist()
    assert set(made.decided) <= {0, 1}
    assert made.scores.shape == (30, 2)
    assert (made.classes, made.value, made.task) == (("no", "yes"), value, "binary")
