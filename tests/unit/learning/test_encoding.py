from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from builders import every_kind, package
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlops_mlflow.learning.encoding import encoding_for
from mlops_mlflow.learning.features import build_features, fit_features, plan_features

LINEAR = LogisticRegression()
PREPROCESSOR = """
from sklearn.preprocessing import StandardScaler

def preprocessor(kinds):
    return StandardScaler()
"""


class Boosting(HistGradientBoostingClassifier):
    """Somebody's own."""


Foreign = type("LGBMClassifier", (BaseEstimator,), {"__module__": "lightgbm.sklearn"})
Namesake = type("Model", (BaseEstimator,), {"__module__": "xgboosted.models"})
TREES = (
    HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
    RandomForestClassifier(5, random_state=0),
    ExtraTreesClassifier(5, random_state=0),
    DecisionTreeClassifier(random_state=0),
    GradientBoostingClassifier(n_estimators=5),
)


def encoded(tmp_path, frame, actual, estimator, task="binary", **plan):
    code = package(tmp_path)
    planned = plan_features(frame, {}, code, event_time=plan.get("event_time"))
    features = build_features(planned, code, task, encoding_for(estimator, code), seed=0)
    return features, fit_features(features, frame, actual)


@pytest.mark.parametrize(
    ("estimator", "encoding"),
    [
        (HistGradientBoostingClassifier(), "trees_with_gaps"),
        (RandomForestClassifier(), "trees_with_gaps"),
        (DecisionTreeClassifier(), "trees_with_gaps"),
        (ExtraTreesRegressor(), "trees_with_gaps"),
        (GradientBoostingClassifier(), "trees"),
        (Boosting(), "trees_with_gaps"),
        (Foreign(), "trees"),
        (Namesake(), "one_hot"),
        (LINEAR, "one_hot"),
        (Ridge(), "one_hot"),
        (KNeighborsClassifier(metric="nan_euclidean"), "one_hot"),
        (AdaBoostClassifier(), "one_hot"),
        (BaggingClassifier(LINEAR), "one_hot"),
        (VotingClassifier([("linear", LINEAR)]), "one_hot"),
        (StackingClassifier([("linear", LINEAR)]), "one_hot"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_trees_and_only_they_get_the_encoding_of_trees(tmp_path, estimator, encoding):
    assert encoding_for(estimator, package(tmp_path)) == encoding


def test_a_preprocessor_of_the_use_case_is_for_every_estimator(tmp_path):
    code = package(tmp_path, PREPROCESSOR)
    assert {encoding_for(estimator, code) for estimator in (LINEAR, *TREES)} == {"own"}


@pytest.mark.parametrize("estimator", TREES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("gaps", [True, False])
def test_trees_predict_rows_with_and_without_gaps_and_survive_skops(tmp_path, estimator, gaps):
    frame = every_kind(300)
    if not gaps:
        frame = frame.dropna().reset_index(drop=True)
    features, made = encoded(tmp_path, frame.drop(columns="late"), frame["late"].to_numpy(), estimator)
    fitted = make_pipeline(features, estimator.fit(made, frame["late"]))
    odd = every_kind(40, seed=1).drop(columns="late")
    odd.loc[:3, "narrow"] = "never seen"
    odd.loc[:3, "wide"] = None
    odd.loc[:3, "strong"] = np.inf
    dumped = skops.io.dumps(fitted)
    loaded = skops.io.loads(dumped, trusted=skops.io.get_untrusted_types(data=dumped))
    scores = fitted.predict_proba(odd)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(loaded.predict_proba(odd), scores)


def test_each_category_is_one_number_for_a_tree(tmp_path):
    frame = every_kind(300)[["narrow", "wide", "weak"]]
    _, made = encoded(tmp_path, frame, np.arange(300) % 2, DecisionTreeClassifier())
    assert made.shape == (300, 3)


def test_missing_never_seen_and_each_of_few_categories_stay_apart(tmp_path):
    frame = pd.DataFrame({"few": ["a", "b", "c", None] * 10})
    features, _ = encoded(tmp_path, frame, np.arange(40) % 2, DecisionTreeClassifier())
    found = features.transform(pd.DataFrame({"few": ["a", "b", "c", None, "never seen", ""]}))[:, 0]
    assert len(set(found[:5])) == 5
    assert found[4] == found[5] == -1


def test_many_categories_are_ordered_by_their_outcomes(tmp_path):
    random = np.random.default_rng(0)
    rates = random.permutation(np.linspace(0.05, 0.95, 20))
    which = random.integers(0, 20, 8_000)
    late = (random.random(8_000) < rates[which]).astype(int)
    frame = pd.DataFrame({"town": [f"t{number}" for number in which]})
    features, _ = encoded(tmp_path, frame, late, DecisionTreeClassifier())
    towns = pd.DataFrame({"town": [f"t{number}" for number in np.argsort(rates)]})
    found = features.transform(towns)[:, 0]
    assert np.corrcoef(np.arange(20), np.argsort(np.argsort(found)))[0, 1] > 0.98
    unseen = features.transform(pd.DataFrame({"town": ["never seen"]}))[0, 0]
    assert unseen == pytest.approx(late.mean(), abs=0.01)


def test_missing_tells_a_tree_something_when_there_are_many_categories(tmp_path):
    town = np.where(np.arange(400) % 4 == 0, None, np.char.add("t", (np.arange(400) % 10).astype(str)))
    late = (np.arange(400) % 4 == 0).astype(int)
    features, _ = encoded(tmp_path, pd.DataFrame({"town": town}), late, DecisionTreeClassifier())
    missing, known = features.transform(pd.DataFrame({"town": [None, "t1"]}))[:, 0]
    assert missing - known > 0.9


def test_gaps_stay_where_the_tree_takes_them_and_are_filled_and_marked_where_not(tmp_path):
    frame = pd.DataFrame({"x": [1.0, np.nan, 3.0, np.inf] * 10})
    _, kept = encoded(tmp_path, frame, np.arange(40) % 2, DecisionTreeClassifier())
    np.testing.assert_array_equal(np.isnan(kept[:4, 0]), [False, True, False, True])
    _, filled = encoded(tmp_path, frame, np.arange(40) % 2, GradientBoostingClassifier())
    assert np.isfinite(filled).all()
    assert filled.shape == (40, 2)


def test_a_tree_that_counts_in_float32_tells_near_and_large_numbers_apart(tmp_path):
    frame = pd.DataFrame({"second": 1_700_000_000 + np.arange(64)})
    actual = np.arange(64) // 8 % 2
    tree = DecisionTreeClassifier(random_state=0)
    _, made = encoded(tmp_path, frame, actual, tree)
    assert (tree.fit(made, actual).predict(made) == actual).all()
    plain = tree.fit(frame, actual).predict(frame)
    assert (plain != actual).any(), "otherwise this would prove nothing"


def test_several_classes_and_numbers_as_outcomes(tmp_path):
    frame = pd.DataFrame({"town": [f"t{number % 10}" for number in range(200)]})
    _, made = encoded(tmp_path, frame, np.arange(200) % 3, DecisionTreeClassifier(), "multiclass")
    assert made.shape == (200, 3)
    _, made = encoded(tmp_path, frame, np.arange(200.0) % 10, DecisionTreeRegressor(), "regression")
    np.testing.assert_allclose(made[:, 0], np.arange(200) % 10, atol=1)
