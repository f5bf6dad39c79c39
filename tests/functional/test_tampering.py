"""Whoever has the database can change whatever is in it; `mlops audit verify` says so."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import rfc8785
import sqlalchemy
from desks import Office
from fake_registry import FakeRegistry
from registry_databases import KINDS, new_database, plainly

from mlops_mlflow.core.ledger.chain import Broken, Stored
from mlops_mlflow.governance.audit import anchor, verify
from mlops_mlflow.governance.database.registry import open_registry
from mlops_mlflow.governance.shelf import Registry
from mlops_mlflow.governance.signing import make_key, read_anchors

pytestmark = pytest.mark.functional
KEY, FILE = Path("audit.pem"), Path("anchors.jsonl")


@dataclass
class TamperedFake(FakeRegistry):
    """Keeps what an attacker leaves."""

    left: list[Stored] | None = None

    def stored(self, after: int = 0) -> Iterator[Stored]:
        yield from super().stored(after) if self.left is None else (one for one in self.left if one.sequence > after)


@dataclass
class Attacked:
    """A registry, and what somebody with access to its database can do to the ledger."""

    registry: Registry
    leave: Callable[[Sequence[Stored]], None]
    before: list[Stored] = field(default_factory=list)

    def attack(self, rows: Sequence[Stored]) -> Broken:
        self.leave(rows)
        found = verify(self.registry)
        assert found.found_something
        assert found.broken is not None
        return found.broken


def in_memory() -> Attacked:
    registry = TamperedFake()
    Office(registry=registry).in_production("1", "2")
    return Attacked(registry, lambda rows: setattr(registry, "left", list(rows)))


def in_database(address: str) -> Attacked:
    registry = open_registry(address)
    office = Office().in_production("1", "2")
    with registry.changing("churn") as change:
        for one in office.registry.records:
            change.record(one.entry)
    return Attacked(registry, lambda rows: overwrite(address, rows))


def overwrite(address: str, rows: Sequence[Stored]) -> None:
    with plainly(address) as connection:
        drop_triggers(connection)
        connection.exec_driver_sql("DELETE FROM mlops_ledger")
        statement = (
            "INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (:sequence, :text, :previous, :hash)"
        )
        for one in rows:
            connection.execute(sqlalchemy.text(statement), {**vars(one), "text": one.text.decode()})


def drop_triggers(connection: sqlalchemy.Connection) -> None:
    if connection.dialect.name == "sqlite":
        for name in ("insert", "update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER mlops_ledger_{name}")
    else:
        for name in ("insert", "refuse"):
            connection.exec_driver_sql(f"DROP TRIGGER mlops_ledger_{name} ON mlops_ledger")


@pytest.fixture(params=["memory", *KINDS])
def attacked(request: pytest.FixtureRequest) -> Iterator[Attacked]:
    if request.param == "memory":
        made = in_memory()
        made.before = list(made.registry.stored())
        yield made
        return
    with new_database(request) as address:
        made = in_database(address)
        made.before = list(made.registry.stored())
        yield made
        made.registry.store.engine.dispose()  # type: ignore[attr-defined]  # of the database


def forged(one: Stored, **changes: object) -> Stored:
    """With another content, and a hash that fits it."""
    text = rfc8785.dumps({**json.loads(one.text), **changes})
    return Stored(one.sequence, text, json.loads(text)["previous"], hashlib.sha256(text).hexdigest())


def renumbered(rows: Sequence[Stored]) -> list[Stored]:
    return [replace(one, sequence=place) for place, one in enumerate(rows, 1)]


def rewritten(rows: Sequence[Stored], begin: int, **changes: object) -> list[Stored]:
    """All records from one on, each following from the one before: a chain that holds."""
    made = list(rows[: begin - 1])
    for one in rows[begin - 1 :]:
        previous = made[-1].hash
        made.append(forged(one, previous=previous, **changes))
    return made


def test_nobody_was_there(attacked):
    assert verify(attacked.registry).broken is None
    attacked.leave(attacked.before)
    assert verify(attacked.registry).broken is None, "the way of the attack itself changes nothing"


def test_a_changed_row(attacked):
    rows = list(attacked.before)
    rows[4] = replace(rows[4], text=rows[4].text.replace(b'"bob"', b'"ann"').replace(b'"cem"', b'"ann"'))
    assert rows != attacked.before
    found = attacked.attack(rows)
    assert (found.sequence, found.kind) == (5, "changed")


def test_a_changed_row_with_its_hash_computed_again(attacked):
    rows = list(attacked.before)
    rows[4] = forged(rows[4], reason="looked at by nobody")
    found = attacked.attack(rows)
    assert (found.sequence, found.kind) == (5, "changed")


@pytest.mark.parametrize("tidied", [False, True], ids=["gap", "renumbered"])
def test_a_deleted_row(attacked, tidied):
    left = [*attacked.before[:4], *attacked.before[5:]]
    found = attacked.attack(renumbered(left) if tidied else left)
    assert (found.sequence, found.kind) == (5, "deleted")


def test_an_inserted_row(attacked):
    rows = attacked.before
    new = forged(rows[4], reason="never happened")
    found = attacked.attack(renumbered([*rows[:4], new, *rows[4:]]))
    assert (found.sequence, found.kind) == (5, "inserted")


def test_re_ordered_rows(attacked):
    rows = attacked.before
    found = attacked.attack(renumbered([*rows[:4], rows[6], rows[5], rows[4], *rows[7:]]))
    assert (found.sequence, found.kind) == (5, "re-ordered")


def test_a_ledger_that_was_written_anew_from_some_record_on(attacked):
    make_key(KEY)
    anchor(attacked.registry, FILE, KEY, now=0)
    attacked.leave(rewritten(attacked.before, 5, reason="all is well"))
    assert verify(attacked.registry).broken is None, "without an anchor nothing shows"
    found = verify(attacked.registry, anchors=read_anchors(FILE)).broken
    assert found is not None
    assert (found.sequence, found.kind) == (len(attacked.before), "rewritten")


def test_an_old_state_of_the_ledger(attacked):
    make_key(KEY)
    anchor(attacked.registry, FILE, KEY, now=0)
    attacked.leave(attacked.before[:6])
    assert verify(attacked.registry).broken is None, "without an anchor nothing shows"
    found = verify(attacked.registry, anchors=read_anchors(FILE)).broken
    assert found is not None
    assert (found.sequence, found.kind) == (7, "rolled back")


def test_a_whole_database_restored_from_an_old_backup(migrated_store, tmp_path):
    file, backup = tmp_path / "registry.db", tmp_path / "backup.db"
    shutil.copyfile(migrated_store, file)
    made = in_database(f"sqlite:///{file}")
    made.registry.store.engine.dispose()
    shutil.copyfile(file, backup)
    with made.registry.changing("churn") as change:
        change.record(Office().in_production("3").last.entry)
    make_key(KEY)
    signed = anchor(made.registry, FILE, KEY, now=0)
    made.registry.store.engine.dispose()
    shutil.copyfile(backup, file)
    found = verify(open_registry(f"sqlite:///{file}"), anchors=read_anchors(FILE)).broken
    assert found is not None
    assert (found.sequence, found.kind) == (signed.head.sequence, "rolled back")


@pytest.mark.parametrize("value", ["x'ff00'", "'{}'", "12"])
def test_whatever_bytes_are_put_into_a_row_do_not_stop_who_verifies(migrated_store, tmp_path, value):
    file = tmp_path / "registry.db"
    shutil.copyfile(migrated_store, file)
    made = in_database(f"sqlite:///{file}")
    with plainly(f"sqlite:///{file}") as connection:
        drop_triggers(connection)
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        try:
            connection.exec_driver_sql(f"UPDATE mlops_ledger SET text = {value} WHERE sequence = 3")
        except sqlalchemy.exc.DBAPIError:
            # The columns that are computed from it cannot be; without them anything goes in.
            rebuild(connection)
            connection.exec_driver_sql(f"UPDATE mlops_ledger SET text = {value} WHERE sequence = 3")
    found = verify(made.registry).broken
    assert found is not None
    assert (found.sequence, found.kind) == (3, "changed")


def rebuild(connection: sqlalchemy.Connection) -> None:
    """The ledger's table without rules, as an attacker leaves it."""
    connection.exec_driver_sql("CREATE TABLE own AS SELECT * FROM mlops_ledger")
    connection.exec_driver_sql("DROP TABLE mlops_ledger")
    connection.exec_driver_sql("ALTER TABLE own RENAME TO mlops_ledger")
