"""A change of a plain server's registry, prepared: records to be written, and steps that can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlops_mlflow.core.ledger.chain import Head
from mlops_mlflow.core.ledger.record import Entry, Record
from mlops_mlflow.governance.shelf import Shelf, Version


@dataclass(frozen=True)
class Step:
    """Something to do to the registry, and what was there before.

    Attributes:
        what: Is set.
        version: Of which version; empty for an alias, which belongs to the model.
        key: Name of the alias or tag; empty for the registry stage.
        value: To be there afterwards; None for nothing.
        before: What was there.
    """

    what: Literal["stage", "alias", "tag"]
    version: str
    key: str
    value: str | None
    before: str | None

    def __str__(self) -> str:
        of = f" of version {self.version}" if self.version else ""
        return (
            f"set the {self.what} {self.key or self.value}{of}"
            if self.value
            else f"delete the {self.what} {self.key}{of}"
        )

    def do(self, client: Any, model: str, value: str | None) -> None:
        """Set it to a value."""
        match self.what, value:
            case "stage", _:
                client.transition_model_version_stage(model, self.version, value)
            case "alias", None:
                client.delete_registered_model_alias(model, self.key)
            case "alias", _:
                client.set_registered_model_alias(model, self.key, value)
            case "tag", None:
                client.delete_model_version_tag(model, self.version, self.key)
            case "tag", _:
                client.set_model_version_tag(model, self.version, self.key, value)

    def is_done(self, versions: Mapping[str, Version], aliases: Mapping[str, str]) -> bool:
        """Whether it is as it is to be."""
        if self.what == "alias":
            return aliases.get(self.key) == self.value
        version = versions[self.version]
        return (version.registry_stage if self.what == "stage" else version.tags.get(self.key)) == self.value


@dataclass
class RemoteChange:
    """A change that is being prepared.

    Attributes:
        shelf: The model as it was when the change began.
        now: Milliseconds since 1970, by this machine's clock.
        head: The last record, with those of this change.
        records: To be written.
        steps: To be done then, without those that change nothing.
    """

    shelf: Shelf
    now: int
    head: Head
    records: list[Record] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def record(self, entry: Entry) -> Record:
        """Append to the ledger."""
        made = Record(self.head.sequence + 1, self.now, entry, self.head.hash)
        self.records.append(made)
        self.head = Head(made.sequence, made.hash)
        return made

    def move(self, version: str, stage: str) -> None:
        """Put a version into a registry stage."""
        there = self.shelf.versions.get(version)
        self._add("stage", version, "", stage, there.registry_stage if there else None)

    def alias(self, name: str, version: str | None) -> None:
        """Let an alias name a version; None takes it away."""
        self._add("alias", "", name, version, self.shelf.aliases.get(name))

    def tag(self, version: str, key: str, value: str | None) -> None:
        """Set a tag of a version; None takes it away."""
        there = self.shelf.versions.get(version)
        self._add("tag", version, key, value, there.tags.get(key) if there else None)

    def _add(
        self, what: Literal["stage", "alias", "tag"], version: str, key: str, value: str | None, before: str | None
    ) -> None:
        for one in self.steps:
            if (one.what, one.version, one.key) == (what, version, key):
                before = one.value
        if before != value:
            self.steps.append(Step(what, version, key, value, before))
