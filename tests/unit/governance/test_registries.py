"""What every registry does: the one in memory that other tests stand on, and those in databases."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy
from fake_registry import FakeRegistry
from registry_databases import KINDS, new_database, plainly

from mlops_mlflow.core.errors import RegistryError, TrackingError
from mlops_mlflow.core.ledger.chain import Broken, Head, walk
from mlops_mlflow.core.ledger.record import BEGINNING, Actor, Entry, Record
from mlops_mlflow.governance.database import attempts, schema
from mlops_mlflow.governance.database import registry as database_registry
from mlops_mlflow.governance.database.registry import DatabaseRegistry, open_registry
from mlops_mlflow.governance.remote import RemoteRegistry
from mlops_mlflow.governance.shelf import Registry

ANN = Actor("ann")


@dataclass(frozen=True)
class Place:
    """A registry, and how a version comes into it."""

    registry: Registry
    put: Callable[..., None]


def stock_client(address: str) -> Any:
    import mlflow

    return mlflow.MlflowClient(address, registry_uri=address)


def put_by(client: Any) -> Callable[..., None]:
    from mlflow.exceptions import MlflowException
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    store: SqlAlchemyStore = client._get_registry_client().store

    def put(model: str, number: str = "1", *, stage: str = "None", **tags: str) -> None:
        with contextlib.suppress(MlflowException):  # it is there
            client.create_registered_model(model)
        made = client.create_model_version(model, f"file:///m-{number}", tags=tags)
        assert str(made.version) == number
        store.transition_model_version_stage(model, number, stage, False)

    return put


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_database(request) as made:
        yield made


@pytest.fixture(params=["memory", *KINDS, "remote"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "memory":
        fake = FakeRegistry()
        yield Place(fake, fake.put)
        return
    if request.param == "remote":
        uri = request.getfixturevalue("tracking_uri")
        yield Place(RemoteRegistry(uri), put_by(stock_client(uri)))
        return
    with new_database(request) as address:
        yield Place(open_registry(address), put_by(stock_client(address)))


@pytest.fixture
def database(address: str) -> DatabaseRegistry:
    return open_registry(address)


def moved(model: str, version: str, begin: str, to: str) -> Entry:
    return Entry("transition", model, ANN, version, begin, to, details={"moves": [[version, begin, to]]})


# -- every registry ----------------------------------------------------------------------------------------------------


def test_a_model_that_is_not_there_has_no_versions(place: Place) -> None:
    shelf = place.registry.shelf("nobody's")
    assert (shelf.name, shelf.versions, shelf.aliases) == ("nobody's", {}, {})
    assert shelf.history.moves == ()


def test_a_shelf_shows_what_the_registry_holds(place: Place) -> None:
    for number in range(1, 12):
        place.put("flights", str(number), stage="Staging" if number == 10 else "None", team=f"t{number}")
    place.put("others", "1", team="x")
    shelf = place.registry.shelf("flights")
    assert list(shelf.versions) == [str(number) for number in range(1, 12)]
    version = shelf.versions["10"]
    assert (version.name, version.number, version.registry_stage) == ("flights", "10", "Staging")
    assert dict(version.tags) == {"team": "t10"}
    assert version.created > 1_600_000_000_000
    assert [one.number for one in shelf.in_stage("Staging")] == ["10"]


def test_record_move_alias_and_tag_are_there_after_a_change(place: Place) -> None:
    place.put("flights")
    with place.registry.changing("flights") as change:
        made = change.record(moved("flights", "1", "None", "Staging"))
        change.move("1", "Staging")
        change.alias("challenger", "1")
        change.tag("1", "mlops.registry_stage", "Staging")
    shelf = place.registry.shelf("flights")
    assert shelf.versions["1"].registry_stage == "Staging" == shelf.history.stage_of("1")
    assert shelf.versions["1"].tags["mlops.registry_stage"] == "Staging"
    assert shelf.aliases == {"challenger": "1"}
    (stored,) = place.registry.stored()
    assert (stored.sequence, stored.text, stored.previous, stored.hash) == (1, made.text, BEGINNING, made.hash)


def test_aliases_and_tags_are_moved_and_taken_away(place: Place) -> None:
    place.put("flights")
    place.put("flights", "2")
    with place.registry.changing("flights") as change:
        change.alias("champion", "1")
        change.alias("challenger", "2")
        change.tag("1", "one", "a")
        change.tag("1", "two", "b")
    with place.registry.changing("flights") as change:
        change.alias("champion", "2")
        change.alias("challenger", None)
        change.alias("never-there", None)
        change.tag("1", "one", None)
        change.tag("1", "two", "c")
        change.tag("1", "never-there", None)
    shelf = place.registry.shelf("flights")
    assert shelf.aliases == {"champion": "2"}
    assert dict(shelf.versions["1"].tags) == {"two": "c"}


@pytest.mark.parametrize("after", range(4))
def test_an_error_takes_everything_back_and_comes_out_as_it_was(place: Place, after: int) -> None:
    place.put("flights", stage="Staging", kept="as it was")
    with place.registry.changing("flights") as change:
        change.record(moved("flights", "1", "None", "Staging"))
        change.alias("challenger", "1")
    before, records = place.registry.shelf("flights"), list(place.registry.stored())

    error = OSError("no such luck")

    def changed() -> None:
        with place.registry.changing("flights") as change:
            steps: list[Callable[[], object]] = [
                lambda: change.record(moved("flights", "1", "Staging", "Production")),
                lambda: change.move("1", "Production"),
                lambda: change.alias("challenger", None),
                lambda: change.tag("1", "kept", "no longer"),
            ]
            for step in steps[: after + 1]:
                step()
            raise error

    with pytest.raises(OSError, match="no such luck") as caught:
        changed()
    assert caught.value is error
    assert place.registry.shelf("flights") == before
    assert list(place.registry.stored()) == records


def test_records_of_all_models_are_one_chain(place: Place) -> None:
    for name in ("b", "a", "b", "c"):
        with place.registry.changing(name) as change:
            change.record(Entry("refusal", name, ANN))
            change.record(Entry("refusal", name, ANN, reason="again"))
    stored = list(place.registry.stored())
    assert [one.sequence for one in stored] == list(range(1, 9))
    assert walk(stored) == Head(8, stored[-1].hash)
    assert list(place.registry.stored(6)) == stored[6:]
    assert place.registry.governed() == ("a", "b", "c")


def test_a_change_knows_the_model_as_it_was_and_the_time(place: Place) -> None:
    place.put("flights", stage="Staging")
    with place.registry.changing("flights") as change:
        change.move("1", "Production")
        made = change.record(moved("flights", "1", "Staging", "Production"))
        assert change.shelf.versions["1"].registry_stage == "Staging"
        assert change.shelf.history.moves == ()
        assert made.time == change.now
    assert place.registry.shelf("flights").history.moves[0].time == made.time


@pytest.mark.parametrize("name", ['it\'s "quoted"', "<b onclick=x>", "Überflüge 航班 ✈", "100%", "a;b --", "\\u0000"])
def test_names_and_reasons_are_kept_as_they_are(place: Place, name: str) -> None:
    place.put(name)
    with place.registry.changing(name) as change:
        change.record(Entry("request", name, Actor(name), "1", reason=name, details={"lapses": 5, name: [name]}))
        change.tag("1", "said", name)
    shelf = place.registry.shelf(name)
    assert shelf.history.requests[1].comment == name
    assert shelf.versions["1"].tags["said"] == name
    assert place.registry.governed() == (name,)
    (stored,) = place.registry.stored()
    assert Record.from_plain(json.loads(stored.text)).entry.details[name] == [name]


@pytest.mark.parametrize("place", ["memory", *KINDS], indirect=True)  # a plain server cannot make anybody wait
def test_a_change_waits_for_another_and_sees_what_it_did(place: Place) -> None:
    place.put("flights")
    inside, seen = threading.Event(), []

    def second() -> None:
        inside.wait()
        with place.registry.changing("flights") as change:
            seen.append(change.shelf.versions["1"].registry_stage)

    thread = threading.Thread(target=second)
    thread.start()
    with place.registry.changing("flights") as change:
        inside.set()
        time.sleep(0.2)
        assert seen == []
        change.move("1", "Staging")
    thread.join(20)
    assert seen == ["Staging"]


# -- those in databases ------------------------------------------------------------------------------------------------


def test_nobody_sees_half_a_change(database: DatabaseRegistry, address: str) -> None:
    put_by(stock_client(address))("flights")
    with database.changing("flights") as change:
        change.record(moved("flights", "1", "None", "Staging"))
        change.move("1", "Staging")
        change.alias("challenger", "1")
        outside = open_registry(address).shelf("flights")
        assert outside.versions["1"].registry_stage == "None"
        assert (outside.aliases, outside.history.moves) == ({}, ())


def test_a_change_that_has_ended_changes_nothing_more(database: DatabaseRegistry, address: str) -> None:
    put_by(stock_client(address))("flights")
    with database.changing("flights") as change:
        pass
    change.move("1", "Production")
    change.record(Entry("refusal", "flights", ANN))
    change.session.close()
    assert database.shelf("flights").versions["1"].registry_stage == "None"
    assert list(database.stored()) == []


def test_what_the_registry_refuses_is_our_error_and_takes_the_record_back(
    database: DatabaseRegistry, address: str
) -> None:
    put_by(stock_client(address))("flights")

    def changed() -> None:
        with database.changing("flights") as change:
            change.record(moved("flights", "7", "None", "Staging"))
            change.move("7", "Staging")

    with pytest.raises(RegistryError, match="could not move version 7 to Staging of flights") as caught:
        changed()
    assert "RESOURCE_DOES_NOT_EXIST" in caught.value.got
    assert list(database.stored()) == []


@pytest.mark.parametrize(
    "fails",
    [
        lambda change: change.move("7", "Staging"),
        lambda change: change.alias("no alias!", "1"),
        lambda change: change.record(replace_sequence(change)),
    ],
)
def test_nothing_is_done_either_where_somebody_catches_the_error(
    database: DatabaseRegistry, address: str, fails: Callable[[Any], None]
) -> None:
    put_by(stock_client(address))("flights")

    def changed() -> None:
        with database.changing("flights") as change:
            change.record(moved("flights", "1", "None", "Staging"))
            change.move("1", "Staging")
            with pytest.raises(RegistryError):
                fails(change)

    with pytest.raises(RegistryError, match="could not change flights") as caught:
        changed()
    assert "nothing was changed" in caught.value.hint
    assert list(database.stored()) == []
    assert database.shelf("flights").versions["1"].registry_stage == "None"


def replace_sequence(change: Any) -> Entry:
    """An entry, and a ledger that will not take it."""
    change.head = Head(7, "x")
    return Entry("refusal", "flights", ANN)


def test_a_deleted_version_is_gone_and_its_record_stays(database: DatabaseRegistry, address: str) -> None:
    put = put_by(stock_client(address))
    put("flights", "1", team="x")
    put("flights", "2")
    with database.changing("flights") as change:
        change.record(Entry("deletion", "flights", ANN, "1"))
        change.delete("1")
    shelf = database.shelf("flights")
    assert list(shelf.versions) == ["2"]
    assert shelf.history.deleted == {"1"}


def test_records_are_read_page_by_page(database: DatabaseRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.changing("flights") as change:
        made = [change.record(Entry("refusal", "flights", ANN, reason=str(number))) for number in range(7)]
    monkeypatch.setattr(database_registry, "PAGE", 3)
    assert [one.hash for one in database.stored()] == [one.hash for one in made]
    reading = database.stored()
    next(reading)
    with database.changing("flights") as change:  # nothing is held while somebody reads
        change.record(Entry("refusal", "flights", ANN))
    assert len(list(reading)) == 7


def test_times_are_now(database: DatabaseRegistry) -> None:
    with database.changing("flights") as change:
        assert abs(change.now - time.time() * 1000) < 5000


def test_on_postgresql_the_clock_is_the_servers(
    database: DatabaseRegistry, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1.5)
    with database.changing("flights") as change:
        assert (change.now == 1500) is address.startswith("sqlite")


@pytest.fixture
def with_records(database: DatabaseRegistry) -> DatabaseRegistry:
    with database.changing("flights") as change:
        for number in range(3):
            change.record(Entry("refusal", "flights", ANN, reason=str(number)))
    return database


TAMPERING = {
    "update": "UPDATE mlops_ledger SET previous = 'x' WHERE sequence = 2",
    "update of all": "UPDATE mlops_ledger SET text = text",
    "delete": "DELETE FROM mlops_ledger WHERE sequence = 3",
    "delete of all": "DELETE FROM mlops_ledger",
    "insert between": "INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (2, '{}', '', '')",
    "insert before": "INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (0, '{}', '', '')",
    "insert with a gap": "INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (9, '{}', '', '')",
    "another model": "UPDATE mlops_ledger SET model = 'mine'",
}
ONLY = {
    "sqlite": {
        "replace": "REPLACE INTO mlops_ledger (sequence, text, previous, hash) VALUES (2, '{}', '', '')",
        "insert or replace": "INSERT OR REPLACE INTO mlops_ledger (sequence, text, previous, hash) "
        "VALUES (3, '', '', '')",
        "upsert": "INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (3, '{}', '', '') "
        "ON CONFLICT (sequence) DO UPDATE SET text = '{}'",
    },
    "postgresql": {
        "truncate": "TRUNCATE mlops_ledger",
        "as a replica": "SET session_replication_role = replica; DELETE FROM mlops_ledger",
        "upsert": "INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (3, '{}', '', '') "
        "ON CONFLICT (sequence) DO UPDATE SET text = '{}'",
    },
}


def tamperings() -> Iterator[Any]:
    for kind, more in ONLY.items():
        for name, statement in {**TAMPERING, **more}.items():
            marks = [pytest.mark.postgresql] if kind == "postgresql" else []
            yield pytest.param(kind, statement, id=f"{kind} {name}", marks=marks)


@pytest.mark.parametrize(("address", "statement"), list(tamperings()), indirect=["address"])
def test_the_database_refuses_to_change_records(with_records: DatabaseRegistry, address: str, statement: str) -> None:
    before = list(with_records.stored())
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError), plainly(address) as connection:
        connection.exec_driver_sql(statement)
    assert list(with_records.stored()) == before


def drop_triggers(connection: sqlalchemy.Connection) -> None:
    on = "" if connection.dialect.name == "sqlite" else " ON mlops_ledger"
    names = ("insert", "update", "delete") if connection.dialect.name == "sqlite" else ("insert", "refuse")
    for name in names:
        connection.exec_driver_sql(f"DROP TRIGGER mlops_ledger_{name}{on}")


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE mlops_ledger SET text = replace(text, 'ann', 'bob') WHERE sequence = 2", 2),
        ("DELETE FROM mlops_ledger WHERE sequence = 2", 2),
        ("UPDATE mlops_ledger SET sequence = 9 WHERE sequence = 1", 1),
        (
            "INSERT INTO mlops_ledger (sequence, text, previous, hash) "
            "SELECT 0, text, previous, hash FROM mlops_ledger WHERE sequence = 1",
            0,
        ),
    ],
)
def test_whoever_takes_the_triggers_away_breaks_the_chain(
    with_records: DatabaseRegistry, address: str, statement: str, first: int
) -> None:
    with plainly(address) as connection:
        drop_triggers(connection)
        connection.exec_driver_sql(statement)
    found = walk(with_records.stored())
    assert isinstance(found, Broken)
    assert found.sequence == first


@pytest.mark.parametrize("address", KINDS[:1], indirect=True)  # PostgreSQL keeps no such bytes
def test_bytes_that_are_no_text_are_found_and_not_tripped_over(with_records: DatabaseRegistry, address: str) -> None:
    with plainly(address) as connection:
        drop_triggers(connection)
        connection.exec_driver_sql(
            "UPDATE mlops_ledger SET text = CAST(replace(CAST(text AS BLOB), X'616E6E', X'61FF6E') AS TEXT) "
            "WHERE sequence = 2"
        )
    found = walk(with_records.stored())
    assert isinstance(found, Broken)
    assert found.sequence == 2


def test_a_record_that_is_none_is_an_error_that_names_it(with_records: DatabaseRegistry, address: str) -> None:
    with plainly(address) as connection:
        drop_triggers(connection)
        connection.exec_driver_sql("UPDATE mlops_ledger SET text = replace(text, 'roles', 'rules') WHERE sequence = 2")
    with pytest.raises(RegistryError, match="record 2 of the ledger cannot be read"):
        with_records.shelf("flights")


def test_a_shelf_costs_the_same_few_queries_however_much_there_is(database: DatabaseRegistry, address: str) -> None:
    put = put_by(stock_client(address))
    put("flights", team="x")

    def queries() -> list[str]:
        found: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            found.append(statement.split(maxsplit=1)[0])

        sqlalchemy.event.listen(database.store.engine, "before_cursor_execute", note)
        database.shelf("flights")
        sqlalchemy.event.remove(database.store.engine, "before_cursor_execute", note)
        return found

    few = queries()
    for number in range(2, 6):
        put("flights", str(number), team="x", other="y")
        put(f"other{number}", team="x", **{f"key{number}": "z"})
    with database.changing("flights") as change:
        for _ in range(20):
            change.record(Entry("refusal", "flights", ANN))
    assert queries() == few
    assert few.count("SELECT") == 4


# -- our tables beside MLflow's ----------------------------------------------------------------------------------------


def test_our_tables_are_made_once_also_by_several_at_the_same_time(address: str) -> None:
    errors: list[Exception] = []

    def begin(barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            open_registry(address)
        except Exception as error:  # noqa: BLE001  # whatever it is, the test tells it
            errors.append(error)

    barrier = threading.Barrier(6)
    threads = [threading.Thread(target=begin, args=(barrier,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    with plainly(address) as connection:
        found = connection.exec_driver_sql("SELECT version FROM mlops_ledger_schema").scalars().all()
    assert found == list(range(1, len(schema.MIGRATIONS) + 1))


def test_mlflow_does_not_mind_our_tables(with_records: DatabaseRegistry, address: str) -> None:
    from mlflow.store.db.utils import _all_tables_exist, _upgrade_db, _verify_schema

    before = list(with_records.stored())
    engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)
    _verify_schema(engine)
    _upgrade_db(engine)  # what `mlflow db upgrade` does
    _verify_schema(engine)
    assert _all_tables_exist(engine)
    assert list(open_registry(address).stored()) == before


def test_a_ledger_of_a_newer_program_is_left_alone(with_records: DatabaseRegistry, address: str) -> None:
    with plainly(address) as connection:
        connection.exec_driver_sql("INSERT INTO mlops_ledger_schema (version) VALUES (99)")
    with pytest.raises(RegistryError, match="newer version") as caught:
        open_registry(address)
    assert "upgrade mlops-mlflow" in caught.value.hint


@pytest.mark.parametrize("dialect", ["mysql", "mssql", "oracle"])
def test_other_databases_are_refused_clearly(dialect: str) -> None:
    with pytest.raises(RegistryError, match="cannot keep the ledger") as caught:
        schema.check_dialect(dialect, "somewhere")
    assert caught.value.expected == "SQLite or PostgreSQL"
    assert caught.value.got == dialect


def test_a_database_that_does_not_answer_is_said_to_be_so() -> None:
    with pytest.raises(TrackingError, match="cannot be reached") as caught:
        open_registry("postgresql+psycopg2://me:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(caught.value)


def test_waiting_too_long_is_an_error_that_says_what_to_do(address: str) -> None:
    first, second = open_registry(address), open_registry(address, patience=0.3)
    with first.changing("flights"):
        began = time.monotonic()
        with pytest.raises(RegistryError, match=r"for 0\.3 seconds") as caught, second.changing("flights"):
            pass
        assert 0.2 < time.monotonic() - began < 5
    assert "try again" in caught.value.hint
    with second.changing("flights") as change:
        change.record(Entry("refusal", "flights", ANN))


def test_a_change_that_was_cut_off_is_told_once(database: DatabaseRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    of_others = attempts.this_process().rpartition(" ")[0] + " 1"  # no process of that number began then
    with database.changing("flights") as change:
        assert database.interrupted() == (), "it still goes on"
        change.record(Entry("refusal", "flights", ANN))
    with pytest.raises(ZeroDivisionError), database.changing("flights"):
        1 / 0  # noqa: B018  # an error is no interruption
    monkeypatch.setattr(attempts, "this_process", lambda: of_others)
    assert database.interrupted() == ()
    with database.store.briefly() as session:
        attempts.begin(session, "flights", "ann", 1_700_000_000_000)
    assert [(one.model, one.actor, one.began) for one in database.interrupted()] == [
        ("flights", "ann", 1_700_000_000_000)
    ]
    assert database.interrupted() == ()


@pytest.mark.parametrize("address", KINDS[1:], indirect=True)  # SQLite has no connection that could break
def test_a_change_whose_connection_breaks_leaves_nothing(database: DatabaseRegistry, address: str) -> None:
    def changed() -> None:
        with database.changing("flights") as change:
            change.record(Entry("refusal", "flights", ANN))
            with plainly(address) as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE state LIKE 'idle in transaction%%' AND datname = current_database()"
                )

    with pytest.raises(RegistryError, match="could not change flights"):
        changed()
    with database.changing("flights") as change:
        change.record(Entry("refusal", "flights", ANN))
    assert [one.sequence for one in database.stored()] == [1]
