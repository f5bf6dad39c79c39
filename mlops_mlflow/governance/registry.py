"""Registered versions and their registry stages. Registry stage and alias always change together, and only here."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_mlflow.core.errors import MlopsError, RegistryError
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import Tracker

ALIASES = {"Staging": "challenger", "Production": "champion"}
LEGAL = {("None", "Staging")}
"""What the lifecycle itself may do; people's transitions come with their policy."""


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
    return next(iter(_in_stage(tracker, name, "Production")), None)


def _in_stage(tracker: Tracker, name: str, stage: str) -> list[Version]:
    with _asking(tracker, f"read the versions of {name}"):
        found = tracker.client.search_model_versions(f"name = '{name}'")
    return [_version(one) for one in found if one.current_stage == stage]


def _version(found: Any) -> Version:
    return Version(found.name, str(found.version), found.current_stage, found.source, dict(found.tags))


def register(
    tracker: Tracker, name: str, *, model_id: str, run_id: str, tags: Mapping[str, str], description: str, stage: bool
) -> Version:
    """Register a logged model and, with ``stage``, move it to Staging; or leave nothing behind.

    A version that was in Staging before is archived: it was superseded.

    Raises:
        RegistryError: The registry refused; what had been created is deleted again.
    """
    before = _in_stage(tracker, name, "Staging")
    created = _ensure_registered_model(tracker, name)
    version: Version | None = None
    try:
        with _asking(tracker, f"register a version of {name}"):
            made = tracker.client.create_model_version(
                name,
                f"models:/{model_id}",
                run_id=run_id,
                tags=dict(tags),
                description=description,
                model_id=model_id,
                await_creation_for=0,  # a version is complete at once; MLflow would announce a wait of 300 seconds
            )
        version = _version(made)
        return transition(tracker, version, "Staging") if stage else version
    except BaseException:
        _forget(tracker, name, version, before, model_too=created)
        raise


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
