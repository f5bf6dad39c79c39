"""What governance asks of a model registry: what it holds, and changes that happen whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.chain import Stored
from mlops_mlflow.core.ledger.history import History
from mlops_mlflow.core.ledger.record import Entry, Record


@dataclass(frozen=True)
class Version:
    """A registered model version.

    Attributes:
        name: Of the registered model.
        number: Of the version.
        registry_stage: None, Staging, Production or Archived.
        source: URI of its files.
        tags: As in the registry.
        run_id: Run that it came from.
        created: Milliseconds since 1970.
    """

    name: str
    number: str
    registry_stage: str
    source: str
    tags: Mapping[str, str]
    run_id: str = ""
    created: int = 0

    @classmethod
    def of(cls, found: Any) -> Version:
        """From what MLflow's client gives."""
        return cls(
            found.name,
            str(found.version),
            found.current_stage,
            found.source,
            dict(found.tags),
            found.run_id or "",
            found.creation_timestamp or 0,
        )

    @property
    def uri(self) -> str:
        """By which MLflow loads it."""
        return f"models:/{self.name}/{self.number}"


@dataclass(frozen=True)
class Shelf:
    """A registered model: what the registry shows, and what the ledger says of it.

    Attributes:
        name: Of the registered model.
        versions: By number, in the order of their numbers; deleted ones are not among them.
        aliases: Number of a version, by alias.
        history: What the ledger says.
    """

    name: str
    versions: Mapping[str, Version] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    history: History = field(default_factory=History)

    def in_stage(self, stage: str) -> tuple[Version, ...]:
        """Versions that the registry shows in a registry stage."""
        return tuple(one for one in self.versions.values() if one.registry_stage == stage)


@dataclass(frozen=True)
class Attempt:
    """A change that has begun.

    Attributes:
        id: Its own.
        process: Place, number and start of whoever began it.
        model: What it changes.
        actor: Name of that process's user.
        began: Milliseconds since 1970.
    """

    id: str
    process: str
    model: str
    actor: str
    began: int


class Change(Protocol):
    """A change of one model on its way. Whatever is called here happens together, or, after an error, not at all."""

    @property
    def shelf(self) -> Shelf:
        """The model as it was when the change began; nobody else changes it meanwhile."""

    @property
    def now(self) -> int:
        """Time of the change: milliseconds since 1970, by the clock of whoever keeps the registry, where it tells."""

    def record(self, entry: Entry) -> Record:
        """Append to the ledger."""

    def move(self, version: str, stage: str) -> None:
        """Put a version into a registry stage."""

    def alias(self, name: str, version: str | None) -> None:
        """Let an alias name a version; None takes it away."""

    def tag(self, version: str, key: str, value: str | None) -> None:
        """Set a tag of a version; None takes it away."""


class Registry(Protocol):
    """A model registry with a ledger."""

    @property
    def enforced(self) -> bool:
        """Whether the registry is bound to what is decided here."""

    @property
    def place(self) -> str:
        """Where it is, for people, without a password."""

    def shelf(self, model: str) -> Shelf:
        """A model as it is now; one that does not exist has no versions.

        Raises:
            RegistryError: It cannot be read.
        """

    def changing(self, model: str) -> AbstractContextManager[Change]:
        """Begin a change, alone; other processes that want to change something wait.

        Raises:
            RegistryError: It cannot be changed now.
        """

    def governed(self) -> tuple[str, ...]:
        """Names of the models that the ledger knows, sorted."""

    def stored(self, after: int = 0) -> Iterator[Stored]:
        """The ledger's records after a sequence, in their order, as they are kept."""

    def interrupted(self) -> tuple[Attempt, ...]:
        """Changes that were cut off, of which nothing was written; each is told once.

        Raises:
            RegistryError: It cannot be read.
        """


def read_record(sequence: int, text: str | bytes) -> Record:
    """A record from its text, as a ledger keeps it; whether it is the one that was written, only the chain tells.

    Raises:
        RegistryError: It is not a record.
    """
    try:
        return Record.from_plain(json.loads(text))
    except (ValueError, TypeError) as error:
        raise RegistryError(
            f"record {sequence} of the ledger cannot be read",
            expected="a record as this program writes it",
            got=str(error),
            hint="`mlops audit verify` tells what was changed",
        ) from error
