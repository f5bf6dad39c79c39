"""A use case that is run again and again on one store, which every test finds as the first run left it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow.entities import Run, ViewType

from mlops_mlflow.core.records import Progress
from mlops_mlflow.lifecycle.display import Silent
from mlops_mlflow.lifecycle.execute import run_stages
from mlops_mlflow.lifecycle.explain import Forecast
from mlops_mlflow.lifecycle.explain import explain as forecasts_of
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.lifecycle.main import Result, run_main
from mlops_mlflow.lifecycle.plan import MAIN, STAGES
from mlops_mlflow.lifecycle.session import Execution, Options, Session, open_session

ALL = frozenset(STAGES)
AFTER_EXTRACT = frozenset({"explore", "prepare", "train", "evaluate", "validate"})
FROM_PREPARE = frozenset({"prepare", "train", "evaluate", "validate"})
FROM_TRAIN = frozenset({"train", "evaluate", "validate"})


class Recorder(Silent):
    """Keeps what a person would see; calls ``at`` when a stage begins, and with ``STAGE works`` when it is at work."""

    def __init__(self, at: Callable[[str], None] = lambda stage: None) -> None:
        self.said: list[str] = []
        self.at = at

    def say(self, text: str) -> None:
        """A line."""
        self.said.append(text)

    def begin(self, stage: str) -> None:
        """A stage begins."""
        self.at(stage)

    def progress(self, stage: str, progress: Progress) -> None:
        """A stage has come so far: it has all that it takes."""
        self.at(f"{stage} works")


@dataclass(frozen=True)
class Ran:
    """What one lifecycle did.

    Attributes:
        done: Result of each stage.
        new: Runs that it made beside its own.
        said: Lines that a person saw.
        run_id: Its own run.
        result: Of ``main``.
    """

    done: dict[str, Execution]
    new: list[Run]
    said: list[str]
    run_id: str
    result: Result | None

    @property
    def again(self) -> set[str]:
        """Stages that ran rather than were reused."""
        return {stage for stage, one in self.done.items() if not one.reused}

    @property
    def trials(self) -> list[str]:
        """Candidates of the trials that were tried, in no order."""
        return sorted(run.data.tags["mlops.candidate"] for run in self.of_kind("trial"))

    def of_kind(self, kind: str) -> list[Run]:
        """New runs of a kind: ``stage``, ``trial`` or ``candidate``."""
        return [run for run in self.new if run.data.tags.get("mlops.kind") == kind]

    def stages_made(self) -> set[str]:
        """Stages that have a new run on the server."""
        return {run.data.tags["mlops.stage"] for run in self.of_kind("stage")}


@dataclass
class Place:
    """A store and the folder of a use case, put back as they were by ``restore``."""

    root: Path
    folder: Path
    empty: Path
    kept: Path = field(init=False)

    def __post_init__(self) -> None:
        """Make the store."""
        self.kept = self.root.with_name(f"{self.root.name}-kept")
        self.root.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.empty, self.root / "mlflow.db")
        if not self.client.get_experiment_by_name(self.folder.name):
            self.client.create_experiment(self.folder.name, artifact_location=(self.root / "artifacts").as_uri())

    @property
    def uri(self) -> str:
        """Of the store."""
        return f"sqlite:///{self.root / 'mlflow.db'}"

    @property
    def client(self) -> mlflow.MlflowClient:
        """MLflow's own."""
        return mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @property
    def experiment(self) -> str:
        """Id of the use case's experiment."""
        return str(self.client.get_experiment_by_name(self.folder.name).experiment_id)

    def keep(self) -> None:
        """Remember everything as it is now."""
        shutil.copytree(self.root, self.kept)
        shutil.copytree(self.folder, self.kept / "usecase")

    def restore(self) -> None:
        """Put everything back; the database in place, as MLflow holds it open."""
        with (
            closing(sqlite3.connect(self.kept / "mlflow.db")) as before,
            closing(sqlite3.connect(self.root / "mlflow.db")) as now,
        ):
            before.backup(now)
        for source, target in (
            (self.kept / "artifacts", self.root / "artifacts"),
            (self.kept / "usecase", self.folder),
        ):
            shutil.rmtree(target)
            shutil.copytree(source, target)

    def rows(self) -> list[str]:
        """The whole database as text."""
        with closing(sqlite3.connect(self.root / "mlflow.db")) as database:
            return list(database.iterdump())

    def runs(self, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
        """Every run, newest first."""
        return list(self.client.search_runs([self.experiment], run_view_type=view, max_results=5_000))

    def stage_run(self, stage: str) -> Run:
        """The newest run of a stage."""
        return next(
            run
            for run in self.runs()
            if run.data.tags.get("mlops.stage") == stage and run.data.tags.get("mlops.kind") == "stage"
        )

    def artifacts(self, run: Run) -> Path:
        """Folder of a run's artifacts."""
        return Path(run.info.artifact_uri.removeprefix("file://"))

    @contextmanager
    def session(
        self, target: str = MAIN, *, recorded: bool = True, display: Any = None, **options: Any
    ) -> Iterator[Session]:
        """A lifecycle, closed in the end."""
        opened = open_session(
            load_folder(self.folder),
            target=target,
            tracking_uri=self.uri,
            environment=dict(os.environ),
            options=Options(**options),
            display=display,
            recorded=recorded,
        )
        try:
            yield opened
        finally:
            opened.close()

    def run(self, target: str = MAIN, at: Callable[[str], None] = lambda stage: None, **options: Any) -> Ran:
        """What ``mlops run`` does."""
        before = {run.info.run_id for run in self.runs(ViewType.ALL)}
        display = Recorder(at)
        with self.session(target, display=display, **options) as session:
            with session.working():
                result = run_main(session) if target == MAIN else None
                if target != MAIN:
                    run_stages(session, target)
            new = [run for run in self.runs() if run.info.run_id not in {*before, session.run_id}]
            return Ran(dict(session.done), new, display.said, session.run_id, result)

    def explain(self, target: str = MAIN, **options: Any) -> dict[str, Forecast]:
        """What ``mlops explain`` tells, by stage."""
        with self.session(target, recorded=False, **options) as session:
            return {one.stage: one for one in forecasts_of(session, target)}

    def foretold(self, target: str = MAIN, **options: Any) -> tuple[dict[str, Forecast], Ran]:
        """Explain, then run; what was told has to come true."""
        told = self.explain(target, **options)
        ran = self.run(target, **options)
        assert list(told) == list(ran.done)
        for stage, forecast in told.items():
            reused = ran.done[stage].reused
            assert forecast.status == "open" or (forecast.status == "hit") == reused, (stage, forecast, ran.said)
            if reused:
                assert forecast.run_id == ran.done[stage].run_id
            if forecast.status != "hit":
                assert forecast.reasons, f"{stage}: no reason is told"
        return told, ran

    def edit(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change ``usecase.yaml``."""
        file = self.folder / "usecase.yaml"
        document = yaml.safe_load(file.read_text())
        change(document)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a text in a file of the use case."""
        file = self.folder / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def later() -> float:
    """A time that no file of a test has, s since 1970."""
    return time.time() + 3600
