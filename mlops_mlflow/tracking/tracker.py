"""Experiments and runs. Every run of ours is created here, with an explicit parent, and ended here."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops_mlflow.tracking.errors import translated, unreachable

Status = Literal["FINISHED", "FAILED", "KILLED"]
DEFAULT_EXPERIMENT = "0"
KIND, STAGE, USE_CASE = "mlops.kind", "mlops.stage", "mlops.use_case"
ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Tracker:
    """A tracking server and the experiment of one use case.

    Attributes:
        client: MLflow's client; every call names its run.
        uri: Of the server.
        experiment_id: Where runs go.
    """

    client: Any
    uri: str
    experiment_id: str

    @property
    def shown_uri(self) -> str:
        """The server's address without a password."""
        return without_password(self.uri)

    def create_run(self, name: str, tags: Mapping[str, str], parent: str | None = None) -> str:
        """Begin a run; its id."""
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_USER

        own = {MLFLOW_PARENT_RUN_ID: parent} if parent else {}
        with translated(f"begin the run {name}", uri=self.shown_uri):
            run = self.client.create_run(self.experiment_id, run_name=name, tags={MLFLOW_USER: _user(), **own, **tags})
        return str(run.info.run_id)

    def end_run(self, run_id: str, status: Status) -> None:
        """End a run."""
        with translated("end a run", uri=self.shown_uri):
            self.client.set_terminated(run_id, status)

    def page(self, run_id: str) -> str:
        """Where the UI shows a run, behind the server's address."""
        return f"/#/experiments/{self.experiment_id}/runs/{run_id}?workflowType=machine_learning"

    def describe_experiment(self, markdown: str) -> None:
        """Write what the experiment's page shows first."""
        with translated("describe the experiment", uri=self.shown_uri):
            self.client.set_experiment_tag(self.experiment_id, "mlflow.note.content", markdown)


def open_tracker(use_case: str, tracking_uri: str | None = None) -> Tracker:
    """Reach the tracking server and the use case's experiment, which is created if need be.

    The experiment is the one that ``mlflow run --experiment-name`` chose for this process, if it did; otherwise the
    one named after the use case.

    Raises:
        TrackingError: The server cannot be reached or refuses.
    """
    import mlflow

    # MLflow's own bars would break into ours; its setting is respected where somebody made one.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    if tracking_uri is not None:
        mlflow.set_tracking_uri(tracking_uri)
    uri = mlflow.get_tracking_uri()
    check_reachable(uri)
    shown = without_password(uri)
    with translated("open the tracking server", uri=shown):
        client = mlflow.MlflowClient(tracking_uri=uri)
        chosen = os.environ.get("MLFLOW_EXPERIMENT_ID", DEFAULT_EXPERIMENT)
        if chosen != DEFAULT_EXPERIMENT:
            return Tracker(client, uri, chosen)
        return Tracker(client, uri, ensure_experiment(client, use_case))


def ensure_experiment(client: Any, name: str) -> str:
    """Id of an experiment, created if need be; two processes that both create it get the same one."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, tags={"mlflow.experimentKind": "custom_model_development"}))
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def check_reachable(uri: str) -> None:
    """Ask a server for a sign of life; MLflow itself would try for minutes.

    Raises:
        TrackingError: It gives none within 10 seconds.
    """
    if not uri.startswith("http"):
        return
    import requests

    try:
        requests.get(f"{uri.rstrip('/')}/health", timeout=ANSWER_SECONDS)
    except requests.exceptions.RequestException as error:
        raise unreachable(without_password(uri), error) from error


def without_password(uri: str) -> str:
    """A URI with ``user:password@`` reduced to the user."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1@", uri)


def now_ms() -> int:
    """Now, as MLflow counts time."""
    return int(time.time() * 1000)


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container may run as a user without a name
