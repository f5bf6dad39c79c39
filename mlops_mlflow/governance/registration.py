"""Versions of the Model Registry: one for each result, and how the lifecycle brings them in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlops_mlflow.core.errors import MlopsError, RegistryError
from mlops_mlflow.governance.desk.arrivals import Arrival, Entered, enter
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.results import GoneError, StoredModel, check_model
from mlops_mlflow.tracking.tracker import Tracker

RESULT = "mlops.result_key"


@dataclass(frozen=True)
class Find:
    """What a lifecycle found and wants to register.

    Attributes:
        result: What the model came from; the same for the same result, whoever found it.
        model_id: The logged model.
        run_id: The lifecycle's run.
        tags: Of the version.
        description: Of the version, Markdown.
    """

    result: str
    model_id: str
    run_id: str
    tags: Mapping[str, str]
    description: str


def champion(tracker: Tracker, name: str) -> Version | None:
    """The version in Production, if there is one."""
    return next((one for one in _versions(tracker, name) if one.registry_stage == "Production"), None)


def register(tracker: Tracker, desk: Desk, name: str, found: Find, arrival: Arrival) -> Entered:
    """The version of a result, which has one at most: the one that is there, or a new one, or nothing is left behind.

    It is recorded in the ledger and goes to Staging, where the policy lets it; what an interrupted registration left
    undone is done.

    Args:
        tracker: Where the model is.
        desk: Who registers.
        name: Of the registered model.
        found: What is registered.
        arrival: What the ledger is told of it.

    Raises:
        RegistryError: The registry refused; what had been created is deleted again.
    """
    known = _of_result(tracker, _versions(tracker, name), found.result)
    if known is not None:
        _describe(tracker, known, found)
        return enter(desk, name, known.number, arrival)
    created = _ensure_registered_model(tracker, name)
    version: Version | None = None
    try:
        version = _create(tracker, name, found)
        first = _of_result(tracker, _versions(tracker, name), found.result) or version
        if first.number == version.number:
            return enter(desk, name, version.number, arrival)
    except BaseException:
        _forget(tracker, name, version, model_too=created)
        raise
    # Another process found the same at the same time, and was quicker.
    _forget(tracker, name, version, model_too=False)
    return enter(desk, name, first.number, arrival)


def _create(tracker: Tracker, name: str, found: Find) -> Version:
    with _asking(tracker, f"register a version of {name}"):
        made = tracker.client.create_model_version(
            name,
            f"models:/{found.model_id}",
            run_id=found.run_id,
            tags={**found.tags, RESULT: found.result},
            description=found.description,
            model_id=found.model_id,
            await_creation_for=0,  # a version is complete at once; MLflow would announce a wait of 300 seconds
        )
    return Version.of(made)


def _of_result(tracker: Tracker, versions: list[Version], result: str) -> Version | None:
    """The oldest version of a result whose model is still there."""
    for one in sorted(versions, key=lambda version: int(version.number)):
        if one.tags.get(RESULT) == result:
            try:
                check_model(tracker, one.name, StoredModel(one.source.rpartition("/")[2], ""))
            except GoneError:
                continue
            return one
    return None


def _describe(tracker: Tracker, version: Version, found: Find) -> None:
    """Say of a version what is known of it now."""
    changed = {name: value for name, value in found.tags.items() if version.tags.get(name) != value}
    if not changed:
        return
    with _asking(tracker, f"describe {version.name} version {version.number}"):
        for name, value in changed.items():
            tracker.client.set_model_version_tag(version.name, version.number, name, value)
        tracker.client.update_model_version(version.name, version.number, found.description)


def _ensure_registered_model(tracker: Tracker, name: str) -> bool:
    """Whether it had to be created."""
    from mlflow.exceptions import MlflowException

    with _asking(tracker, f"register the model {name}"):
        try:
            tracker.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":
                return False
            raise
    return True


def _forget(tracker: Tracker, name: str, version: Version | None, *, model_too: bool) -> None:
    """Take back what was created; the error that led here matters more."""
    with contextlib.suppress(MlopsError), _asking(tracker, "take back a registration"):
        if version is not None:
            tracker.client.delete_model_version(name, version.number)
        if model_too:
            tracker.client.delete_registered_model(name)


@contextlib.contextmanager
def _asking(tracker: Tracker, doing: str) -> Iterator[None]:
    with translated(doing, uri=tracker.shown_uri, kind=RegistryError):
        yield


def _versions(tracker: Tracker, name: str) -> list[Version]:
    with _asking(tracker, f"read the versions of {name}"):
        return [Version.of(one) for one in tracker.client.search_model_versions(f"name = '{name}'", max_results=10_000)]
