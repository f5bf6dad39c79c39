from __future__ import annotations

import pytest
from sklearn.base import BaseEstimator

from mlops_mlflow.core.errors import CandidateError
from mlops_mlflow.core.usecase.candidates import Candidate, Distribution
from mlops_mlflow.learning.estimators import build_estimator, check_candidates, estimator_class

LOGISTIC = "sklearn.linear_model.LogisticRegression"
FOREST = "sklearn.ensemble.RandomForestClassifier"


class NotTagged:
    """Not of scikit-learn."""

    def fit(self, table, actual):
        return self

    def get_params(self, deep=True):
        return {}


class Untold(BaseEstimator):
    """An estimator that is neither classifier nor regressor."""

    def fit(self, table, actual):
        return self

    def predict(self, table):
        return table


def candidate(estimator, fixed=None, **space):
    return Candidate(estimator=estimator, fixed=fixed or {}, space=space)


def refused(estimator, task=None, fixed=None, **space):
    with pytest.raises(CandidateError) as caught:
        check_candidates({"mine": candidate(estimator, fixed, **space)}, task, seed=0)
    assert "candidate `mine`" in caught.value.what
    return caught.value


@pytest.mark.parametrize(
    ("estimator", "hint"),
    [
        ("sklearn.linear_modle.LogisticRegression", "did you mean `sklearn.linear_model`?"),
        ("sklern.linear_model.LogisticRegression", "did you mean `sklearn`?"),
        ("qqqzzz.Thing", "check the spelling, or add the package to the environment"),
    ],
)
def test_an_unknown_module_is_told_with_what_may_have_been_meant(estimator, hint):
    error = refused(estimator)
    assert "cannot be imported" in error.what
    assert error.hint == hint


def test_an_unknown_class_is_told_with_what_may_have_been_meant():
    error = refused("sklearn.linear_model.LogisticRegresion")
    assert "`sklearn.linear_model` has no `LogisticRegresion`" in error.what
    assert error.hint == "did you mean `LogisticRegression`?"


@pytest.mark.parametrize(("fixed", "space"), [({"max_itr": 5}, {}), ({}, {"max_itr": Distribution(choice=(1,))})])
def test_an_unknown_parameter_is_told_with_what_may_have_been_meant(fixed, space):
    error = refused(LOGISTIC, None, fixed, **space)
    assert "has no parameter `max_itr`" in error.what
    assert error.hint == "did you mean `max_iter`?"
    assert "max_iter" in error.expected


def test_a_parameter_like_no_other_has_no_suggestion():
    assert refused(LOGISTIC, None, {"qqqzzz": 1}).hint == "take it out of `fixed` or `space`"


@pytest.mark.parametrize("estimator", ["sklearn.metrics.roc_auc_score", "pathlib.Path", f"{__name__}.NotTagged"])
def test_what_is_no_estimator_is_refused(estimator, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, __name__, type("module", (), {"NotTagged": NotTagged}))
    assert "is not a scikit-learn estimator" in refused(estimator).what


def test_an_estimator_that_needs_arguments_is_refused():
    error = refused("sklearn.ensemble.VotingClassifier")
    assert "does not take these parameters" in error.what
    assert "estimators" in error.got


@pytest.mark.parametrize(
    ("estimator", "task", "what"),
    [
        (FOREST, "regression", "is not a regressor"),
        ("sklearn.linear_model.Ridge", "binary", "is not a classifier"),
        ("sklearn.linear_model.Ridge", "multiclass", "is not a classifier"),
        ("sklearn.preprocessing.StandardScaler", "regression", "is not a regressor"),
        ("sklearn.cluster.KMeans", "regression", "is not a regressor"),
        ("sklearn.ensemble.IsolationForest", "binary", "is not a classifier"),
        ("sklearn.svm.LinearSVC", "binary", "gives no probabilities"),
        ("sklearn.linear_model.SGDClassifier", "multiclass", "gives no probabilities"),
    ],
)
def test_an_estimator_for_another_task_is_refused(estimator, task, what):
    assert what in refused(estimator, task).what


def test_parameters_may_bring_the_probabilities():
    check_candidates({"a": candidate("sklearn.linear_model.SGDClassifier", {"loss": "log_loss"})}, "binary", seed=0)


@pytest.mark.parametrize(
    ("estimator", "task"), [(FOREST, "binary"), (LOGISTIC, "multiclass"), ("sklearn.linear_model.Ridge", "regression")]
)
def test_an_estimator_for_the_task_passes(estimator, task):
    check_candidates({"mine": candidate(estimator)}, task, seed=0)


def test_while_the_task_is_not_known_it_is_not_asked_for():
    check_candidates({"a": candidate(FOREST), "b": candidate("sklearn.linear_model.Ridge")}, None, seed=0)


def test_drawn_parameters_win_over_none_and_fixed_ones_stay():
    built = build_estimator("a", candidate(FOREST, {"max_depth": 3}), {"n_estimators": 7}, seed=5)
    assert (built.max_depth, built.n_estimators, built.random_state) == (3, 7, 5)


def test_a_declared_seed_wins_and_an_estimator_without_one_needs_none():
    assert build_estimator("a", candidate(FOREST, {"random_state": 1}), {}, seed=5).random_state == 1
    assert not hasattr(build_estimator("a", candidate("sklearn.naive_bayes.GaussianNB"), {}, seed=5), "random_state")


def test_each_build_is_a_new_estimator():
    one = candidate(FOREST)
    assert build_estimator("a", one, {}, seed=0) is not build_estimator("a", one, {}, seed=0)
    assert estimator_class("a", one) is type(build_estimator("a", one, {}, seed=0))


def test_an_estimator_that_says_neither_is_for_neither(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "untold_module", type("module", (), {"Untold": Untold}))
    assert "is not a regressor" in refused("untold_module.Untold", "regression").what
