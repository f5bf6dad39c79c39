"""From a candidate of the use case to a scikit-learn estimator."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from typing import Any

from mlops_mlflow.core.errors import CandidateError
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.candidates import Candidate


def estimator_class(name: str, candidate: Candidate) -> type[Any]:
    """Import a candidate's class.

    Raises:
        CandidateError: There is no such module or class, or it is no estimator.
    """
    module_name, class_name = candidate.estimator.rsplit(".", 1)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # also what a package raises that lacks a shared library
        raise CandidateError(
            f"candidate `{name}`: the module of `{candidate.estimator}` cannot be imported",
            expected="an installed module",
            got=str(error),
            hint=_near_module(module_name) or "check the spelling, or add the package to the environment",
        ) from error
    found = getattr(module, class_name, None)
    if found is None:
        near = difflib.get_close_matches(class_name, dir(module), n=1)
        raise CandidateError(
            f"candidate `{name}`: `{module_name}` has no `{class_name}`",
            hint=f"did you mean `{near[0]}`?" if near else f"look at the documentation of {module_name}",
        )
    wanted = ("fit", "get_params", "__sklearn_tags__")
    if not (isinstance(found, type) and all(hasattr(found, method) for method in wanted)):
        raise CandidateError(
            f"candidate `{name}`: `{candidate.estimator}` is not a scikit-learn estimator",
            expected="a class with `fit`, `predict` and `get_params`",
            got=f"a class without {', '.join(method for method in wanted if not hasattr(found, method))}"
            if isinstance(found, type)
            else type(found).__name__,
            hint="derive it from `sklearn.base.BaseEstimator`, or take another estimator",
        )
    return found


def _near_module(name: str) -> str:
    """A hint at the module that may have been meant; empty where none is near."""
    parent, _, last = name.rpartition(".")
    try:
        folder = getattr(importlib.import_module(parent), "__path__", ()) if parent else None
    except ImportError:
        return _near_module(parent)
    near = difflib.get_close_matches(last, [module.name for module in pkgutil.iter_modules(folder)], n=1)
    return f"did you mean `{f'{parent}.' if parent else ''}{near[0]}`?" if near else ""


def build_estimator(name: str, candidate: Candidate, params: dict[str, Any], *, seed: int) -> Any:
    """An unfitted estimator with the candidate's fixed parameters and these; seeded where it can be.

    Raises:
        CandidateError: A parameter does not exist, or the class does not take it.
    """
    kind = estimator_class(name, candidate)
    given = {**candidate.fixed, **params}
    try:
        estimator = kind()
        known = estimator.get_params(deep=True)
        _refuse_unknown(name, candidate, set(given) | set(candidate.space), set(known))
        if "random_state" in known and "random_state" not in given:
            given["random_state"] = seed
        return estimator.set_params(**given)
    except (TypeError, ValueError) as error:
        raise CandidateError(
            f"candidate `{name}`: `{candidate.estimator}` does not take these parameters",
            got=f"{given}: {error}",
            hint="look at `fixed` and `space` of the candidate",
        ) from error


def _refuse_unknown(name: str, candidate: Candidate, given: set[str], known: set[str]) -> None:
    for parameter in sorted(given - known):
        near = difflib.get_close_matches(parameter, known, n=1)
        raise CandidateError(
            f"candidate `{name}`: `{candidate.estimator}` has no parameter `{parameter}`",
            expected=", ".join(sorted(known)),
            hint=f"did you mean `{near[0]}`?" if near else "take it out of `fixed` or `space`",
        )


def check_candidates(candidates: dict[str, Candidate], task: Task | None, *, seed: int) -> None:
    """Refuse candidates that could not be fitted, before any data is read.

    Raises:
        CandidateError: Names the candidate and what is wrong with it.
    """
    for name, candidate in candidates.items():
        estimator = build_estimator(name, candidate, {}, seed=seed)
        if task is not None:
            check_task(name, candidate, estimator, task)


def check_task(name: str, candidate: Candidate, estimator: Any, task: Task) -> None:
    """Refuse what is no classifier for classes, no regressor for numbers, and a classifier without probabilities."""
    from sklearn.base import is_classifier, is_regressor

    if not (is_regressor(estimator) if task == "regression" else is_classifier(estimator)):
        wanted = "regressor" if task == "regression" else "classifier"
        raise CandidateError(
            f"candidate `{name}`: `{candidate.estimator}` is not a {wanted}",
            expected=f"a {wanted}: the target is {task}",
            hint="take another estimator, or declare `target: {task: ...}`",
        )
    if task != "regression" and not hasattr(estimator, "predict_proba"):
        raise CandidateError(
            f"candidate `{name}`: `{candidate.estimator}` gives no probabilities",
            expected="an estimator with `predict_proba`: thresholds, calibration and values need them",
            hint="take another estimator, or parameters under `fixed` with which it gives them",
        )
