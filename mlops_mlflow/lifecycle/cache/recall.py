"""Outputs of stages from what their runs kept, for the stages behind them that have to run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlops_mlflow.tracking.results import GoneError, Result, fetch, fetch_model
from mlops_mlflow.tracking.writer import SAVED

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.session import Session


def recall(session: Session, stage: str, result: Result) -> Any:
    """The output of a stage that ran earlier.

    Raises:
        GoneError: What it is made of is not there any more.
    """
    try:
        return _RECALL[stage](session, result)
    except (KeyError, ValueError, TypeError) as error:
        raise GoneError(f"what the run {result.run_id[:8]} kept cannot be read: {error}") from error


def _file(session: Session, result: Result, path: str) -> Any:
    return fetch(session.tracker, result, path, session.scratch / "kept")


def _json(session: Session, result: Result, path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_file(session, result, path).read_text(encoding="utf-8"))
    return content


def load_kept(session: Session, name: str) -> tuple[Any, float]:
    """A model that this lifecycle logged or took over, and the size of its files in MB."""
    from mlops_mlflow.tracking.models import load_folder

    folders = session.scratch / SAVED, session.scratch / "kept-models"
    return load_folder(fetch_model(session.tracker, name, session.library.stored[name], *folders))


def _design(session: Session, result: Result) -> Any:  # noqa: ARG001  # as its siblings
    from mlops_mlflow.stages.design import from_dict

    return from_dict(dict(result.facts))


def _extract(session: Session, result: Result) -> Any:
    from mlops_mlflow.stages.extract import from_dict

    return from_dict(dict(result.facts), _file(session, result, "dataset.parquet"))


def _explore(session: Session, result: Result) -> Any:
    from mlops_mlflow.stages.explore import from_dict

    return from_dict(dict(result.facts), _json(session, result, "profile.json"))


def _prepare(session: Session, result: Result) -> Any:
    from mlops_mlflow.learning.package import build_package
    from mlops_mlflow.stages.prepare import Setting, from_dict

    spec, data = session.folder.spec, session.output("extract")
    package = build_package(spec.use_case, dict(session.known.modules), spec.features.module, session.scratch)
    setting = Setting(spec, data.path, data.columns, data.digest, package)
    parts, reference = _file(session, result, "parts.parquet"), _json(session, result, "reference_profile.json")
    return from_dict(dict(result.facts), setting, parts, reference)


def _train(session: Session, result: Result) -> Any:
    from mlops_mlflow.stages.train import from_dict

    session.output("prepare")  # the models' own code has to be there before they are
    names = [one["name"] for one in result.facts["fitted"]]
    return from_dict(dict(result.facts), {name: load_kept(session, name)[0] for name in names})


def _evaluate(session: Session, result: Result) -> Any:
    from mlops_mlflow.learning.decide import deciding
    from mlops_mlflow.learning.kept import FILE, from_parquet
    from mlops_mlflow.stages.evaluate import from_dict

    problem, baseline = session.output("prepare").problem, result.facts["baseline"]
    estimator = next(one.estimator for one in session.output("train").fitted if one.name == baseline)
    threshold = next(one["threshold"] for one in result.facts["judged"] if one["name"] == baseline)
    rows = problem.rows("validation")
    models = {baseline: deciding(estimator, threshold, problem.outcomes, rows.table, rows.actual)}
    made = {one.name: one.made for one in from_parquet(_file(session, result, FILE))}
    return from_dict(dict(result.facts), models, made)


def _validate(session: Session, result: Result) -> Any:
    from mlops_mlflow.learning.kept import FILE, from_parquet
    from mlops_mlflow.stages.validate import from_dict

    made = next(one.made for one in from_parquet(_file(session, result, FILE)) if one.role == "chosen")
    return from_dict(dict(result.facts), made)


_RECALL: Mapping[str, Callable[[Session, Result], Any]] = {
    "design": _design,
    "extract": _extract,
    "explore": _explore,
    "prepare": _prepare,
    "train": _train,
    "evaluate": _evaluate,
    "validate": _validate,
}
