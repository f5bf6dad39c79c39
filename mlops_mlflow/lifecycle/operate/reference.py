"""What a version carries that monitoring needs: nothing else of its training is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.monitoring import outputs, reference
from mlops_mlflow.core.monitoring.reference import ReferencePerformance
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.stages.monitor import Reference
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.models import column_types, model_file
from mlops_mlflow.tracking.tracker import Tracker

T = TypeVar("T")
PROFILE, IMPORTANCES, SIGNATURE = "reference_profile.json", "importances.json", "MLmodel"


def read_reference(tracker: Tracker, version: Version, folder: Path) -> Reference:
    """Read the reference of a version.

    Args:
        tracker: Where its files are.
        version: Which.
        folder: Gets its files.

    Raises:
        RegistryError: It carries no reference profile, or one that cannot be read.
    """

    def file(name: str, make: Callable[[dict[str, object]], T]) -> T | None:
        text = model_file(version.uri, name, folder)
        try:
            return None if text is None else make(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise RegistryError(
                f"{name} of {version.name} version {version.number} cannot be read",
                expected="a file as `mlops run` writes it",
                got=str(error),
                hint="register the version again with `mlops run`",
            ) from error

    with translated(f"read the reference of {version.name}", uri=tracker.shown_uri, kind=RegistryError):
        profile = file(PROFILE, TableProfile.from_dict)
        said = file(outputs.FILE, TableProfile.from_dict)
        performance = file(reference.FILE, ReferencePerformance.from_dict)
        weights = file(IMPORTANCES, lambda plain: {name: float(str(value)) for name, value in plain.items()})
        takes = {} if model_file(version.uri, SIGNATURE, folder) is None else column_types(folder)
    if profile is None or not takes:
        raise RegistryError(
            f"{version.name} version {version.number} has no reference profile",
            expected="a version that `mlops run` registered",
            got=f"a model without {PROFILE if profile is None else 'a signature'}",
            hint="name another version, or register this model with `mlops run`",
        )
    beside = said.columns if said is not None else ()
    return Reference(
        version.name,
        version.number,
        takes,
        replace(profile, columns=(*profile.columns, *beside)),
        tuple(column.name for column in beside),
        weights or {},
        performance,
    )
