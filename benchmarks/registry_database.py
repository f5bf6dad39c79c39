"""A SQLite database with many models, versions and records, written in bulk through the real tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.timing import WORK, say
from mlops_mlflow.core.ledger.record import BEGINNING, Actor, Entry, Record
from mlops_mlflow.core.policy.evidence import PARTS, Evidence

MODELS, VERSIONS = 1000, 20
RECORDS = MODELS * VERSIONS * 5
BEGAN, STEP = 1_750_000_000_000, 60_000
EVIDENCE = Evidence(dict.fromkeys(PARTS, "e" * 64))
ANN, BOB = Actor("ann"), Actor("bob")
FORM = 1
"""To be raised when what is written changes: a database that is there is taken again."""


def name_of(model: int) -> str:
    """Of a registered model."""
    return f"model_{model:04d}"


def database() -> Path:
    """The database, made once."""
    path = WORK / f"registry-{FORM}.db"
    if path.exists():
        return path
    say(f"making {path.name}: {MODELS:,} models, {RECORDS:,} records")
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    _fill(f"sqlite:///{part}")
    part.rename(path)
    return path


def _fill(address: str) -> None:
    from mlflow.store.model_registry.dbmodels import models as tables

    from mlops_mlflow.governance.database.registry import open_registry
    from mlops_mlflow.tracking.new_database import make_database

    make_database(address, Path(address.removeprefix("sqlite:///")))
    registry = open_registry(address)
    with registry.store.alone() as session:
        session.execute(tables.SqlRegisteredModel.__table__.insert(), list(_models()))
        session.execute(tables.SqlModelVersion.__table__.insert(), list(_versions()))
        session.execute(tables.SqlModelVersionTag.__table__.insert(), list(_tags()))
        session.execute(tables.SqlRegisteredModelAlias.__table__.insert(), list(_aliases()))
        insert = "INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (?, ?, ?, ?)"
        session.connection().exec_driver_sql(insert, list(_Ledger().rows()))
    registry.store.engine.dispose()


def _stage(version: int) -> str:
    return {VERSIONS: "Staging", VERSIONS - 1: "Production"}.get(version, "Archived")


def _pairs() -> Iterator[tuple[str, int]]:
    return ((name_of(model), version) for model in range(MODELS) for version in range(1, VERSIONS + 1))


def _models() -> Iterator[dict[str, Any]]:
    for model in range(MODELS):
        yield {"workspace": "default", "name": name_of(model), "creation_time": BEGAN, "last_updated_time": BEGAN}


def _versions() -> Iterator[dict[str, Any]]:
    for name, version in _pairs():
        yield {
            "workspace": "default",
            "name": name,
            "version": version,
            "creation_time": BEGAN,
            "last_updated_time": BEGAN,
            "current_stage": _stage(version),
            "source": f"models:/m-{name}-{version}",
            "run_id": hashlib.md5(f"{name}{version}".encode(), usedforsecurity=False).hexdigest(),
            "status": "READY",
        }


def _tags() -> Iterator[dict[str, Any]]:
    for name, version in _pairs():
        for key, value in (("mlops.registry_stage", _stage(version)), ("mlops.result_key", "k" * 64), ("team", "a")):
            yield {"workspace": "default", "name": name, "version": version, "key": key, "value": value}


def _aliases() -> Iterator[dict[str, Any]]:
    for model in range(MODELS):
        for alias, version in (("champion", VERSIONS - 1), ("challenger", VERSIONS)):
            yield {"workspace": "default", "name": name_of(model), "alias": alias, "version": version}


@dataclass
class _Ledger:
    """Each version is registered, goes to Staging, is asked for, approved, and goes to Production; the last waits."""

    sequence: int = 0
    previous: str = BEGINNING
    asked: dict[str, int] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[int, str, str, str]]:
        for version in range(1, VERSIONS + 1):
            for model in range(MODELS):
                for entry in self._entries(name_of(model), version):
                    yield self._row(entry)

    def _row(self, entry: Entry) -> tuple[int, str, str, str]:
        self.sequence += 1
        if entry.action == "request":
            self.asked[entry.model] = self.sequence
        plain = Record(self.sequence, BEGAN + self.sequence * STEP, entry, self.previous).to_plain()
        # Canonical for what is in these records, and much quicker; the verification that is measured proves it.
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        before, self.previous = self.previous, hashlib.sha256(text.encode()).hexdigest()
        return self.sequence, text, before, self.previous

    def _entries(self, model: str, version: int) -> Iterator[Entry]:
        parts, number = dict(EVIDENCE.parts), str(version)
        more = {"evidence": EVIDENCE.digest, "policy": "f" * 64}
        facts = {"metrics": {"roc_auc": 0.7236, "value_per_row": 1.318}, "features": [["hour", "number"]] * 10}
        known = {"verdict": "passed", "judged": BEGAN, "use_case": {}, "parts": parts, "facts": facts}
        yield Entry("registration", model, ANN, number, details=known, **more)
        yield self._move(model, number, "None", "Staging", more)
        asked = {"lapses": BEGAN * 2, "parts": parts}
        yield Entry("request", model, ANN, number, "Staging", "Production", reason="to go", details=asked, **more)
        said = {"subject": "transition", "request": self.asked[model], "parts": parts}
        yield Entry("approval", model, BOB, number, "Staging", "Production", reason="seen", details=said, **more)
        if version < VERSIONS:
            yield self._move(model, number, "Staging", "Production", more)
        else:
            why = {"attempt": "transition", "why": "not by this person"}
            yield Entry("refusal", model, ANN, number, "Staging", "Production", details=why, **more)

    def _move(self, model: str, number: str, begin: str, to: str, more: dict[str, str]) -> Entry:
        moves = [[number, begin, to]]
        if to == "Production" and number != "1":
            moves.append([str(int(number) - 1), "Production", "Archived"])
        findings = [{"rule": "legal transition", "outcome": "met", "reason": f"{begin} -> {to}"}] * 4
        details: dict[str, Any] = {"moves": moves, "findings": findings}
        if to == "Production":
            details["request"] = self.asked[model]
        return Entry("transition", model, BOB, number, begin, to, details=details, **more)
