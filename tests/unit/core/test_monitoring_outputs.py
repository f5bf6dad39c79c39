from __future__ import annotations

import numpy as np
import pytest

from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.monitoring.outputs import DECISION, SCORE, outputs_profile
from mlops_mlflow.core.profiles import TableProfile

RANDOM = np.random.default_rng(0)


def test_of_two_classes_the_score_is_the_probability_of_the_positive_one() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]])
    found = outputs_profile(Predictions("binary", np.zeros(4), scores.argmax(axis=1), scores, ("no", "yes")))
    score, decision = found.columns
    assert (score.name, decision.name) == (SCORE, DECISION)
    assert (score.minimum, score.maximum, score.rows, score.missing) == (0.1, 0.8, 4, 0)
    assert decision.categories == (("no", 2), ("yes", 2))


def test_of_several_classes_it_is_that_of_the_decided_one() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    found = outputs_profile(Predictions("multiclass", np.zeros(2), np.array([0, 2]), scores, ("a", "b", "c")))
    score, decision = found.columns
    assert (score.minimum, score.maximum) == (0.5, 0.7)
    assert decision.categories == (("a", 1), ("c", 1), ("b", 0)), "also the class that was never decided"
    assert decision.distinct == 2


def test_of_a_regression_it_is_the_number_and_there_is_no_decision() -> None:
    values = RANDOM.normal(size=1000)
    (score,) = outputs_profile(Predictions("regression", values, values)).columns
    assert score.mean == pytest.approx(values.mean())
    assert score.histogram is not None
    counts = score.histogram.counts
    assert (len(counts), sum(counts)) == (20, 1000)
    assert min(counts) >= 45, "bins of equal shares"


@pytest.mark.parametrize("values", [np.full(50, 3.0), np.array([]), np.full(5, np.nan), np.repeat([0.0, 1.0], 25)])
def test_constant_empty_undefined_and_two_values_have_a_profile_too(values: np.ndarray) -> None:
    found = outputs_profile(Predictions("regression", values, values))
    (score,) = found.columns
    assert score.rows == len(values)
    assert score.missing == int(np.isnan(values).sum())
    held = 0 if score.histogram is None else sum(score.histogram.counts)
    assert held == score.rows - score.missing
    assert TableProfile.from_dict(found.to_dict()) == found
