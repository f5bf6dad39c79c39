"""MLflow's own client on an address that begins with ``mlops+``: only what the policy allows goes through."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import pkgutil
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sqlalchemy.dialects.postgresql
import sqlalchemy.dialects.sqlite
from desks import FakeEvidence
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException, RestException
from mlflow.store.model_registry.abstract_store import AbstractStore
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from processes import start
from registry_databases import KINDS, new_database, plainly

from mlops_mlflow.core.ledger.chain import Head, walk
from mlops_mlflow.core.ledger.record import Actor
from mlops_mlflow.core.policy.document import DEFAULT
from mlops_mlflow.governance.database import policy_store
from mlops_mlflow.governance.database.policy_store import PolicyStore
from mlops_mlflow.governance.database.registry import DatabaseRegistry, open_registry
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.arrivals import Arrival, enter
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.desk.requests import request as ask
from mlops_mlflow.governance.evidence import champion_digest
from mlops_mlflow.governance.shelf import Shelf

MODEL, OTHER = "flights", "somebody else's"
RETRIED = {408, 429, 500, 502, 503, 504}
"""Answers after which MLflow's client tries again, for minutes."""

Call = Callable[[mlflow.MlflowClient, str], object]
"""Something that a client does with a model."""


def store_of(client: mlflow.MlflowClient) -> Any:
    """For calls that the client makes of prompts only."""
    return client._get_registry_client().store


def rename_onto(client: mlflow.MlflowClient, name: str) -> None:
    client.rename_registered_model(spare(client), name)


def spare(client: mlflow.MlflowClient) -> str:
    return client.create_registered_model(f"spare {time.monotonic_ns()}").name


ALIAS: dict[str, Call] = {
    "set_registered_model_alias": lambda client, name: client.set_registered_model_alias(name, "champion", "2"),
    "set_registered_model_alias, taken": lambda client, name: client.set_registered_model_alias(name, "challenger", 2),
    "set_prompt_alias": lambda client, name: store_of(client).set_prompt_alias(name, "champion", 2),
    "delete_registered_model_alias": lambda client, name: client.delete_registered_model_alias(name, "challenger"),
    "delete_prompt_alias": lambda client, name: client.delete_prompt_alias(name, "challenger"),
}
STAGE: dict[str, Call] = {
    f"transition_model_version_stage, {version} to {stage}, {archive}": (
        lambda client, name, version=version, stage=stage, archive=archive: client.transition_model_version_stage(
            name, version, stage, archive_existing_versions=archive
        )
    )
    for version, stage, archive in [
        ("1", "Production", False),
        ("1", "pRODUCTION", True),
        (1, "production", False),
        ("01", "Production", False),
        ("2", "Production", True),
        ("1", "None", False),
        ("2", "archived", False),
    ]
}
TAGS: dict[str, Call] = {
    "set_model_version_tag": lambda client, name: client.set_model_version_tag(name, "1", "mlops.verdict", "passed"),
    "set_model_version_tag, by stage": lambda client, name: client.set_model_version_tag(
        name, key="mlops.registry_stage", value="Production", stage="Staging"
    ),
    "delete_model_version_tag": lambda client, name: client.delete_model_version_tag(name, "1", "mlops.registry_stage"),
    "set_registered_model_tag": lambda client, name: client.set_registered_model_tag(name, "mlops.use_case", "x"),
    "delete_registered_model_tag": lambda client, name: client.delete_registered_model_tag(name, "mlops.use_case"),
    "set_prompt_tag": lambda client, name: client.set_prompt_tag(name, "mlops.use_case", "x"),
    "delete_prompt_tag": lambda client, name: client.delete_prompt_tag(name, "mlops.use_case"),
    "set_prompt_version_tag": lambda client, name: client.set_prompt_version_tag(name, "1", "mlops.x", "y"),
    "delete_prompt_version_tag": lambda client, name: client.delete_prompt_version_tag(name, "1", "mlops.x"),
    "create_model_version": lambda client, name: client.create_model_version(
        name, "s3://bucket/m", tags={"fine": "x", "mlops.result_key": "forged"}
    ),
    "create_registered_model": lambda client, name: client.create_registered_model(name, tags={"mlops.x": "y"}),
}
GONE: dict[str, Call] = {
    "rename_registered_model": lambda client, name: client.rename_registered_model(name, "another name"),
    "rename_registered_model, onto it": rename_onto,
    "delete_registered_model": lambda client, name: client.delete_registered_model(name),
    "delete_prompt": lambda client, name: client.delete_prompt(name),
    "delete_model_version": lambda client, name: client.delete_model_version(name, "1"),
    "delete_prompt_version": lambda client, name: client.delete_prompt_version(name, "1"),
}
FORBIDDEN = {**ALIAS, **STAGE, **TAGS, **GONE}

READS = {
    "get_latest_versions",
    "get_model_version",
    "get_model_version_by_alias",
    "get_model_version_download_uri",
    "get_prompt",
    "get_prompt_version",
    "get_prompt_version_by_alias",
    "get_registered_model",
    "get_webhook",
    "list_webhooks",
    "search_model_versions",
    "search_prompt_versions",
    "search_prompts",
    "search_registered_models",
}
HARMLESS = {
    "update_model_version": "a description",
    "update_registered_model": "a description",
    "create_prompt": "by create_registered_model",
    "create_prompt_version": "by create_model_version",
    "link_prompt_version_to_model": "a tag of MLflow's",
    "link_prompt_version_to_run": "a tag of MLflow's",
    "create_webhook": "tells others, changes nothing",
    "update_webhook": "tells others, changes nothing",
    "delete_webhook": "tells others, changes nothing",
    "test_webhook": "tells others, changes nothing",
}
STORE_ONLY = {
    "copy_model_version": "without tags of ours: has a test of its own",
    "link_prompts_to_trace": "a tag of MLflow's",
    "list_webhooks_by_event": "reads",
    "supports_workspaces": "reads",
}
CLIENT_ONLY = {
    "copy_model_version": "without tags of ours: has a test of its own",
    "detach_prompt_from_run": "a tag of a run",
    "link_prompt_versions_to_trace": "a tag of MLflow's",
    "load_prompt": "reads",
    "register_prompt": "by create_registered_model and create_model_version",
}


@dataclass(frozen=True)
class Office:
    """People in front of a governed model, version 1 of which is in Staging; 2 is not anywhere yet."""

    address: str
    client: mlflow.MlflowClient
    registry: DatabaseRegistry
    evidence: FakeEvidence

    def desk(self, name: str) -> Desk:
        return Desk(self.registry, DEFAULT, Actor(name), self.evidence)

    def create(self, number: str) -> None:
        made = stock(self.address).create_model_version(MODEL, f"file:///m-{number}", tags={"team": "x"})
        assert str(made.version) == number

    def register(self, number: str) -> None:
        enter(self.desk("ann"), MODEL, number, Arrival({}, champion_digest(self.shelf, number)))

    def approved(self, number: str, to: str) -> None:
        asked = ask(self.desk("ann"), MODEL, number, to)
        approve(self.desk("bob"), asked.request.number)

    @property
    def shelf(self) -> Shelf:
        return self.registry.shelf(MODEL)

    @property
    def stages(self) -> dict[str, str]:
        return {number: one.registry_stage for number, one in self.shelf.versions.items()}

    def whole(self) -> None:
        """The chain holds, its replay is what the registry shows, and aliases are in step."""
        assert isinstance(walk(self.registry.stored()), Head)
        shelf = self.shelf
        assert self.stages == {number: shelf.history.stage_of(number) for number in shelf.versions}
        for stage, alias in (("Staging", "challenger"), ("Production", "champion")):
            there = [one.number for one in shelf.in_stage(stage)]
            assert there == ([shelf.aliases[alias]] if alias in shelf.aliases else [])


def stock(address: str) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(address, registry_uri=address)


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_database(request) as made:
        yield made


@pytest.fixture
def office(address: str, monkeypatch: pytest.MonkeyPatch) -> Office:
    evidence = FakeEvidence()
    monkeypatch.setattr(policy_store, "evidence_reader", lambda tracker: evidence)
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.delenv("MLOPS_POLICY", raising=False)
    client = mlflow.MlflowClient(address, registry_uri=f"mlops+{address}")
    made = Office(address, client, open_registry(address), evidence)
    for name in (MODEL, OTHER):
        stock(address).create_registered_model(name)
    stock(address).create_model_version(OTHER, "file:///other")
    stock(address).transition_model_version_stage(OTHER, "1", "Staging")
    made.create("1")
    made.create("2")
    made.register("1")
    assert made.stages == {"1": "Staging", "2": "None"}
    return made


# -- nothing is forgotten ----------------------------------------------------------------------------------------------


def public(of: type) -> set[str]:
    return {name for name in dir(of) if not name.startswith("_")}


def test_every_method_of_mlflows_store_is_decided_about() -> None:
    known = READS | set(HARMLESS) | set(STORE_ONLY) | {name.partition(",")[0] for name in FORBIDDEN}
    assert public(AbstractStore) | public(SqlAlchemyStore) - {"CREATE_MODEL_VERSION_RETRIES"} == known


def test_every_registry_call_of_mlflows_client_is_decided_about() -> None:
    calls = {
        name
        for name, function in inspect.getmembers(mlflow.MlflowClient, inspect.isfunction)
        if not name.startswith("_") and "_get_registry_client" in inspect.getsource(inspect.unwrap(function))
    }
    known = READS | set(HARMLESS) | set(CLIENT_ONLY) | {name.partition(",")[0] for name in FORBIDDEN}
    assert calls | {"create_model_version"} == known


def test_what_needs_no_decision_is_mlflows_own_code() -> None:
    for name in (READS | set(HARMLESS)) - {"get_registered_model"}:
        assert inspect.getattr_static(PolicyStore, name) is inspect.getattr_static(SqlAlchemyStore, name), name


def test_only_one_name_is_answered_otherwise_than_by_mlflow(address: str) -> None:
    """By which others can tell over the network that a policy holds here."""
    with pytest.raises(MlflowException, match="the models of this registry are under a policy") as caught:
        PolicyStore(f"mlops+{address}").get_registered_model("mlops.policy")
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_every_spelling_of_sqlalchemy_has_an_address() -> None:
    """Those that MLflow could use: it calls no driver that has to be awaited."""
    found = {one.name for one in importlib.metadata.entry_points(group="mlflow.model_registry_store")}
    for package in (sqlalchemy.dialects.sqlite, sqlalchemy.dialects.postgresql):
        name = package.__name__.rpartition(".")[2]
        assert f"mlops+{name}" in found
        for module in pkgutil.iter_modules(package.__path__):
            imported = getattr(__import__(f"{package.__name__}.{module.name}", fromlist=["dialect"]), "dialect", None)
            if imported is not None and not imported.is_async:
                assert f"mlops+{name}+{imported.driver}" in found


# -- a governed model --------------------------------------------------------------------------------------------------


def refused(call: Callable[[], object]) -> MlflowException:
    with pytest.raises(MlflowException) as caught:
        call()
    assert caught.value.get_http_status_code() in {400, 403, 409}
    return caught.value


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_the_policy_does_not_allow_is_refused_and_recorded(office: Office, what: str) -> None:
    before, records = office.shelf, list(office.registry.stored())

    error = refused(lambda: FORBIDDEN[what](office.client, MODEL))

    assert error.error_code == "PERMISSION_DENIED", error
    assert "do:" in error.message
    after = office.shelf
    assert (after.versions, after.aliases) == (before.versions, before.aliases)
    added = list(office.registry.stored(len(records)))
    assert [b'"action":"refusal"' in one.text for one in added] == [True]
    assert b'"name":"ann"' in added[0].text
    office.whole()


def test_a_refusal_says_what_is_missing_and_which_command_asks_for_it(office: Office) -> None:
    error = refused(lambda: office.client.transition_model_version_stage(MODEL, "1", "Production"))
    assert "approval" in error.message
    assert f"mlops request {MODEL} --to Production --version 1" in error.message


@pytest.mark.parametrize("archive", [True, False])
@pytest.mark.parametrize("stage", ["Production", "production"])
def test_an_approved_request_lets_the_plain_call_through(office: Office, stage: str, archive: bool) -> None:
    office.approved("1", "Production")
    moved = office.client.transition_model_version_stage(MODEL, "1", stage, archive_existing_versions=archive)
    assert (moved.current_stage, moved.aliases) == ("Production", ["champion"])
    assert moved.tags["mlops.registry_stage"] == "Production"
    assert office.client.get_model_version_by_alias(MODEL, "champion").version == moved.version
    (last,) = office.shelf.history.moves[-1:]
    assert (last.version, last.to, last.actor.name) == ("1", "Production", "ann")
    office.whole()

    office.register("2")
    office.approved("2", "Production")
    office.client.transition_model_version_stage(MODEL, "2", stage, archive_existing_versions=archive)
    assert office.stages == {"1": "Archived", "2": "Production"}
    office.whole()

    office.client.transition_model_version_stage(MODEL, "1", stage)  # a rollback needs no approval
    assert office.stages == {"1": "Production", "2": "Archived"}
    office.whole()


def test_tags_aliases_and_descriptions_of_users_are_theirs(office: Office) -> None:
    client = office.client
    client.set_model_version_tag(MODEL, "1", "team", "y")
    client.delete_model_version_tag(MODEL, "1", "team")
    client.set_registered_model_tag(MODEL, "team", "z")
    client.delete_registered_model_tag(MODEL, "team")
    client.set_registered_model_alias(MODEL, "mine", "2")
    client.delete_registered_model_alias(MODEL, "mine")
    client.update_model_version(MODEL, "1", "better")
    client.update_registered_model(MODEL, "flights of today")
    made = client.create_model_version(MODEL, "file:///m", tags={"mlopsy": "x"})
    assert (str(made.version), made.current_stage, made.tags) == ("3", "None", {"mlopsy": "x"})
    assert len(list(office.registry.stored())) == 2, "a registration and a transition, and nothing of all this"


def test_a_version_that_was_never_served_may_be_deleted_and_that_is_recorded(office: Office) -> None:
    office.client.delete_model_version(MODEL, "2")
    assert office.stages == {"1": "Staging"}
    assert office.shelf.history.deleted == {"2"}
    office.whole()


def test_an_archived_version_stays(office: Office) -> None:
    office.client.transition_model_version_stage(MODEL, "1", "Archived")
    error = refused(lambda: office.client.delete_model_version(MODEL, "1"))
    assert "was in Staging or Production" in error.message
    assert office.stages == {"1": "Archived", "2": "None"}


def test_a_copy_carries_no_tags_of_ours(office: Office) -> None:
    copied = office.client.copy_model_version(f"models:/{MODEL}/1", "a copy")
    assert (copied.name, copied.tags, copied.current_stage) == ("a copy", {"team": "x"}, "None")
    assert copied.source == f"models:/{MODEL}/1"
    assert "mlops.registry_stage" in office.client.get_model_version(MODEL, "1").tags


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda client: client.transition_model_version_stage(MODEL, "9", "Production"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client: client.delete_model_version(MODEL, "9"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client: client.transition_model_version_stage(MODEL, "x", "Production"), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.transition_model_version_stage(MODEL, "1", "Live"), "INVALID_PARAMETER_VALUE"),
        (
            lambda client: client.transition_model_version_stage(
                MODEL, "1", "Archived", archive_existing_versions=True
            ),
            "INVALID_PARAMETER_VALUE",
        ),
    ],
)
def test_what_makes_no_sense_is_answered_as_such(office: Office, call: Any, code: str) -> None:
    with pytest.raises(MlflowException) as caught:
        call(office.client)
    assert caught.value.error_code == code
    assert caught.value.get_http_status_code() not in RETRIED


def test_a_registry_that_others_hold_is_a_conflict(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_of(office.client)._governed, "patience", 0.2)
    with office.registry.changing(MODEL):
        error = refused(lambda: office.client.transition_model_version_stage(MODEL, "1", "Archived"))
    assert error.error_code == "RESOURCE_CONFLICT"
    assert "try again" in error.message


def test_a_database_in_trouble_is_no_refusal(office: Office) -> None:
    with plainly(office.address) as connection:
        connection.exec_driver_sql("ALTER TABLE mlops_ledger RENAME TO elsewhere")
    with pytest.raises(MlflowException) as caught:
        office.client.delete_registered_model(MODEL)
    assert caught.value.error_code == "TEMPORARILY_UNAVAILABLE"
    assert stock(office.address).get_registered_model(MODEL).name == MODEL


def test_a_policy_file_that_cannot_be_used_stops_transitions_and_nothing_else(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLOPS_POLICY", str(tmp_path / "nothing.yaml"))
    error = refused(lambda: office.client.transition_model_version_stage(MODEL, "1", "Archived"))
    assert "nothing.yaml" in error.message
    assert office.client.get_model_version(MODEL, "1").current_stage == "Staging"
    office.client.set_model_version_tag(MODEL, "1", "team", "y")


# -- other models ------------------------------------------------------------------------------------------------------


def unchanged(model: ModelVersion) -> dict[str, object]:
    return {key: value for key, value in dict(model).items() if "timestamp" not in key}


@pytest.mark.parametrize("what", [*ALIAS, *GONE])
def test_models_outside_any_use_case_are_stock(office: Office, what: str) -> None:
    stock(office.address).create_model_version(OTHER, "file:///other")
    records = len(list(office.registry.stored()))
    if what == "rename_registered_model, onto it":
        office.client.delete_registered_model(OTHER)
    FORBIDDEN[what](office.client, OTHER)
    assert len(list(office.registry.stored())) == records


@pytest.mark.parametrize("what", STAGE)
def test_transitions_outside_any_use_case_are_stock(office: Office, what: str) -> None:
    twin = f"{OTHER} twin"
    plain = stock(office.address)
    plain.create_registered_model(twin)
    for name in (OTHER, twin, twin):
        plain.create_model_version(name, "file:///other")
    plain.transition_model_version_stage(twin, "1", "Staging")
    ours, theirs = FORBIDDEN[what](office.client, OTHER), FORBIDDEN[what](plain, twin)
    assert unchanged(ours) | {"name": "", "source": ""} == unchanged(theirs) | {"name": "", "source": ""}  # type: ignore[arg-type]


@pytest.mark.parametrize("what", TAGS)
def test_tags_of_ours_are_ours_everywhere(office: Office, what: str) -> None:
    records = len(list(office.registry.stored()))
    error = refused(lambda: FORBIDDEN[what](office.client, OTHER))
    assert error.error_code == "PERMISSION_DENIED"
    assert len(list(office.registry.stored())) == records, "a record would make the model a governed one"


def test_the_policy_may_refuse_transitions_of_other_models(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\nname: strict\nother_models: refuse\n", encoding="utf-8")
    monkeypatch.setenv("MLOPS_POLICY", str(file))
    error = refused(lambda: office.client.transition_model_version_stage(OTHER, "1", "Production"))
    assert error.error_code == "PERMISSION_DENIED"
    assert f"mlops adopt {OTHER}" in error.message
    assert office.client.get_model_version(OTHER, "1").current_stage == "Staging"
    office.client.set_registered_model_alias(OTHER, "mine", "1")


# -- by HTTP -----------------------------------------------------------------------------------------------------------


@contextmanager
def server(folder: Path, address: str) -> Iterator[str]:
    """MLflow's server, with the registry behind the policy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["mlflow", "server", "--backend-store-uri", address, "--registry-store-uri", f"mlops+{address}"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    process = start(*command, cwd=folder, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    try:
        until = time.monotonic() + 90
        while time.monotonic() < until:
            assert process.poll() is None, process.communicate()
            with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)


def test_a_server_refuses_at_once_and_its_client_does_not_try_again(office: Office, tmp_path: Path) -> None:
    with server(tmp_path, office.address) as uri:
        client = mlflow.MlflowClient(uri, registry_uri=uri)
        assert client.get_model_version(MODEL, "1").current_stage == "Staging"
        calls = {name: call for name, call in FORBIDDEN.items() if not name.startswith("create_registered_model")}
        for what, call in calls.items():
            began = time.monotonic()
            with pytest.raises(RestException) as caught:
                call(client, MODEL)
            assert caught.value.get_http_status_code() == 403, what
            assert time.monotonic() - began < 10, what
        client.set_model_version_tag(MODEL, "1", "team", "y")
        client.delete_model_version(MODEL, "2")
    assert office.stages == {"1": "Staging"}
    assert sum(b'"action":"refusal"' in one.text for one in office.registry.stored()) == len(calls)
    office.whole()
