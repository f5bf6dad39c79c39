"""The run that ``mlflow run`` created for this process, where it did."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import Tracker

RUN_ID = "MLFLOW_RUN_ID"


def adopt_or_create(tracker: Tracker, name: str, tags: Mapping[str, str], environment: MutableMapping[str, str]) -> str:
    """The run of a lifecycle: the launcher's, or a new one.

    ``mlflow run`` creates a run before our code starts and hands over its id. Where that run is in the use case's
    experiment it becomes the lifecycle's; where it is in another (MLflow's Default), it gets a pointer to it.
    The id is taken out of the environment, so that a second lifecycle of this process has a run of its own.
    """
    given = environment.pop(RUN_ID, None)
    if given is None:
        return tracker.create_run(name, {**_context(), **tags})
    with translated("read the run that mlflow run began", uri=tracker.shown_uri):
        run = tracker.client.get_run(given)
    if run.info.experiment_id == tracker.experiment_id:
        _tag(tracker, given, {**tags, "mlflow.runName": name})
        return given
    run_id = tracker.create_run(name, {**_context(), **tags})
    note = f"The lifecycle is in the use case's own experiment: [{name}]({tracker.page(run_id)})"
    _tag(tracker, given, {"mlops.lifecycle_run": run_id, "mlflow.note.content": note})
    return run_id


def name_run(tracker: Tracker, run_id: str, name: str) -> None:
    """Say on the run that ``mlflow run`` began what it was for; the decision has a run of its own.

    Raises:
        TrackingError: The server refused.
    """
    note = f"**{name}**. The decision, its rules and its card are a run of the experiment `mlops.audit`."
    _tag(tracker, run_id, {"mlflow.runName": name, "mlops.kind": "decision", "mlflow.note.content": note})


def point_to(tracker: Tracker, name: str, page: str, environment: MutableMapping[str, str]) -> None:
    """Say on the run that ``mlflow run`` began, where it did, what it was for and where that is to be seen.

    Raises:
        TrackingError: The server refused.
    """
    given = environment.pop(RUN_ID, None)
    if given is not None:
        note = f"**{name}**: [what was found]({page})"
        _tag(tracker, given, {"mlflow.runName": name, "mlops.kind": "call", "mlflow.note.content": note})


def _context() -> dict[str, str]:
    """What MLflow knows of this process: user, source, git commit of the program."""
    from mlflow.tracking.context.registry import resolve_tags

    return dict(resolve_tags())


def _tag(tracker: Tracker, run_id: str, tags: Mapping[str, str]) -> None:
    from mlflow.entities import RunTag

    with translated("tag the lifecycle's run", uri=tracker.shown_uri):
        tracker.client.log_batch(run_id, tags=[RunTag(*pair) for pair in tags.items()])
