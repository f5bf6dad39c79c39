from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest
from builders import every_kind, package
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from mlops_mlflow.core.records import Model
from mlops_mlflow.engines import distributions
from mlops_mlflow.learning.features import build_features, plan_features
from mlops_mlflow.tracking import models

OWN = "import numpy\nimport pandas\n\n\ndef derive(table):\n    return table.assign(twice=2 * table['weak'])\n"
STEP = "import sklearn.base\n\n\nclass Step(sklearn.base.BaseEstimator):\n    pass\n"


def tree(tmp_path, features=OWN, **others):
    """A pipeline with a tree, the code of the use case, and a step of its own."""
    code = package(tmp_path, features, **others)
    frame = every_kind(60)
    plan = plan_features(frame.drop(columns="late"), {}, code, event_time="met")
    pipeline = make_pipeline(
        build_features(plan, code, "binary", "trees_with_gaps", seed=0), DecisionTreeClassifier(max_depth=2)
    )
    example = frame.drop(columns="late")
    return Model("tree", pipeline.fit(example, frame["late"]), example, code=code.folder), code


def names(found):
    return {one.partition("==")[0] for one in found}


@pytest.fixture
def no_scan(monkeypatch):
    def scan():
        raise AssertionError("the whole environment was read")

    monkeypatch.setattr(distributions, "_providers", scan)


@pytest.mark.usefixtures("no_scan")
def test_usual_models_are_pinned_without_reading_the_whole_environment(tmp_path):
    found = models.requirements(tree(tmp_path)[0])
    assert names(found) == set(models.ALWAYS)
    assert f"scikit-learn=={importlib.metadata.version('scikit-learn')}" in found


@pytest.mark.usefixtures("no_scan")
def test_a_step_from_the_code_of_the_model_is_no_distribution(tmp_path):
    model, code = tree(tmp_path, OWN + STEP)
    steps = make_pipeline(code.features.Step(), model.estimator)
    assert names(models.requirements(Model("own", steps, model.example, code=code.folder))) == set(models.ALWAYS)


def test_another_library_of_the_feature_module_is_pinned(tmp_path):
    model, _ = tree(tmp_path, "import yaml\nfrom duckdb import sql\n" + OWN)
    assert names(models.requirements(model)) == {*models.ALWAYS, "PyYAML", "duckdb"}


def test_names_that_are_known_are_those_of_the_environment():
    found = importlib.metadata.packages_distributions()
    installed = {module: name for module, name in distributions.KNOWN.items() if module in found}
    assert {"sklearn", "numpy", "pandas", "mlflow"} <= set(installed)
    assert all(name in found[module] for module, name in installed.items())


def test_a_tree_with_gaps_saves_and_loads_as_it_was(tmp_path):
    model, _ = tree(tmp_path)
    models.save_model(model, tmp_path / "model", run_id="r", model_id="m")
    loaded, size = models.load_folder(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(model.example), model.estimator.predict_proba(model.example))
    assert size > 0
