"""A registry with a ledger in MLflow's database: the port of governance, with everything in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_mlflow.core.ledger.chain import Head, Stored
from mlops_mlflow.core.ledger.record import Entry, Record
from mlops_mlflow.governance.actor import current_actor
from mlops_mlflow.governance.shelf import Attempt, Shelf
from mlops_mlflow.tracking.errors import RegistryError, translated, without_password
from mlops_mlflow.tracking.tracker import GOVERNED, check_reachable, now_ms

if TYPE_CHECKING:
    from mlops_mlflow.governance.database.store import GovernedStore

T = TypeVar("T")
PATIENCE = 20.0
"""Seconds; as long as MLflow itself waits for SQLite."""
PAGE = 1000
"""Records that are read at once; between two pages the database belongs to others."""


def open_registry(address: str, *, patience: float = PATIENCE) -> DatabaseRegistry:
    """Reach the registry in a tracking database; our tables are made if need be.

    Args:
        address: SQLAlchemy's of the database, with or without ``mlops+`` before it.
        patience: Seconds that a change waits for others.

    Raises:
        TrackingError: The database cannot be reached.
        RegistryError: It is neither SQLite nor PostgreSQL, or its ledger is of a newer version.
    """
    from mlops_mlflow.governance.database.store import GovernedStore

    address = address.removeprefix(GOVERNED)
    check_reachable(address)
    with translated("open the model registry", uri=without_password(address), kind=RegistryError):
        return DatabaseRegistry(GovernedStore(address, patience))


@dataclass(frozen=True)
class DatabaseRegistry:
    """Keeps the ledger beside the models.

    Attributes:
        store: MLflow's, with our tables.
        enforced: Its clients meet the policy, unless they open the database by its plain address.
    """

    store: GovernedStore
    enforced: bool = True

    @property
    def place(self) -> str:
        """Where it is, for people, without a password."""
        return self.store.place

    def shelf(self, model: str) -> Shelf:
        """A model as it is now; one that does not exist has no versions.

        Raises:
            RegistryError: It cannot be read.
        """
        from mlops_mlflow.governance.database.reading import read_shelf

        return self._read(f"read {model}", lambda session: read_shelf(session, model))

    @contextmanager
    def changing(self, model: str) -> Iterator[DatabaseChange]:
        """Begin a change, alone; it is written when the block ends, and undone after an error.

        Raises:
            RegistryError: Others do not let go of the registry, or the database refuses.
        """
        from mlops_mlflow.governance.database import attempts
        from mlops_mlflow.governance.database.reading import head, read_shelf

        doing = f"change {model}"
        with self._attempt(doing, model) as attempt, self.store.sessions() as session:
            with self.asking(doing):
                self.store.lock(session)
                shelf, now, last = read_shelf(session, model), self.store.now(session), head(session)
            change = DatabaseChange(self, session, shelf, now, last)
            yield change
            if change.failed:
                hint = "nothing was changed: see to that, and try again"
                raise RegistryError(f"could not {doing}", got=f"could not {change.failed}", hint=hint)
            with self.asking(doing):
                attempts.end(session, attempt)
                session.commit()

    def interrupted(self) -> tuple[Attempt, ...]:
        """Changes that were cut off, of which nothing was written; each is told once.

        Raises:
            RegistryError: The database cannot be read.
        """
        from mlops_mlflow.governance.database import attempts

        doing = "look for changes that were cut off"
        found = self._read(doing, lambda session: attempts.interrupted(session, now_ms()))
        if found:
            with self.asking(doing), self.store.briefly() as session:
                for one in found:
                    attempts.end(session, one)
        return found

    @contextmanager
    def _attempt(self, doing: str, model: str) -> Iterator[Attempt]:
        """Leave a trace of a change, in case that its process is killed."""
        from mlops_mlflow.governance.database import attempts

        with self.asking(doing), self.store.briefly() as session:
            attempt = attempts.begin(session, model, current_actor().name, now_ms())
        try:
            yield attempt
        except BaseException:
            with contextlib.suppress(RegistryError), self.asking(doing), self.store.briefly() as session:
                attempts.end(session, attempt)
            raise

    def governed(self) -> tuple[str, ...]:
        """Names of the models that the ledger knows, sorted."""
        from mlops_mlflow.governance.database.reading import governed

        return self._read("list the governed models", governed)

    def stored(self, after: int = 0) -> Iterator[Stored]:
        """The ledger's records after a sequence, in their order, as they are kept; after 0, whatever is there."""
        from mlops_mlflow.governance.database.reading import BEFORE_ALL, page

        last = after or BEFORE_ALL
        while records := self._read("read the ledger", partial(page, after=last, most=PAGE)):
            yield from records
            last = records[-1].sequence

    @contextmanager
    def asking(self, doing: str) -> Iterator[None]:
        """Turn what the database raises into our errors.

        Args:
            doing: What is being done, as in "could not ...".
        """
        from mlops_mlflow.governance.database.store import waiting

        with translated(doing, uri=self.place, kind=RegistryError), waiting(self.place, self.store.patience):
            yield

    def _read(self, doing: str, read: Callable[[Any], T]) -> T:
        with self.asking(doing), self.store.snapshot() as session:
            return read(session)


@dataclass
class DatabaseChange:
    """A change on its way, in one transaction.

    Attributes:
        registry: Where.
        session: The transaction.
        shelf: The model as it was when the change began.
        now: Milliseconds since 1970.
        head: The ledger's last record.
        failed: What could not be done; then nothing is, also where somebody caught the error.
    """

    registry: DatabaseRegistry
    session: Any
    shelf: Shelf
    now: int
    head: Head
    failed: str = ""

    def record(self, entry: Entry) -> Record:
        """Append to the ledger."""
        from mlops_mlflow.governance.database.reading import append

        made = Record(self.head.sequence + 1, self.now, entry, self.head.hash)
        with self._trying(f"record a {entry.action} of {entry.model}"):
            append(self.session, made)
        self.head = Head(made.sequence, made.hash)
        return made

    def move(self, version: str, stage: str) -> None:
        """Put a version into a registry stage."""
        self._do(
            f"move version {version} to {stage}",
            lambda store: store.transition_model_version_stage(self.shelf.name, version, stage, False),
        )

    def alias(self, name: str, version: str | None) -> None:
        """Let an alias name a version; None takes it away."""
        if version is None:
            self._do(
                f"delete the alias {name}", lambda store: store.delete_registered_model_alias(self.shelf.name, name)
            )
        else:
            self._do(
                f"set the alias {name}", lambda store: store.set_registered_model_alias(self.shelf.name, name, version)
            )

    def tag(self, version: str, key: str, value: str | None) -> None:
        """Set a tag of a version; None takes it away."""
        from mlflow.entities.model_registry import ModelVersionTag

        model, doing = self.shelf.name, f"tag version {version} with {key}"
        if value is None:
            self._do(doing, lambda store: store.delete_model_version_tag(model, version, key))
        else:
            self._do(doing, lambda store: store.set_model_version_tag(model, version, ModelVersionTag(key, value)))

    def delete(self, version: str) -> None:
        """Delete a version."""
        self._do(f"delete version {version}", lambda store: store.delete_model_version(self.shelf.name, version))

    def _do(self, doing: str, act: Callable[[GovernedStore], object]) -> None:
        store = self.registry.store
        with self._trying(f"{doing} of {self.shelf.name}"), store.within(self.session):
            act(store)

    @contextmanager
    def _trying(self, doing: str) -> Iterator[None]:
        try:
            with self.registry.asking(doing):
                yield
        except BaseException:
            self.failed = doing
            raise
