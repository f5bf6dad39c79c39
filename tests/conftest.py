"""What tests of several layers share: isolation, services, and a session that never passes over what did not run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Tests are no package: what several of them use lies here and is imported by name.
sys.path.insert(0, str(Path(__file__).parent))

from postgresql import running_postgresql  # found by the line above


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pictures", type=os.path.abspath, metavar="DIR", help="keep the browser's pictures in this folder"
    )
    parser.addoption("--rewrite-golden", action="store_true", help="write what tests see into tests/golden")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than ten seconds by itself")
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "loadfile"  # tests of one file share servers and lifecycles


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A test that was skipped proves nothing, so a session with one has not passed."""
    if exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    skipped = _skipped(config)
    if skipped:
        terminalreporter.section("NOT RUN", sep="=", red=True, bold=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr[2]}", red=True)
        terminalreporter.line(f"{len(skipped)} tests did not run, so this session has not passed", red=True)


def _skipped(config: pytest.Config) -> list[Any]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working directory, and MLflow without settings; both are as before afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in _mlflow_settings():
        monkeypatch.delenv(name)
    yield
    if "mlflow" in sys.modules:
        _forget_mlflow(sys.modules["mlflow"])
    for name in _mlflow_settings():
        del os.environ[name]


def _mlflow_settings() -> list[str]:
    return [name for name in os.environ if name.startswith("MLFLOW_")]


def _forget_mlflow(mlflow: Any) -> None:
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database of a PostgreSQL server that runs for this session."""
    with running_postgresql(tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database; making its tables takes seconds, copying it none."""
    import mlflow

    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def tracking_uri(migrated_store: Path, tmp_path: Path) -> str:
    """A tracking database of this test alone."""
    shutil.copyfile(migrated_store, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"
