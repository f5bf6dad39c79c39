"""What each stage is given: the use case and the outputs of the stages before it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mlops_mlflow.governance.registry import champion
from mlops_mlflow.lifecycle.session import Session
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.models import load_model, model_file


def _design(session: Session) -> Any:
    from mlops_mlflow.stages.design import Inputs

    return Inputs(session.folder.spec, session.folder.files())


def _extract(session: Session) -> Any:
    from mlops_mlflow.stages.extract import Inputs

    data, options = session.folder.spec.data, session.options
    return Inputs(
        session.folder.spec,
        session.folder.path,
        session.folder.sql,
        session.environment,
        session.scratch,
        options.since or data.since,
        options.until or data.until,
    )


def _explore(session: Session) -> Any:
    from mlops_mlflow.stages.explore import Inputs

    extracted = session.done["extract"].output
    return Inputs(session.folder.spec, extracted.path, extracted.columns, session.options.evidently)


def _prepare(session: Session) -> Any:
    from mlops_mlflow.stages.prepare import Inputs

    extracted = session.done["extract"].output
    return Inputs(
        session.folder.spec,
        extracted.path,
        extracted.columns,
        extracted.digest,
        session.folder.modules(),
        session.scratch,
    )


def _train(session: Session) -> Any:
    from mlops_mlflow.stages.train import Inputs

    return Inputs(session.done["prepare"].output.problem)


def _evaluate(session: Session) -> Any:
    import json

    from mlops_mlflow.stages.evaluate import Candidate, Inputs

    prepared = session.done["prepare"].output
    candidates = tuple(
        Candidate(one.name, one.estimator, one.params, one.mean, one.is_baseline)
        for one in session.done["train"].output.fitted
    )
    return Inputs(prepared.problem, candidates, json.dumps(prepared.reference.to_dict()))


def _validate(session: Session) -> Any:
    from mlops_mlflow.learning.predict import predictor
    from mlops_mlflow.stages.validate import Inputs

    problem, evaluated = session.done["prepare"].output.problem, session.done["evaluate"].output
    fitted = {one.name: one for one in session.done["train"].output.fitted}
    chosen = evaluated.of(evaluated.chosen)
    uri = f"models:/{session.library.models[evaluated.model]}"
    with translated(f"load the model {chosen.name} that was just saved", uri=session.tracker.shown_uri):
        loaded, size = load_model(uri, session.scratch / "loaded")
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

    found = champion(session.tracker, session.folder.spec.use_case)
    if found is None:
        return None
    outcomes = session.done["prepare"].output.problem.outcomes

    def predict(table: Any) -> Any:
        return predictor(load_model(found.uri, session.scratch / "champion")[0], outcomes)(table)

    plan = model_file(found.uri, "split.json", session.scratch / "champion-files")
    return Champion(found.number, predict, SplitPlan.from_dict(json.loads(plan)) if plan else None)


WIRING: dict[str, Callable[[Session], Any]] = {
    "design": _design,
    "extract": _extract,
    "explore": _explore,
    "prepare": _prepare,
    "train": _train,
    "evaluate": _evaluate,
    "validate": _validate,
}
