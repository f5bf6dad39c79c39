"""What tests of several layers share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tests are no package, so their modules are loaded by path.
_spec = importlib.util.spec_from_file_location("postgresql", Path(__file__).parent / "postgresql.py")
assert _spec is not None
assert _spec.loader is not None
postgresql = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(postgresql)


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database of a PostgreSQL server that runs for this session."""
    with postgresql.running_postgresql(tmp_path_factory.mktemp("postgresql")) as url:
        yield url
