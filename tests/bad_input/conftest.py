"""A shell in this process: commands in, exit code, output and the state of MLflow out."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sqlalchemy

from mlops_mlflow.cli.main import invoke
from mlops_mlflow.lifecycle.plan import STAGES

# Tests are no package, so their modules are loaded by path.
_spec = importlib.util.spec_from_file_location("bad_input_folder", Path(__file__).parent / "folder.py")
assert _spec is not None
assert _spec.loader is not None
folder = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(folder)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What follows ``error:``."""
        return self.err.partition("error: ")[2]


class Shell:
    """Commands against a tracking database of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], uri: str) -> None:
        self._monkeypatch, self._capfd, self.uri = monkeypatch, capfd, uri

    def __call__(self, *words: str) -> Ended:
        self._monkeypatch.setattr(sys, "argv", ["mlops", *words])
        self._capfd.readouterr()
        code = invoke()
        shown = self._capfd.readouterr()
        return Ended(code, shown.out, shown.err)

    @property
    def client(self) -> Any:
        return mlflow.MlflowClient(self.uri)

    def runs(self, kind: str) -> list[Any]:
        """Runs of ``lifecycle``, ``stage``, ``candidate`` or ``trial``, oldest first."""
        experiments = [one.experiment_id for one in self.client.search_experiments()]
        wanted = f"tags.`mlops.kind` = '{kind}'"
        return list(self.client.search_runs(experiments, wanted, order_by=["attributes.start_time"]))

    def statuses(self) -> dict[str, str]:
        """Status of each stage's run."""
        return {run.data.tags["mlops.stage"]: run.info.status for run in self.runs("stage")}

    def artifact(self, run: Any, name: str, folder: Path) -> str:
        """Text of an artifact."""
        return Path(self.client.download_artifacts(run.info.run_id, name, str(folder))).read_text(encoding="utf-8")

    def registered(self) -> int:
        """How many registered models and versions there are."""
        return len(self.client.search_registered_models()) + len(self.client.search_model_versions())


@pytest.fixture(scope="session", autouse=True)
def quick_databases() -> Iterator[None]:
    """SQLite files that need not survive a power cut."""

    def relax(connection: Any, _: object) -> None:
        if type(connection).__module__ == "sqlite3":
            connection.execute("pragma synchronous = off")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", relax)
    yield
    sqlalchemy.event.remove(sqlalchemy.Engine, "connect", relax)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """The command sets handlers of its own, which no other test shall have."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables, made once."""
    file: Path = tmp_path_factory.mktemp("database") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], empty_database: Path
) -> Shell:
    """A shell in an empty folder with a tracking database."""
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(monkeypatch, capfd, uri)


@pytest.fixture
def use_case(shell: Shell, tmp_path: Path) -> Any:
    """A folder ``uc`` with a use case that works."""
    return folder.Folder(tmp_path / "uc")


@pytest.fixture
def table() -> Callable[..., Any]:
    """Makes the rows of the working use case, the header first."""
    return folder.rows


@pytest.fixture
def refuse(shell: Shell, tmp_path: Path) -> Callable[..., Ended]:
    """Runs ``mlops run uc`` and holds what is true of every refusal.

    Its ``stage`` is the one that fails, None where no run is begun; ``says`` are parts of the message.
    """

    def run(stage: str | None, *says: str, command: tuple[str, ...] = ("run", "uc"), code: int = 2) -> Ended:
        ended = shell(*command)
        assert ended.code == code, ended.err
        assert ended.err.count("error: ") == 1
        assert "Traceback" not in ended.err
        assert "Warning" not in ended.err
        assert len(ended.message) < 2500
        for part in says:
            assert part in ended.message
        assert shell.registered() == 0
        lifecycles = shell.runs("lifecycle")
        if stage is None:
            assert not lifecycles
            return ended
        done = STAGES[: STAGES.index(stage)]
        assert shell.statuses() == dict.fromkeys(done, "FINISHED") | {stage: "FAILED"}
        failed = shell.runs("stage")[-1]
        assert says[0] in failed.data.tags["mlops.error"]
        assert "did not finish" in shell.artifact(failed, "card.html", tmp_path)
        assert [one.info.status for one in lifecycles] == ["FAILED"]
        assert says[0] in lifecycles[0].data.tags["mlops.error"]
        return ended

    return run
