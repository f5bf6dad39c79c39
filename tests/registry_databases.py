"""Databases with MLflow's tables for one test each, on SQLite and PostgreSQL."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
import sqlalchemy

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
TEMPLATE = "mlflow_tables"


@contextmanager
def new_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """An address of the kind that the fixture's parameter names; making MLflow's tables takes seconds, copying none."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        shutil.copyfile(request.getfixturevalue("migrated_store"), folder / "registry.db")
        yield f"sqlite:///{folder}/registry.db"
        return
    server = sqlalchemy.make_url(request.getfixturevalue("postgresql_url"))
    _make_template(server)
    name = f"registry_{secrets.token_hex(6)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@lru_cache
def _make_template(server: sqlalchemy.URL) -> None:
    from mlflow.store.db.utils import _initialize_tables

    _execute(server, f"CREATE DATABASE {TEMPLATE}")
    engine = sqlalchemy.create_engine(server.set(database=TEMPLATE), poolclass=sqlalchemy.NullPool)
    _initialize_tables(engine)


def _execute(server: sqlalchemy.URL, statement: str) -> None:
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


@contextmanager
def plainly(address: str) -> Iterator[sqlalchemy.Connection]:
    """The database, as whoever has its address may open it."""
    engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        yield connection
