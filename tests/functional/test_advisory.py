"""A plain MLflow server in reach and no database: the same commands and decisions, and nobody is bound to them."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from desks import DEFAULT, TWO_ROLES, FakeEvidence
from mlflow_server import Server, running_server
from processes import mlops

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.core.errors import MlopsError, RegistryError
from mlops_mlflow.core.ledger.chain import Broken, Head, walk
from mlops_mlflow.core.ledger.record import Actor, Entry
from mlops_mlflow.governance.audit_runs import AUDIT, make_up, missing, publisher
from mlops_mlflow.governance.database.registry import open_registry as open_database
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.arrivals import Arrival, enter
from mlops_mlflow.governance.desk.desk import Desk, RefusedError
from mlops_mlflow.governance.desk.requests import request
from mlops_mlflow.governance.desk.standing import standing
from mlops_mlflow.governance.desk.transitions import move, rollback
from mlops_mlflow.governance.evidence import champion_digest
from mlops_mlflow.governance.remote import RemoteRegistry

CARD = Card("Request", "somebody asks", "warning", "Two people have to approve it")


@dataclass
class Office:
    """People around one model on a plain server; whatever each does is published."""

    uri: str
    model: str
    evidence: FakeEvidence = field(default_factory=FakeEvidence)

    @property
    def registry(self) -> RemoteRegistry:
        return RemoteRegistry(self.uri)

    @property
    def client(self) -> Any:
        return mlflow.MlflowClient(self.uri, self.uri)

    def desk(self, name: str) -> Desk:
        return Desk(self.registry, TWO_ROLES, Actor(name), self.evidence)

    def register(self) -> str:
        if self.registry.aliases(self.model) is None:
            self.client.create_registered_model(self.model)
        made = self.client.create_model_version(self.model, f"s3://models/{self.model}", await_creation_for=0)
        number = str(made.version)
        compared_with = champion_digest(self.registry.shelf(self.model), number)
        enter(self.desk("ann"), self.model, number, Arrival({}, compared_with))
        return number

    def promote(self, number: str) -> None:
        asked = request(self.desk("ann"), self.model, number, "Production", comment="better on every slice")
        approve(self.desk("bob"), asked.request.number)
        assert approve(self.desk("cem"), asked.request.number, at_once=True).moved is not None

    @property
    def stages(self) -> dict[str, str]:
        """As another program sees them."""
        found = self.client.search_model_versions(f"name = '{self.model}'")
        return {str(one.version): one.current_stage for one in found}

    @property
    def aliases(self) -> dict[str, str]:
        return {name: str(one) for name, one in self.client.get_registered_model(self.model).aliases.items()}

    @property
    def runs(self) -> list[Any]:
        experiment = self.client.get_experiment_by_name(AUDIT)
        where = f"tags.`mlops.use_case` = '{self.model}'"
        return sorted(
            self.client.search_runs([experiment.experiment_id], where),
            key=lambda run: int(run.data.tags["mlops.sequence"]),
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Of this file alone: a ledger is of a whole server."""
    with running_server(tmp_path_factory.mktemp("plain")) as started:
        yield started


@pytest.fixture(scope="module")
def story(server: Server) -> Office:
    """Two versions on their way to Production, and back."""
    office = Office(server.uri, "churn")
    first = office.register()
    with pytest.raises(RefusedError):
        move(office.desk("ann"), "churn", first, "Production")
    office.promote(first)
    office.promote(office.register())
    rollback(office.desk("eve"), "churn", reason="the new one forgets")
    return office


def test_the_registry_of_the_server_shows_what_was_decided(story: Office) -> None:
    assert story.stages == {"1": "Production", "2": "Archived"}
    assert story.aliases == {"champion": "1"}
    version = story.client.get_model_version("churn", "2")
    assert version.tags == {"mlops.registry_stage": "Archived"}, "what a rollback takes out was not superseded"


def test_the_ledger_of_runs_is_a_chain_and_says_of_each_record_that_it_is_not_enforced(story: Office) -> None:
    ours = [run for run in story.runs if run.info.status == "FINISHED"]
    assert [run.info.run_name.removeprefix("churn ") for run in ours] == [
        "1: registration by ann",
        "1: transition None -> Staging by ann",
        "1: refused transition Staging -> Production by ann",
        "1: request Staging -> Production by ann",
        "1: approval as business Staging -> Production by bob",
        "1: approval as compliance Staging -> Production by cem",
        "1: transition Staging -> Production by cem",
        "2: registration by ann",
        "2: transition None -> Staging by ann",
        "2: request Staging -> Production by ann",
        "2: approval as business Staging -> Production by bob",
        "2: approval as compliance Staging -> Production by cem",
        "2: transition Staging -> Production by cem",
        "1: rollback Archived -> Production by eve",
    ]
    assert {run.data.tags["mlops.enforcement"] for run in ours} == {"not enforced"}
    assert all("**Not enforced**" in run.data.tags["mlflow.note.content"] for run in ours)
    assert isinstance(walk(story.registry.stored()), Head)
    assert not any(b'"enforced":true' in one.text for one in story.registry.stored())
    assert {run.data.tags["mlops.outcome"] for run in ours[:2] + ours[3:]} == {"allowed"}
    assert ours[2].data.tags["mlops.outcome"] == "refused"


def test_status_says_that_nothing_is_enforced(story: Office, tmp_path: Path) -> None:
    found = standing(story.desk("ann"), "churn")
    assert not found.enforced
    first = found.places[0]
    assert (first.version.number, first.explained) == ("1", True)
    told = mlops("status", "churn", cwd=tmp_path, MLFLOW_TRACKING_URI=story.uri)
    assert "not enforced" in told.out
    assert "not enforced" in told.err
    assert "Production" in told.out


def test_what_the_desk_decided_is_as_true_when_somebody_goes_past_it_and_shows(server: Server) -> None:
    office = Office(server.uri, "bypassed")
    office.register()
    office.client.transition_model_version_stage("bypassed", "1", "Production")
    (place,) = standing(office.desk("ann"), "bypassed").places
    assert not place.explained


def test_a_record_that_is_changed_on_the_server_breaks_the_chain(tmp_path: Path) -> None:
    with running_server(tmp_path / "tampered") as server:
        office = Office(server.uri, "tampered")
        office.register()
        run = office.runs[0]
        key = "mlops.ledger.text.0000"
        office.client.set_tag(run.info.run_id, key, run.data.tags[key].replace("ann", "bob"))
        found = walk(office.registry.stored())
        assert isinstance(found, Broken)
        assert found.sequence == 1


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Requests of this process by path."""
    made: Counter[str] = Counter()
    send = requests.Session.send

    def counting(session: Any, asked: Any, **given: Any) -> Any:
        made[f"{asked.method} {asked.path_url.partition('?')[0]}"] += 1
        return send(session, asked, **given)

    monkeypatch.setattr(requests.Session, "send", counting)
    return made


def test_reading_and_changing_take_few_requests(server: Server, counted: Counter[str]) -> None:
    office = Office(server.uri, "few")
    office.register()
    desk = office.desk("ann")
    counted.clear()
    desk.registry.shelf("few")
    reading = counted.total()
    counted.clear()
    request(desk, "few", "1", "Production")
    asking = counted.total()
    counted.clear()
    move(desk, "few", "1", "Archived")
    moving = counted.total()
    print(f"requests: shelf {reading}, request {asking}, transition {moving}")
    assert reading <= 5  # with the sign of life
    assert asking <= 13
    assert moving <= 21


def test_publishing_takes_few_requests_and_gives_the_run_its_card(server: Server, counted: Counter[str]) -> None:
    office = Office(server.uri, "shown")
    number = office.register()
    told: list[str] = []
    publish = publisher(office.client, tell=told.append, card=lambda _: CARD)
    desk = office.desk("ann")
    with desk.changing("request", "shown", number, "Production") as matter:
        matter.record("request", reason="now", details={"lapses": 2**41, "parts": {}})
    before = len(office.runs)
    counted.clear()
    publish(matter)
    print(f"requests: the rest of an advisory record's run {counted.total()}: {dict(counted)}")
    assert told == []
    assert counted.total() <= 7
    assert len(office.runs) == before
    run = office.runs[-1]
    assert {one.path for one in office.client.list_artifacts(run.info.run_id)} == {
        "card.html",
        "card.md",
        "findings.json",
    }
    assert run.data.metrics["rules_missing"] == 2
    counted.clear()
    publish(matter)
    assert counted.total() <= 2


def test_a_record_of_a_database_gets_a_run_in_few_requests(
    server: Server, tracking_uri: str, counted: Counter[str]
) -> None:
    registry = open_database(tracking_uri)
    with registry.changing("elsewhere") as change:
        made = [change.record(Entry("withdrawal", "elsewhere", Actor("ann"), "1")) for _ in range(3)]
    told: list[str] = []
    client = mlflow.MlflowClient(server.uri, server.uri)
    later = made[-1].time + 120_000
    counted.clear()
    assert make_up(client, registry, tell=told.append, now=later) == (1, 2, 3)
    print(f"requests: three runs made up {counted.total()}: {dict(counted)}")
    assert counted.total() <= 5 + 6 * 3
    counted.clear()
    assert make_up(client, registry, tell=told.append, now=later) == ()
    print(f"requests: nothing to make up {counted.total()}")
    assert counted.total() <= 3
    assert told == []
    assert missing(client, registry.stored()) == ()


def test_many_at_once_leave_a_chain_and_one_champion(tmp_path: Path) -> None:
    with running_server(tmp_path / "many") as server:
        office = Office(server.uri, "many")
        numbers = [office.register() for _ in range(4)]
        began, outcomes = threading.Barrier(len(numbers)), Counter[str]()

        def write(number: str) -> None:
            desk = office.desk("ann")
            began.wait()
            for _ in range(40):
                try:
                    with desk.registry.changing("many") as change:
                        change.record(Entry("withdrawal", "many", desk.actor, number, enforced=False))
                        change.alias("champion", number)
                except MlopsError as error:
                    outcomes[error.hint or str(error)] += 1
                    time.sleep(random.random() / 10)  # those who all try again at once all fail again
                else:
                    outcomes["written"] += 1
                    return

        threads = [threading.Thread(target=write, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"at once: {dict(outcomes)}")
        head = walk(office.registry.stored())
        assert isinstance(head, Head)
        assert set(outcomes) == {"written", "nothing was changed: try again"}
        assert outcomes["written"] == len(numbers)
        last = list(office.registry.stored())[-1]
        assert f'"version":"{office.aliases["champion"]}"'.encode() in last.text


def test_a_server_with_a_policy_of_its_own_is_quoted(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with governed_server(tmp_path, store) as uri:
        office = Office(uri, "strict")
        office.client.create_registered_model("strict")
        office.client.create_model_version("strict", "s3://models/strict", await_creation_for=0)
        database = open_database(store)
        there = Desk(database, DEFAULT, Actor("ann"), office.evidence)  # the server's: its environment names no file
        enter(there, "strict", "1", Arrival({}, champion_digest(database.shelf("strict"), "1")))
        with office.registry.changing("strict") as change:
            change.record(Entry("request", "strict", Actor("ann"), "1", enforced=False, details={"lapses": 1}))
        before = list(office.registry.stored())

        def promoted() -> None:
            with office.registry.changing("strict") as change:
                change.record(Entry("transition", "strict", Actor("ann"), "1", "Staging", "Production"))
                change.move("1", "Production")

        with pytest.raises(RegistryError, match="could not set the stage Production of version 1") as caught:
            promoted()
        assert "refused" in caught.value.got
        assert office.stages == {"1": "Staging"}
        assert list(office.registry.stored()) == before


@contextmanager
def governed_server(folder: Path, store: str) -> Iterator[str]:
    """MLflow's server, with the registry behind the policy."""
    from test_registry_store import server as started

    with started(folder, store) as uri:
        yield uri


def test_a_server_that_is_gone_is_told_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Exception, match="cannot be reached"):
        RemoteRegistry(f"http://127.0.0.1:{port}").shelf("churn")
