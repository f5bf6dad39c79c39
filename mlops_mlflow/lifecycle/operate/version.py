"""Which version is meant, and what it takes: resolved once, so that one job has one version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.policy.transitions import ALIASES, STAGES
from mlops_mlflow.core.usecase.data import ColumnType
from mlops_mlflow.engines.types import is_zoned
from mlops_mlflow.governance.shelf import Registry, Shelf, Version
from mlops_mlflow.lifecycle.operate.reference import PROFILE
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import Tracker


@dataclass(frozen=True)
class LoadedVersion:
    """A version, ready to predict.

    Attributes:
        version: As the registry has it.
        estimator: The fitted estimator.
        takes: Name and type of each column that it takes.
        zoned: Of columns of times, whether it learned from moments or from what a clock shows.
    """

    version: Version
    estimator: Any
    takes: dict[str, ColumnType]
    zoned: dict[str, bool]


def resolve(registry: Registry, model: str, wanted: str) -> Version:
    """The version that a person names.

    Args:
        registry: Where it is.
        model: Name of the registered model.
        wanted: A registry stage (of several versions the newest), an alias, or a number.

    Raises:
        RegistryError: There is none.
    """
    shelf = registry.shelf(model)
    stage = {one.lower(): one for one in STAGES}.get(wanted.lower())
    if stage is not None:
        found = max(shelf.in_stage(stage), key=lambda one: int(one.number), default=None)
    else:
        found = shelf.versions.get(shelf.aliases.get(wanted.removeprefix("@"), wanted))
    if found is None:
        raise _nothing(shelf, wanted, stage)
    return found


def _nothing(shelf: Shelf, wanted: str, stage: str | None) -> RegistryError:
    there = [f"version {one.number} in {one.registry_stage}" for one in shelf.versions.values()]
    there += [f"alias {alias}: version {number}" for alias, number in shelf.aliases.items()]
    asks = f"ask for it: `mlops request {shelf.name} --to {stage}`" if stage in ALIASES else "name one that is there"
    return RegistryError(
        f"{shelf.name} has no version {'in ' if stage else ''}{wanted}",
        expected="a registry stage, an alias or a number of a version that is there",
        got=", ".join(there) or "no versions at all",
        hint=asks if there else "`mlops run` registers a version once it passes `validate`",
    )


def load(tracker: Tracker, version: Version, scratch: Path) -> LoadedVersion:
    """Download a version's model and load it, without pickle.

    Raises:
        RegistryError: Its files are gone, or it is not one of this suite's models.
    """
    from mlops_mlflow.tracking.models import column_types, download, load_folder

    with translated(f"load {version.name} version {version.number}", uri=tracker.shown_uri, kind=RegistryError):
        folder = download(version.uri, scratch / "model")
        takes = column_types(folder)
        if not takes:
            raise RegistryError(
                f"{version.name} version {version.number} does not say which columns it takes",
                expected="a model with a signature, as `mlops run` registers it",
                hint="log it again with a signature",
            )
        return LoadedVersion(version, load_folder(folder)[0], takes, _zoned(folder / PROFILE))


def _zoned(profile: Path) -> dict[str, bool]:
    """As the profile of its train rows says; nothing where it carries none."""
    try:
        columns = json.loads(profile.read_text(encoding="utf-8"))["columns"]
        return {one["name"]: is_zoned(one["type"]) for one in columns if one["kind"] == "datetime"}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
