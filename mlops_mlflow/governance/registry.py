"""Registered versions and their registry stages. Registry stage and alias always change together, and only here."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_mlflow.core.errors import MlopsError, RegistryError
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.results import GoneError, StoredModel, check_model
from mlops_mlflow.tracking.tracker import Tracker

ALIASES = {"Staging": "challenger", "Production": "champion"}
LEGAL = {("None", "Staging"), ("Archived", "Staging")}
"""What the lifecycle itself may do; people's transitions come with their policy."""
RESULT, SUPERSEDED = "mlops.result_key", "mlops.superseded_by"


@dataclass(frozen=True)
class Version:
    """A registered model version.

    Attributes:
        name: Of the registered model.
        number: Of the version.
        registry_stage: None, Staging, Production or Archived.
        source: URI of its files.
        tags: As in the registry.
    """

    name: str
    number: str
    registry_stage: str
    source: str
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        """By which MLflow loads it."""
        return f"models:/{self.name}/{self.number}"


@contextlib.contextmanager
def _asking(tracker: Tracker, doing: str) -> Iterator[None]:
    with translated(doing, uri=tracker.shown_uri, kind=RegistryError), warnings.catch_warnings():
        # MLflow marks registry stages as deprecated; they are the visible state here, aliases follow them.
        warnings.filterwarnings("ignore", message=".*deprecated.*", category=FutureWarning)
        yield


def champion(tracker: Tracker, name: str) -> Version | None:
    """The version in Production, if there is one."""
    return next((one for one in _versions(tracker, name) if one.registry_stage == "Production"), None)


def _versions(tracker: Tracker, name: str) -> list[Version]:
    with _asking(tracker, f"read the versions of {name}"):
        return [_version(one) for one in tracker.client.search_model_versions(f"name = '{name}'", max_results=10_000)]


def _version(found: Any) -> Version:
    return Version(found.name, str(found.version), found.current_stage, found.source, dict(found.tags))


def register(
    tracker: Tracker,
    name: str,
    *,
    result: str,
    model_id: str,
    run_id: str,
    tags: Mapping[str, str],
    description: str,
    stage: bool,
) -> Version:
    """The version of a result, which has one at most: the one that is there, or a new one, or nothing is left behind.

    With ``stage`` it is moved to Staging, and a version that was there before is archived: it was superseded. What an
    interrupted registration left undone is done. A version that people have moved on, to Production or into the
    archive, stays where they put it.

    Args:
        tracker: Where the registry is.
        name: Of the registered model.
        result: What the model came from; the same for the same result, whoever found it.
        model_id: The logged model.
        run_id: The lifecycle's run.
        tags: Of the version.
        description: Of the version, Markdown.
        stage: Whether it may go to Staging.

    Raises:
        RegistryError: The registry refused; what had been created is deleted again.
    """
    versions = _versions(tracker, name)
    before = [one for one in versions if one.registry_stage == "Staging"]
    known = _of_result(tracker, versions, result)
    if known is not None:
        _describe(tracker, known, tags, description)
        return _staged(tracker, known, before) if stage else known
    created = _ensure_registered_model(tracker, name)
    version: Version | None = None
    try:
        with _asking(tracker, f"register a version of {name}"):
            made = tracker.client.create_model_version(
                name,
                f"models:/{model_id}",
                run_id=run_id,
                tags={**tags, RESULT: result},
                description=description,
                model_id=model_id,
                await_creation_for=0,  # a version is complete at once; MLflow would announce a wait of 300 seconds
            )
        version = _version(made)
        first = _of_result(tracker, _versions(tracker, name), result) or version
        if first.number == version.number:
            return _staged(tracker, version, before) if stage else version
    except BaseException:
        _forget(tracker, name, version, before, model_too=created)
        raise
    # Another process found the same at the same time, and was quicker.
    _forget(tracker, name, version, [], model_too=False)
    return _staged(tracker, first, before) if stage else first


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


def _describe(tracker: Tracker, version: Version, tags: Mapping[str, str], description: str) -> None:
    """Say of a version what is known of it now."""
    changed = {name: value for name, value in tags.items() if version.tags.get(name) != value}
    if not changed:
        return
    with _asking(tracker, f"describe {version.name} version {version.number}"):
        for name, value in changed.items():
            tracker.client.set_model_version_tag(version.name, version.number, name, value)
        tracker.client.update_model_version(version.name, version.number, description)


def _staged(tracker: Tracker, version: Version, before: list[Version]) -> Version:
    """The version in Staging, with its alias; where people have moved it on, as it is."""
    by_hand = version.registry_stage == "Archived" and SUPERSEDED not in version.tags
    if version.registry_stage == "Production" or by_hand:
        return version
    with _asking(tracker, f"move {version.name} version {version.number} to Staging"):
        client = tracker.client
        if version.registry_stage == "Staging":
            aliases = client.get_registered_model(version.name).aliases
            if str(aliases.get(ALIASES["Staging"])) != version.number:
                client.set_registered_model_alias(version.name, ALIASES["Staging"], version.number)
            return version
        for one in before:
            client.set_model_version_tag(one.name, one.number, SUPERSEDED, version.number)
        moved = transition(tracker, version, "Staging")
        if SUPERSEDED in version.tags:
            client.delete_model_version_tag(version.name, version.number, SUPERSEDED)
        return moved


def transition(tracker: Tracker, version: Version, to: str) -> Version:
    """Move a version to another registry stage, and its alias with it.

    Raises:
        RegistryError: The transition is not legal, or the registry refused.
    """
    if (version.registry_stage, to) not in LEGAL:
        raise RegistryError(
            f"{version.name} version {version.number} cannot go from {version.registry_stage} to {to}",
            expected="; ".join(f"{begin} to {end}" for begin, end in sorted(LEGAL)),
        )
    with _asking(tracker, f"move {version.name} version {version.number} to {to}"):
        moved = tracker.client.transition_model_version_stage(
            version.name, version.number, to, archive_existing_versions=True
        )
        tracker.client.set_registered_model_alias(version.name, ALIASES[to], version.number)
    return _version(moved)


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


def _forget(tracker: Tracker, name: str, version: Version | None, before: list[Version], *, model_too: bool) -> None:
    """Take back what was created, and give Staging back to whom it had; the error that led here matters more."""
    client = tracker.client
    with contextlib.suppress(MlopsError), _asking(tracker, "take back a registration"):
        if version is not None:
            client.delete_model_version(name, version.number)
        for one in before:
            client.transition_model_version_stage(name, one.number, "Staging")
            client.set_registered_model_alias(name, ALIASES["Staging"], one.number)
        if model_too:
            client.delete_registered_model(name)
