"""Estimators, their parameters and the feature module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LOGISTIC = "sklearn.linear_model.LogisticRegression"


@pytest.mark.parametrize(
    ("candidate", "says"),
    [
        ({"estimator": "xgboostt.XGB"}, ("the module of `xgboostt.XGB` cannot be imported", "check the spelling")),
        ({"estimator": "sklearn.linear_model.LogisticRegresion"}, ("has no `LogisticRegresion`", f"{LOGISTIC[-18:]}")),
        ({"estimator": LOGISTIC, "fixed": {"max_iters": 3}}, ("no parameter `max_iters`", "did you mean `max_iter`?")),
        ({"estimator": "os.path.join"}, ("is not a scikit-learn estimator",)),
        ({"estimator": "sklearn.multiclass.OneVsRestClassifier"}, ("does not take these parameters", "'estimator'")),
    ],
)
def test_a_candidate_that_cannot_be_made_stops_before_data_is_read(
    use_case: Any, refuse: Callable[..., Any], candidate: dict[str, Any], says: tuple[str, ...]
) -> None:
    use_case.save(candidates={"mine": candidate})

    refuse("design", says[0], "candidate `mine`", *says[1:])


@pytest.mark.parametrize("raised", ["OSError('libgomp.so.1: cannot open')", "SystemExit(0)"])
def test_a_package_that_fails_as_it_is_imported_is_told(
    use_case: Any, refuse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, raised: str
) -> None:
    use_case.text("brokenpackage.py", f"raise {raised}\n").save(candidates={"mine": {"estimator": "brokenpackage.X"}})
    monkeypatch.syspath_prepend(str(use_case.path))

    refuse("design", "the module of `brokenpackage.X` cannot be imported")


@pytest.mark.parametrize(
    ("estimator", "says"), [("linear_model.Ridge", "not a classifier"), ("svm.LinearSVC", "gives no probabilities")]
)
def test_an_estimator_of_another_kind_is_refused(
    use_case: Any, refuse: Callable[..., Any], estimator: str, says: str
) -> None:
    use_case.save(candidates={"mine": {"estimator": f"sklearn.{estimator}"}})

    refuse("train", says, "candidate `mine`")


def test_a_declared_task_is_held_against_the_candidates(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(
        target={"column": "minutes", "task": "regression"}, tuning={}, success=[{"metric": "mae", "at_most": 1}]
    )

    refuse("design", "is not a regressor", "the target is regression")


@pytest.mark.parametrize("how", [{"fixed": {"C": -1}}, {"space": {"C": {"uniform": [-2, -1]}}}])
def test_a_value_with_which_every_trial_fails_is_told(
    use_case: Any, refuse: Callable[..., Any], how: dict[str, Any], shell: Any
) -> None:
    use_case.save(candidates={"mine": {"estimator": LOGISTIC, **how}})

    refuse("train", "every trial failed", "mine: InvalidParameterError", "`fixed` and `space`")

    assert {one.info.status for one in shell.runs("trial")} == {"FAILED"}


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def derive(table:\n  return 1", ("features.py:1:", "SyntaxError")),
        ("import os\nimport nopandas\n", ("features.py:2:", "ModuleNotFoundError", "mend the file")),
        ("raise SystemExit(0)\n", ("features.py:1:", "SystemExit")),
        ("derive = 5\n", ("features.py:", "`derive(table)` or `preprocessor(kinds)`")),
        ("def derive(table):\n    return table['nope']\n", ("features.py:2:", "KeyError: 'nope'", "plan, minutes")),
        ("def derive(table):\n    raise OSError(r'\\[/red] <b>')\n", ("features.py:2:", r"OSError: \[/red] <b>")),
        ("import sys\ndef derive(table):\n    sys.exit()\n", ("features.py:3:", "SystemExit")),
        ("def derive(table):\n    return 5\n", ("features.py:", "a pandas DataFrame with 210 rows", "int")),
        ("def derive(table):\n    return table.head(3)\n", ("features.py:", "with 210 rows", "3 rows")),
        ("def derive(table):\n    return table.set_axis([0, 1, 2], axis=1)\n", ("features.py:", "0, 1, 2")),
    ],
)
def test_a_feature_module_that_does_not_work_is_told_with_its_line(
    use_case: Any, refuse: Callable[..., Any], code: str, says: tuple[str, ...]
) -> None:
    use_case.features(code)

    refuse("prepare", *says)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def preprocessor(kinds):\n    return kinds['nope']\n", ("features.py:2:", "KeyError")),
        ("def preprocessor(kinds):\n    return 5\n", ("features.py:", "`fit` and `transform`")),
        ("def derive(table):\n    assert len(table) != 105\n    return table\n", ("features.py:2:", "AssertionError")),
        (
            "from sklearn.preprocessing import FunctionTransformer\n"
            "def preprocessor(kinds):\n    return FunctionTransformer(lambda table: table[['minutes', 'calls']])\n",
            ("cannot be saved without pickle", "top level"),
        ),
    ],
)
def test_a_feature_module_that_fails_while_training_is_told(
    use_case: Any, refuse: Callable[..., Any], code: str, says: tuple[str, ...]
) -> None:
    use_case.features(code)

    refuse("train", *says)


def test_a_kind_of_a_column_that_does_not_exist_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(features={"exclude": ["when"], "kinds": {"nope": "numeric"}})

    refuse("prepare", "`features.kinds` names `nope`", "plan, minutes, calls")
