"""What each stage is given: the use case and the outputs of the stages before it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mlops_mlflow.lifecycle.cache.recall import load_kept
from mlops_mlflow.lifecycle.session import Session
from mlops_mlflow.tracking.models import load_model, model_file


def _design(session: Session) -> Any:
    from mlops_mlflow.stages.design import Inputs

    return Inputs(session.folder.spec, dict(session.known.files))


def _extract(session: Session) -> Any:
    from mlops_mlflow.stages.extract import Inputs

    _ = session.sources.digests  # reads the databases, if the key has not done so
    return Inputs(
        session.folder.spec,
        session.folder.path,
        session.folder.sql,
        session.environment,
        session.scratch,
        session.bounds.since,
        session.bounds.until,
        session.sources.read,
    )


def _explore(session: Session) -> Any:
    from mlops_mlflow.stages.explore import Inputs

    extracted = session.output("extract")
    return Inputs(session.folder.spec, extracted.path, extracted.columns, session.options.evidently)


def _prepare(session: Session) -> Any:
    from mlops_mlflow.stages.prepare import Inputs

    extracted = session.output("extract")
    return Inputs(
        session.folder.spec,
        extracted.path,
        extracted.columns,
        extracted.digest,
        dict(session.known.modules),
        session.scratch,
    )


def _train(session: Session) -> Any:
    from mlops_mlflow.lifecycle.cache.searches import before
    from mlops_mlflow.stages.train import Inputs

    return Inputs(session.output("prepare").problem, before(session))


def _evaluate(session: Session) -> Any:
    import json

    from mlops_mlflow.stages.evaluate import Candidate, Inputs

    prepared = session.output("prepare")
    candidates = tuple(
        Candidate(one.name, one.estimator, one.params, one.mean, one.is_baseline)
        for one in session.output("train").fitted
    )
    return Inputs(prepared.problem, candidates, json.dumps(prepared.reference.to_dict()))


def _validate(session: Session) -> Any:
    from mlops_mlflow.learning.predict import predictor
    from mlops_mlflow.stages.validate import Inputs

    problem, evaluated = session.output("prepare").problem, session.output("evaluate")
    fitted = {one.name: one for one in session.output("train").fitted}
    chosen = evaluated.of(evaluated.chosen)
    loaded, size = load_kept(session, evaluated.model)
    return Inputs(
        problem,
        chosen.name,
        predictor(loaded, problem.outcomes),
        chosen.threshold,
        evaluated.baseline,
        predictor(evaluated.of(evaluated.baseline).model, problem.outcomes),
        _champion(session),
        size,
        fitted[chosen.name].fit_seconds,
        evaluated.choose_by,
        time.perf_counter,
    )


def _champion(session: Session) -> Any:
    """The version in Production, with its predictions loaded only when they are asked for."""
    import json

    from mlops_mlflow.core.splits import SplitPlan
    from mlops_mlflow.learning.predict import predictor
    from mlops_mlflow.stages.validate import Champion

    found = session.champion
    if found is None:
        return None
    outcomes = session.output("prepare").problem.outcomes

    def predict(table: Any) -> Any:
        return predictor(load_model(found.uri, session.scratch / "champion")[0], outcomes)(table)

    plan = model_file(found.uri, "split.json", session.scratch / "champion-files")
    return Champion(found.number, predict, SplitPlan.from_dict(json.loads(plan)) if plan else None)


TAKES: dict[str, tuple[str, ...]] = {
    "explore": ("extract",),
    "prepare": ("extract",),
    "train": ("prepare",),
    "evaluate": ("prepare", "train"),
    "validate": ("prepare", "train", "evaluate"),
}
"""Whose outputs a stage is given."""
WIRING: dict[str, Callable[[Session], Any]] = {
    "design": _design,
    "extract": _extract,
    "explore": _explore,
    "prepare": _prepare,
    "train": _train,
    "evaluate": _evaluate,
    "validate": _validate,
}
