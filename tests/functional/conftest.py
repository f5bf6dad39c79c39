"""Real processes: servers that live as long as the session, and lifecycles that several tests look at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import watched as weeks  # noqa: E402  # these are found by the line above
from mlflow_server import Server, running_server  # noqa: E402
from watched import Watched  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("functional")
            # Ours runs in processes of its own; what this one sees are warnings that MLflow and its libraries give.
            item.add_marker(pytest.mark.filterwarnings("ignore"))
            if "postgresql_server" in getattr(item, "fixturenames", ()):
                item.add_marker("postgresql")


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An MLflow server on SQLite."""
    with running_server(tmp_path_factory.mktemp("sqlite-server")) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory, postgresql_url: str) -> Iterator[Server]:
    """An MLflow server on PostgreSQL."""
    with running_server(tmp_path_factory.mktemp("postgresql-server"), postgresql_url) as server:
        yield server


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory, migrated_store: Path) -> Watched:
    """A version in Production without a row."""
    return weeks.in_production(tmp_path_factory.mktemp("fresh"), migrated_store)


@pytest.fixture(scope="session")
def scored(fresh: Watched, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """With five weeks scored, of which the last two turn out badly; to be copied."""
    copy = fresh.copied(tmp_path_factory.mktemp("scored"))
    for number in range(len(weeks.WEEKS)):
        copy.score(weeks.FIRST + pd.Timedelta(weeks=number))
    return copy
