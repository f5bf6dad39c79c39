from __future__ import annotations

import numpy as np
import pytest
from builders import every_kind, problem
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

from mlops_mlflow.learning.importance import FIT_ROWS, NOISE, importances

HOOKS = """
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

def derive(table):
    return table.assign(hidden=table["strong"].fillna(0) * 2).drop(columns="strong")

def preprocessor(kinds):
    return ColumnTransformer([("numbers", StandardScaler(), ["hidden", "weak"])])
"""


def weighed(tmp_path, frame=None, hooks=None, estimator=None, metric="roc_auc", **changes):
    found = problem(tmp_path, every_kind(400) if frame is None else frame, hooks, **changes)
    estimator = LogisticRegression(max_iter=500) if estimator is None else estimator
    return importances(found, estimator, found.rows("train"), found.rows("validation"), metric=metric)


def test_a_strong_column_is_on_top_and_noise_far_below(tmp_path):
    rows = weighed(tmp_path)
    by_name = {row.column: row for row in rows}
    assert rows[0].column == "strong"
    assert by_name["strong"].mean > 0.2
    assert abs(by_name[NOISE].mean) < 0.05
    assert set(by_name) == {"strong", "weak", "flag", "narrow", "wide", "story", "built", "met", NOISE}
    assert all(row.spread >= 0 for row in rows)
    assert [row.mean for row in rows] == sorted((row.mean for row in rows), reverse=True)


def test_hooks_are_weighed_by_the_columns_of_the_dataset(tmp_path):
    rows = weighed(tmp_path, every_kind(400)[["strong", "weak", "late"]], HOOKS)
    assert next(row.column for row in rows) == "strong"
    assert {row.column for row in rows} == {"strong", "weak", NOISE}
    assert abs({row.column: row.mean for row in rows}[NOISE]) < 0.05


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_a_loss_is_positive_whichever_way_the_metric_points(tmp_path, metric):
    frame = every_kind(300)[["strong", "weak"]].fillna(0)
    frame["late"] = 3 * frame["strong"] + np.random.default_rng(0).normal(size=300)
    changes = {"success": [{"metric": "rmse", "at_most": 9}]}
    rows = weighed(tmp_path, frame, estimator=Ridge(), metric=metric, **changes)
    assert rows[0].column == "strong"
    assert rows[0].mean > 0.5


def test_words_as_outcomes_are_weighed_too(tmp_path):
    frame = every_kind(300).assign(late=lambda found: np.where(found["late"] == 1, "bad", "good"))
    assert weighed(tmp_path, frame, target={"column": "late", "positive": "bad"})[0].column == "strong"


def test_same_seed_same_importances(tmp_path):
    assert weighed(tmp_path, seed=3) == weighed(tmp_path, seed=3)


def test_neither_estimator_nor_rows_are_changed(tmp_path):
    found = problem(tmp_path, every_kind(200))
    train, judge, estimator = found.rows("train"), found.rows("validation"), LogisticRegression(max_iter=500)
    kept = train.table.copy()
    importances(found, estimator, train, judge, metric="roc_auc")
    assert NOISE not in train.table
    assert train.table.equals(kept)
    assert len(train) < FIT_ROWS


def test_a_tree_is_weighed_with_the_features_that_it_is_fitted_on(tmp_path):
    rows = weighed(tmp_path, every_kind(400), estimator=HistGradientBoostingClassifier(max_iter=20))
    assert rows[0].column == "strong"
    assert rows[0].mean > 0.2
    seen = weighed(tmp_path, every_kind(400)[["strong", "weak", "late"]], estimator=(tree := Watched(max_depth=3)))
    assert len(seen) == 3
    assert tree.columns == 3, "a number per column and the noise, gaps not filled and marked"
    assert tree.gaps


class Watched(DecisionTreeClassifier):
    """A tree that remembers what it was fitted on."""

    def fit(self, X, y):
        self.columns, self.gaps = X.shape[1], bool(np.isnan(X).any())
        return super().fit(X, y)
