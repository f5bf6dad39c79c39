"""MLflow's own store, made to do several things in one transaction that no other of ours overlaps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.governance.database import schema
from mlops_mlflow.tracking.errors import without_password

ADVISORY_LOCK = 6_071_837_562_041
"""Any number, the same for everybody who changes the registry of a database."""
LOCK_NOT_AVAILABLE = "55P03"
SQLITE_BUSY = 5


class BusyError(RegistryError):
    """Others have been changing the registry for too long."""


class GovernedStore(SqlAlchemyStore):  # type: ignore[misc]  # MLflow is not type-checked here
    """MLflow's store, of which calls can share a session.

    MLflow opens a session for each call and commits it; inside ``within`` calls of this thread share a given one, and
    whoever opened that commits it.

    Args:
        address: SQLAlchemy's of the database.
        patience: Seconds to wait for others.

    Raises:
        RegistryError: The database is neither SQLite nor PostgreSQL, or its ledger is of a newer version.
    """

    def __init__(self, address: str, patience: float) -> None:
        self.place = without_password(address)
        schema.check_dialect(sqlalchemy.make_url(address).get_backend_name(), self.place)
        self.patience = patience
        super().__init__(address)
        self._own: Any = self.ManagedSessionMaker  # type: ignore[has-type]  # set by MLflow
        self.ManagedSessionMaker = self._session_of_call
        self.sessions = sessionmaker(bind=self.engine)
        self._thread = threading.local()
        with self.snapshot() as session:
            current = schema.is_current(session, self.place)
        if not current:
            with self.alone() as session:
                schema.migrate(session)

    @contextmanager
    def within(self, session: Session) -> Iterator[None]:
        """Let every call of this thread share a session."""
        self._thread.session = session
        try:
            yield
        finally:
            self._thread.session = None

    @contextmanager
    def alone(self) -> Iterator[Session]:
        """A transaction that no other one of these overlaps; undone after an error, committed otherwise."""
        with self.sessions() as session:
            self.lock(session)
            yield session
            session.commit()

    @contextmanager
    def briefly(self) -> Iterator[Session]:
        """A transaction that touches no model and no record: only SQLite makes it wait for those of others."""
        with self.sessions() as session:
            if self._is_sqlite:
                self.lock(session)
            yield session
            session.commit()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session that sees the database as it is now, whatever is committed meanwhile."""
        with self.sessions() as session:
            if self._is_sqlite:
                self._prepare_sqlite(session)
                session.execute(text("BEGIN"))
            else:
                session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield session

    def lock(self, session: Session) -> None:
        """Begin the session's transaction, when everybody else's has ended."""
        if self._is_sqlite:
            self._prepare_sqlite(session)
            session.execute(text("BEGIN IMMEDIATE"))
            return
        # Each statement has to see what was committed while this one waited.
        session.execute(text("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"))
        session.execute(text(f"SET LOCAL lock_timeout = {self._patience_ms}"))
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ADVISORY_LOCK})

    def now(self, session: Session) -> int:
        """Milliseconds since 1970: PostgreSQL's clock, or this machine's."""
        if self._is_sqlite:
            return int(time.time() * 1000)
        found = session.execute(text("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)")).scalar_one()
        return int(found)

    @property
    def _is_sqlite(self) -> bool:
        return bool(self.engine.dialect.name == "sqlite")

    @property
    def _patience_ms(self) -> int:
        return int(self.patience * 1000)

    def _prepare_sqlite(self, session: Session) -> None:
        """What MLflow says at the beginning of its sessions; inside a transaction it would be too late."""
        session.execute(text("PRAGMA foreign_keys = ON"))
        session.execute(text(f"PRAGMA busy_timeout = {self._patience_ms}"))

    @contextmanager
    def _session_of_call(self, read_only: bool = True) -> Iterator[Session]:
        shared = getattr(self._thread, "session", None)
        if shared is None:
            with self._own(read_only=read_only) as session:
                yield session
        else:
            yield shared
            shared.flush()


@contextmanager
def waiting(place: str, patience: float) -> Iterator[None]:
    """Turn a lock that was not to be had into an error that says so.

    Raises:
        BusyError: Others hold it.
    """
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        if not _is_busy(error.orig):
            raise
        raise BusyError(
            f"others have been changing the registry in {place} for {patience:g} seconds",
            expected="a registry that is free, or soon is",
            got=str(error.orig).splitlines()[0],
            hint="nothing was changed: try again; if it goes on, look for a process that hangs in a transaction",
        ) from error


def _is_busy(error: BaseException | None) -> bool:
    """By the codes of SQLite and PostgreSQL, as their drivers pass them on."""
    told = error.args[0] if error is not None and error.args else None
    codes = {getattr(error, "sqlstate", None), getattr(error, "pgcode", None)}  # psycopg and psycopg2
    codes |= {told.get("C")} if isinstance(told, dict) else set()  # pg8000
    return LOCK_NOT_AVAILABLE in codes or getattr(error, "sqlite_errorcode", 0) & 0xFF == SQLITE_BUSY
