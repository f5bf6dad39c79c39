"""The model that a row is followed into: of a version, of a lifecycle, or of the newest one; nothing is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_mlflow.core.errors import RegistryError, TrackingError
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import KIND, RUN_OF, USE_CASE, Tracker, runs_by_stage

NEEDED = ("design", "extract", "prepare", "evaluate")


@dataclass(frozen=True)
class ShownModel:
    """The model that a row is followed into.

    Attributes:
        candidate: Its name.
        version: Of the registry, the newest of several; None where it was not registered.
        lifecycle: Id of the lifecycle's run.
        began: When that began, ms since 1970.
        model_id: MLflow's.
        runs: Run of each stage that the lifecycle stands on.
    """

    candidate: str
    version: int | None
    lifecycle: str
    began: int
    model_id: str
    runs: Mapping[str, str]


def _nothing_run(use_case: str, got: str) -> TrackingError:
    return TrackingError(
        f"no lifecycle of {use_case} has come as far as a model",
        expected="a finished run of `mlops run`",
        got=got,
        hint="run it first; if it ran elsewhere, go to that folder or set MLFLOW_TRACKING_URI",
    )


def choose_model(tracker: Tracker, use_case: str, version: int | None, run_id: str | None) -> ShownModel:
    """The model of a version, of the lifecycle that was named, or of the newest finished one that has a model.

    Raises:
        TrackingError: There is no such run, it is none of this use case's lifecycles, or has no model.
        RegistryError: There is no such version.
    """
    versions = _versions(tracker, use_case)
    if version is not None:
        run_id = _run_of(versions, use_case, version)
    run = _newest(tracker, use_case) if run_id is None else _named(tracker, use_case, run_id)
    model = _model(tracker, use_case, run)
    # A model that a later lifecycle used again may be registered under the earlier one.
    known = [number for number, one in versions.items() if one.source == f"models:/{model.model_id}"]
    return replace(model, version=version or max(known, default=None))


def _newest(tracker: Tracker, use_case: str) -> Any:
    wanted = f"tags.`{KIND}` = 'lifecycle' and tags.`{USE_CASE}` = '{use_case}' and attributes.status = 'FINISHED'"
    wanted += f" and tags.`{RUN_OF}evaluate` like '%'"
    with translated("look for runs", uri=tracker.shown_uri):
        found = tracker.client.search_runs(
            [tracker.experiment_id], wanted, max_results=1, order_by=["attributes.start_time DESC"]
        )
    if not found:
        raise _nothing_run(use_case, f"none in {tracker.shown_uri}")
    return found[0]


def _named(tracker: Tracker, use_case: str, run_id: str) -> Any:
    with translated(f"read the run {run_id}", uri=tracker.shown_uri):
        run = tracker.client.get_run(run_id)
    tags = run.data.tags
    if tags.get(KIND) != "lifecycle" or tags.get(USE_CASE) != use_case:
        raise TrackingError(
            f"the run {run_id} is not a lifecycle of {use_case}",
            expected=f"the run that `mlops run` made for {use_case}, the parent of its stages",
            got=f"{tags.get(KIND, 'another run')} of {tags.get(USE_CASE, 'no use case')}: {run.info.run_name}",
            hint="leave --run out for the newest one",
        )
    return run


def _versions(tracker: Tracker, name: str) -> dict[int, Any]:
    with translated(f"read the versions of {name}", uri=tracker.shown_uri, kind=RegistryError):
        return {int(one.version): one for one in tracker.client.search_model_versions(f"name = '{name}'")}


def _run_of(versions: Mapping[int, Any], name: str, version: int) -> str:
    if version not in versions:
        raise RegistryError(
            f"{name} has no version {version}",
            expected="a registered version" + (f": {', '.join(map(str, sorted(versions)))}" if versions else ""),
            got="" if versions else "no version is registered",
            hint="leave --version out for the newest lifecycle",
        )
    run_id = versions[version].run_id
    if not run_id:
        raise RegistryError(
            f"version {version} of {name} was not made by a lifecycle",
            expected="a version that `mlops run` registered",
            got="one that names no run",
            hint="name another version, or a lifecycle with --run",
        )
    return str(run_id)


def _model(tracker: Tracker, use_case: str, run: Any) -> ShownModel:
    """The model that a lifecycle chose, and the runs that it stands on."""
    runs = runs_by_stage(run.data.tags)
    if missing := [stage for stage in NEEDED if stage not in runs]:
        raise TrackingError(
            f"the lifecycle {run.info.run_id} of {use_case} did not come as far as a model",
            expected=f"one with the stages {', '.join(NEEDED)}",
            got=f"none of {', '.join(missing)}",
            hint="run the use case again, or name another lifecycle with --run",
        )
    with translated("read the run of evaluate", uri=tracker.shown_uri):
        evaluated = tracker.client.get_run(runs["evaluate"])
    made = evaluated.outputs.model_outputs if evaluated.outputs else []
    if not made:
        raise TrackingError(f"the run {runs['evaluate']} of evaluate names no model", hint="run the use case again")
    candidate = evaluated.data.params.get("chosen", "the chosen model")
    began = run.info.start_time
    return ShownModel(candidate, None, run.info.run_id, began, made[0].model_id, runs)
