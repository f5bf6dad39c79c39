"""A model registry with a ledger, in memory: what the real ones are compared with."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from mlops_mlflow.core.ledger.chain import Stored
from mlops_mlflow.core.ledger.record import BEGINNING, Entry, Record
from mlops_mlflow.core.ledger.replay import history
from mlops_mlflow.governance.shelf import Attempt, Shelf, Version


@dataclass
class FakeRegistry:
    """Keeps everything in dictionaries; a change that fails leaves nothing."""

    now: int = 1_700_000_000_000
    enforced: bool = True
    place: str = "memory"
    records: list[Record] = field(default_factory=list)
    versions: dict[str, dict[str, Version]] = field(default_factory=dict)
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, model: str, number: str = "1", *, stage: str = "None", **tags: str) -> Version:
        """What MLflow's `create_model_version` does."""
        version = Version(model, number, stage, f"models:/m-{number}", tags, f"run-{number}", self.now)
        self.versions.setdefault(model, {})[number] = version
        return version

    def shelf(self, model: str) -> Shelf:
        found = [one for one in self.records if one.entry.model == model]
        return Shelf(model, dict(self.versions.get(model, {})), dict(self.aliases.get(model, {})), history(found))

    @contextmanager
    def changing(self, model: str) -> Iterator[FakeChange]:
        with self.lock:
            before = list(self.records), dict(self.versions.get(model, {})), dict(self.aliases.get(model, {}))
            try:
                yield FakeChange(self, self.shelf(model), self.now)
            except BaseException:
                self.records, self.versions[model], self.aliases[model] = before
                raise

    def governed(self) -> tuple[str, ...]:
        return tuple(sorted({one.entry.model for one in self.records}))

    def stored(self, after: int = 0) -> Iterator[Stored]:
        for one in self.records:
            if one.sequence > after:
                yield Stored(one.sequence, one.text, one.previous, one.hash)

    def interrupted(self) -> tuple[Attempt, ...]:
        return ()


@dataclass
class FakeChange:
    registry: FakeRegistry
    shelf: Shelf
    now: int

    def record(self, entry: Entry) -> Record:
        records = self.registry.records
        made = Record(len(records) + 1, self.now, entry, records[-1].hash if records else BEGINNING)
        Record.from_plain(json.loads(made.text))  # what cannot be written, or read again, is no record
        records.append(made)
        return made

    def move(self, version: str, stage: str) -> None:
        kept = self.registry.versions[self.shelf.name]
        kept[version] = replace(kept[version], registry_stage=stage)

    def alias(self, name: str, version: str | None) -> None:
        aliases = self.registry.aliases.setdefault(self.shelf.name, {})
        if version is None:
            aliases.pop(name, None)
        else:
            aliases[name] = version

    def tag(self, version: str, key: str, value: str | None) -> None:
        kept = self.registry.versions[self.shelf.name]
        tags = {name: text for name, text in kept[version].tags.items() if name != key}
        kept[version] = replace(kept[version], tags=tags if value is None else {**tags, key: value})
