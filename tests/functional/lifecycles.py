"""What a lifecycle left on a tracking server, read with MLflow's own client."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

PARENT, KIND, STAGE = "mlflow.parentRunId", "mlops.kind", "mlops.stage"
STAGES = ("design", "extract", "explore", "prepare", "train", "evaluate", "validate")


@dataclass(frozen=True)
class Lifecycle:
    """The newest lifecycle of an experiment.

    Attributes:
        uri: Of the tracking server.
        run: The lifecycle's own.
        stages: Run of each stage that it stands on, by name.
        children: Runs nested in each stage, by name of the stage and then of the run.
    """

    uri: str
    run: Run
    stages: dict[str, Run]
    children: dict[str, dict[str, Run]]

    @property
    def runs(self) -> dict[str, Run]:
        """Every run, by its place in the tree."""
        found = {"": self.run}
        for stage, run in self.stages.items():
            found[stage] = run
            found |= {f"{stage}/{name}": child for name, child in self.children[stage].items()}
        return found

    def artifact(self, stage: str, path: str) -> str:
        """Text of an artifact of a stage."""
        with tempfile.TemporaryDirectory() as folder:
            return Path(client(self.uri).download_artifacts(self.stages[stage].info.run_id, path, folder)).read_text()

    def verdict(self) -> dict[str, Any]:
        """What validate wrote down."""
        told: dict[str, Any] = json.loads(self.artifact("validate", "verdict.json"))
        return told


def client(uri: str) -> mlflow.MlflowClient:
    """MLflow's own client."""
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def store_of(folder: Path) -> str:
    """URI of the database that MLflow makes in a working directory."""
    return f"sqlite:///{folder / 'mlflow.db'}"


def newest(uri: str, experiment: str) -> Lifecycle:
    """Read the newest lifecycle of an experiment."""
    of = client(uri)
    found = of.get_experiment_by_name(experiment)
    assert found is not None, f"no experiment {experiment}: {[one.name for one in of.search_experiments()]}"
    runs = list(of.search_runs([found.experiment_id], order_by=["attributes.start_time DESC"], max_results=1000))
    lifecycle = next(run for run in runs if run.data.tags.get(KIND) == "lifecycle")
    stood_on = {lifecycle.data.tags.get(f"mlops.run.{stage}"): stage for stage in STAGES}
    reused = {stood_on[run.info.run_id]: run for run in runs if run.info.run_id in stood_on}
    stages = {run.data.tags[STAGE]: run for run in _below(runs, lifecycle)} | reused
    children = {stage: {one.info.run_name: one for one in _below(runs, run)} for stage, run in stages.items()}
    return Lifecycle(uri, lifecycle, stages, children)


def _below(runs: list[Run], parent: Run) -> list[Run]:
    return [run for run in reversed(runs) if run.data.tags.get(PARENT) == parent.info.run_id]


def versions(uri: str, name: str) -> list[ModelVersion]:
    """Registered versions, oldest first."""
    found = client(uri).search_model_versions(f"name = '{name}'")
    return sorted(found, key=lambda version: int(version.version))


def put_into_production(uri: str, name: str, version: str) -> None:
    """What a person does with MLflow's own client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MLflow on registry stages
        client(uri).transition_model_version_stage(name, version, "Production")


@contextmanager
def tracking(uri: str) -> Iterator[None]:
    """MLflow's module-level functions go to this server inside."""
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)


def page(lifecycle: Lifecycle, run: Run) -> str:
    """Where the UI shows a run, behind the server's address."""
    return f"/#/experiments/{lifecycle.run.info.experiment_id}/runs/{run.info.run_id}"
