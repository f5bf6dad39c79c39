"""Experiments and runs. Every run of ours is created here, with an explicit parent, and ended here."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mlops_mlflow.core.errors import TrackingError
from mlops_mlflow.tracking.errors import translated, unreachable, without_password
from mlops_mlflow.tracking.new_database import make_database
from mlops_mlflow.tracking.process import PROCESS, this_process

Status = Literal["FINISHED", "FAILED", "KILLED"]
DEFAULT_EXPERIMENT = "0"
KIND, STAGE, USE_CASE = "mlops.kind", "mlops.stage", "mlops.use_case"
RUN_OF = "mlops.run."
"""With the name of a stage: the tag of a lifecycle that names the run it stands on."""
ANSWER_SECONDS = 10
LONGEST_NOTE = 20_000  # of an experiment; MLflow refuses more
GOVERNED = "mlops+"
"""Before the address of a database: MLflow's clients then meet the policy."""
DATABASES = {"sqlite", "postgresql", "mysql", "mssql"}


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

        own = {PROCESS: this_process(), **({MLFLOW_PARENT_RUN_ID: parent} if parent else {})}
        with translated(f"begin the run {name}", uri=self.shown_uri):
            run = self.client.create_run(
                self.experiment_id, run_name=name, tags={MLFLOW_USER: _user(), **given_tags(), **own, **tags}
            )
        return str(run.info.run_id)

    def end_run(self, run_id: str, status: Status) -> None:
        """End a run."""
        with translated("end a run", uri=self.shown_uri):
            self.client.set_terminated(run_id, status)

    def end_children(self, run_id: str, status: Status) -> None:
        """End whatever still runs below a run: also one whose beginning was interrupted before we knew its id."""
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        below = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}' and attributes.status = 'RUNNING'"
        with translated("end the runs below a run", uri=self.shown_uri):
            for run in self.client.search_runs([self.experiment_id], below):
                self.client.set_terminated(run.info.run_id, status)

    def reopen_run(self, run_id: str) -> None:
        """Mark an ended run as running again."""
        with translated("go on with a run", uri=self.shown_uri):
            self.client.update_run(run_id, status="RUNNING")

    def page(self, run_id: str) -> str:
        """Where the UI shows a run, behind the server's address."""
        return run_page(self.experiment_id, run_id)

    def describe_experiment(self, markdown: str) -> None:
        """Write what the experiment's page shows first."""
        with translated("describe the experiment", uri=self.shown_uri):
            self.client.set_experiment_tag(self.experiment_id, "mlflow.note.content", markdown[:LONGEST_NOTE])


class NothingRunError(TrackingError):
    """Nothing of a use case has run on this server yet."""


def open_tracker(use_case: str | None, tracking_uri: str | None = None, *, create: bool = True) -> Tracker:
    """Reach the tracking server and the use case's experiment.

    The experiment is the one that ``mlflow run --experiment-name`` chose for this process, if it did; otherwise the
    one named after the use case.

    Args:
        use_case: Its name; None where no experiment is meant, only what the server holds.
        tracking_uri: An MLflow server or database; MLflow's own setting when left out.
        create: Whether a database and an experiment that are not there are made.

    Raises:
        TrackingError: The server cannot be reached or refuses.
        NothingRunError: There is none to look at.
    """
    import mlflow

    # MLflow's own bars would break into ours, and it would print two links for every trial; its settings are respected
    # where somebody made them.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    if tracking_uri is not None:
        mlflow.set_tracking_uri(tracking_uri)
    uri = mlflow.get_tracking_uri()
    shown = without_password(uri)
    file = _sqlite_file(uri)
    if not create and file is not None and not file.exists():
        raise _nothing_run(use_case, f"there is no {shown}")
    if file is not None and not file.exists():
        with translated(f"make the folder of {shown}", uri=shown):
            file.parent.mkdir(parents=True, exist_ok=True)
        make_database(uri, file)
    check_reachable(uri)
    with translated("open the tracking server", uri=shown):
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=registry_address(uri))
        if use_case is None:
            return Tracker(client, uri, "")
        chosen = os.environ.get("MLFLOW_EXPERIMENT_ID", DEFAULT_EXPERIMENT)
        if chosen != DEFAULT_EXPERIMENT:
            return Tracker(client, uri, chosen)
        if create:
            return Tracker(client, uri, ensure_experiment(client, use_case))
        found = client.get_experiment_by_name(use_case)
    if found is None:
        raise _nothing_run(use_case, f"{shown} has no experiment `{use_case}`")
    return Tracker(client, uri, str(found.experiment_id))


def registry_address(tracking_uri: str | None = None) -> str:
    """Where the model registry is: MLflow's own setting, without our prefix, under which it meets the policy twice.

    Args:
        tracking_uri: An MLflow server or database; MLflow's own setting when left out.
    """
    import mlflow
    from mlflow.environment_variables import MLFLOW_REGISTRY_URI

    chosen = MLFLOW_REGISTRY_URI.get() or tracking_uri or mlflow.get_tracking_uri()
    return str(chosen).removeprefix(GOVERNED)


def _sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite database; None for one in memory, and for every other kind of server."""
    import sqlalchemy

    if not uri.startswith("sqlite:"):
        return None
    file = sqlalchemy.make_url(uri).database
    return Path(file) if file and not file.startswith((":", "file:")) else None


def _nothing_run(use_case: str | None, got: str) -> NothingRunError:
    return NothingRunError(
        f"nothing of {use_case} has run here" if use_case else "nothing has run here",
        expected="a finished run of `mlops run`",
        got=got,
        hint="run it first; if it ran elsewhere, go to that folder or set MLFLOW_TRACKING_URI",
    )


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
    """Ask a server or a database for a sign of life; MLflow itself would try for minutes.

    Raises:
        TrackingError: It gives none within 10 seconds, or answers that it is broken.
    """
    if uri.startswith("http"):
        _ask_server(uri)
    elif uri.partition(":")[0].partition("+")[0] in DATABASES:
        _ask_database(uri)


def _ask_server(uri: str) -> None:
    import requests
    from mlflow.utils.credentials import get_default_host_creds

    trust = get_default_host_creds(uri)
    # Not /health, which says OK while the server's database is gone.
    question = f"{uri.rstrip('/')}/api/2.0/mlflow/experiments/get?experiment_id={DEFAULT_EXPERIMENT}"
    try:
        answer = requests.get(question, timeout=ANSWER_SECONDS, verify=trust.verify, cert=trust.client_cert_path)
    except requests.exceptions.RequestException as error:
        raise unreachable(without_password(uri), type(error).__name__) from error
    if answer.status_code >= 500:
        raise TrackingError(
            f"the tracking server {without_password(uri)} is broken",
            expected="an MLflow server that answers",
            got=f"HTTP {answer.status_code}",
            hint="look at the server's log; behind it may be a database that does not answer",
        )


def _ask_database(uri: str) -> None:
    import sqlalchemy

    shown = without_password(uri)
    try:
        url = sqlalchemy.make_url(uri)
        local = url.get_backend_name() == "sqlite"
        patience = {} if local else {"connect_timeout": ANSWER_SECONDS}
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=patience)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("select 1"))
    except ModuleNotFoundError as error:
        raise TrackingError(
            f"the driver of {shown} is not installed",
            got=str(error),
            hint="install it, or name one that is: `postgresql+psycopg2://...`",
        ) from error
    except (sqlalchemy.exc.SQLAlchemyError, ValueError) as error:
        got = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise unreachable(shown, got.replace(uri, shown)) from error


def run_page(experiment_id: str, run_id: str) -> str:
    """Where MLflow's UI shows a run, behind the server's address."""
    return f"/#/experiments/{experiment_id}/runs/{run_id}?workflowType=machine_learning"


def runs_by_stage(tags: Mapping[str, str]) -> dict[str, str]:
    """Run of each stage that a lifecycle stands on, from the tags of its own run."""
    return {name.removeprefix(RUN_OF): run for name, run in tags.items() if name.startswith(RUN_OF)}


def now_ms() -> int:
    """Now, as MLflow counts time."""
    return int(time.time() * 1000)


def given_tags() -> dict[str, str]:
    """Tags that the environment gives every run, in MLflow's own variable MLFLOW_RUN_CONTEXT.

    Raises:
        TrackingError: It is no JSON object.
    """
    from mlflow.environment_variables import MLFLOW_RUN_CONTEXT

    given = MLFLOW_RUN_CONTEXT.get()
    if not given:
        return {}
    try:
        return {str(name): str(value) for name, value in json.loads(given).items()}
    except (ValueError, AttributeError) as error:
        raise TrackingError(
            "MLFLOW_RUN_CONTEXT cannot be read",
            expected='tags of runs as a JSON object, such as {"team": "ops"}',
            got=given,
            hint="correct it, or unset it",
        ) from error


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container may run as a user without a name
