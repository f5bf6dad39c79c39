"""The registry of a plain server: whole changes without a lock, whatever others do at the same moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.chain import Broken, Head, walk
from mlops_mlflow.core.ledger.record import BEGINNING, Actor, Entry, Record
from mlops_mlflow.governance.audit_runs import AUDIT
from mlops_mlflow.governance.remote import LONGEST_TAG, PLACE, TEXT, RemoteRegistry

ANNA = Actor("anna")


@pytest.fixture
def registry(tracking_uri: str) -> RemoteRegistry:
    made = RemoteRegistry(tracking_uri, patience=0.3)
    put(made, "churn")
    return made


def put(registry: RemoteRegistry, model: str) -> str:
    if registry.aliases(model) is None:
        registry.client.create_registered_model(model)
    version = registry.client.create_model_version(model, "file:///nowhere", await_creation_for=0)
    return str(version.version)


def entry(model: str = "churn", **more: Any) -> Entry:
    return Entry("request", model, ANNA, "1", "None", "Staging", enforced=False, **{"details": {"lapses": 9}, **more})


def record(registry: RemoteRegistry, model: str = "churn", **more: Any) -> Record:
    with registry.changing(model) as change:
        return change.record(entry(model, **more))


def audit_runs(registry: RemoteRegistry) -> list[Any]:
    experiment = registry.client.get_experiment_by_name(AUDIT)
    return list(registry.client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]))


class Meddling:
    """MLflow's client; before or after one of its calls something else happens."""

    def __init__(
        self,
        client: Any,
        call: str,
        *,
        before: Callable[[], None] | None = None,
        fail: Callable[..., bool] | None = None,
    ) -> None:
        self._client, self._call, self._before, self._fail = client, call, before, fail

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name != self._call:
            return found

        def called(*given: Any, **named: Any) -> Any:
            before, self._before = self._before, None
            if before:
                before()
            if self._fail and self._fail(*given):
                raise MlflowException("PERMISSION_DENIED: risk has to approve R7")
            return found(*given, **named)

        return called


def meddled(registry: RemoteRegistry, call: str, **how: Any) -> RemoteRegistry:
    made = replace(registry)
    made.__dict__["client"] = Meddling(registry.client, call, **how)
    return made


def test_a_server_without_decisions_has_an_empty_ledger_and_gets_no_experiment_by_reading(
    registry: RemoteRegistry,
) -> None:
    assert list(registry.stored()) == []
    assert registry.governed() == ()
    assert registry.client.get_experiment_by_name(AUDIT) is None


def test_a_model_that_does_not_exist_has_no_versions(registry: RemoteRegistry) -> None:
    shelf = registry.shelf("nobody")
    assert (shelf.versions, shelf.aliases) == ({}, {})


def test_what_a_change_does_is_there_afterwards(registry: RemoteRegistry) -> None:
    put(registry, "churn")
    with registry.changing("churn") as change:
        change.record(entry())
        change.move("1", "Staging")
        change.alias("challenger", "1")
        change.tag("1", "mlops.registry_stage", "Staging")
    shelf = registry.shelf("churn")
    assert {number: one.registry_stage for number, one in shelf.versions.items()} == {"1": "Staging", "2": "None"}
    assert shelf.aliases == {"challenger": "1"}
    assert shelf.versions["1"].tags == {"mlops.registry_stage": "Staging"}
    assert list(shelf.history.requests) == [1]
    with registry.changing("churn") as change:
        change.alias("challenger", None)
        change.tag("1", "mlops.registry_stage", None)
    shelf = registry.shelf("churn")
    assert (shelf.aliases, shelf.versions["1"].tags) == ({}, {})


def test_the_ledger_is_a_chain_over_all_models_in_the_order_of_its_records(registry: RemoteRegistry) -> None:
    put(registry, "tickets")
    made = [record(registry, model) for model in ("churn", "tickets") * 6]
    assert [one.sequence for one in registry.stored()] == list(range(1, 13))  # 10 after 9, not after 1
    assert walk(registry.stored()) == Head(12, made[-1].hash)
    assert registry.governed() == ("churn", "tickets")
    assert list(registry.shelf("tickets").history.requests) == [2, 4, 6, 8, 10, 12]


@pytest.mark.parametrize("after", [0, 1, 4, 5, 6])
def test_records_after_a_sequence_come_in_their_order(after: int, registry: RemoteRegistry) -> None:
    for _ in range(5):
        record(registry)
    assert [one.sequence for one in registry.stored(after)] == list(range(after + 1, 6))


def test_a_record_is_kept_byte_for_byte_however_long(registry: RemoteRegistry) -> None:
    text = "für «Ämter» \N{GRINNING FACE} \\ \" ' \n" * 900
    made = record(registry, reason=text)
    kept = next(registry.stored())
    assert (kept.text, kept.hash, kept.previous) == (made.text, made.hash, BEGINNING)
    assert Record.from_plain(json.loads(kept.text)) == made
    parts = [value for key, value in audit_runs(registry)[0].data.tags.items() if key.startswith(TEXT)]
    assert len(parts) > 4
    assert all(len(one) <= LONGEST_TAG for one in parts)


def test_a_run_says_in_words_what_was_decided_and_that_nobody_is_bound(registry: RemoteRegistry) -> None:
    made = record(registry, reason="for the *pilot* <b>")
    run = audit_runs(registry)[0]
    assert run.info.run_name == "churn 1: request None -> Staging by anna"
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", made.time, made.time)
    tags = run.data.tags
    assert tags["mlops.enforcement"] == "not enforced"
    assert (tags["mlops.sequence"], tags["mlops.hash"], tags["mlops.previous"]) == ("1", made.hash, BEGINNING)
    assert tags["mlflow.note.content"].splitlines()[0] == (
        "**churn 1: request None -&gt; Staging by anna** (operating-system user, identity not verified): "
        "for the \\*pilot\\* &lt;b&gt;"
    )
    assert "**Not enforced**" in tags["mlflow.note.content"]


@pytest.mark.parametrize("name", ["it's", 'a "b"', 'it\'s "b"', "x%_y", "Größe <b>&", "客户流失", "a\\b"])
def test_names_of_models_may_have_any_signs_that_mlflow_takes(name: str, registry: RemoteRegistry) -> None:
    put(registry, name)
    put(registry, name.replace("'", "x").replace('"', "x") + " ")  # would answer to the same pattern
    record(registry, name)
    with registry.changing(name) as change:
        change.move("1", "Staging")
        change.alias("challenger", "1")
    shelf = registry.shelf(name)
    assert [(one.name, one.registry_stage) for one in shelf.versions.values()] == [(name, "Staging")]
    assert shelf.aliases == {"challenger": "1"}
    assert list(shelf.history.requests) == [1]


def test_an_error_inside_a_change_leaves_nothing(registry: RemoteRegistry) -> None:
    def fail() -> None:
        with registry.changing("churn") as change:
            change.record(entry())
            change.move("1", "Staging")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert list(registry.stored()) == []
    assert registry.shelf("churn").versions["1"].registry_stage == "None"


def test_what_changes_nothing_asks_the_server_nothing(registry: RemoteRegistry) -> None:
    asked: list[str] = []
    watched = meddled(registry, "delete_model_version_tag", before=lambda: asked.append("delete"))
    with watched.changing("churn") as change:
        change.tag("1", "mlops.superseded_by", None)
        change.alias("champion", None)
    assert asked == []


def test_whoever_was_quicker_since_the_change_began_makes_it_fail_whole(registry: RemoteRegistry) -> None:
    quicker: list[Record] = []

    def be_slow() -> None:
        with registry.changing("churn") as change:
            change.record(entry())
            change.move("1", "Staging")
            quicker.append(record(RemoteRegistry(registry.address)))

    with pytest.raises(RegistryError, match="somebody else changed") as caught:
        be_slow()
    assert caught.value.hint == "nothing was changed: try again"
    assert walk(registry.stored()) == Head(1, quicker[0].hash)
    assert registry.shelf("churn").versions["1"].registry_stage == "None"


def test_of_two_that_are_equally_quick_none_leaves_a_fork(registry: RemoteRegistry) -> None:
    record(registry)
    other = RemoteRegistry(registry.address, patience=0)

    def write_the_same_place() -> None:
        record(other)

    # Between looking at the head and writing, another process writes: both records follow from the first.
    slow = meddled(registry, "create_run", before=write_the_same_place)
    with pytest.raises(RegistryError, match="somebody else changed") as caught:
        record(slow)
    assert "two records 2" in caught.value.got
    assert isinstance(walk(registry.stored()), Head)
    assert [one.sequence for one in registry.stored()] == [1, 2]
    assert [run.data.tags.get(PLACE, "gone") for run in audit_runs(registry)] == ["000000000001", "000000000002"]


def test_nobody_builds_on_a_record_while_it_is_being_written(
    registry: RemoteRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(registry)
    first = audit_runs(registry)[0].info.run_id
    registry.client.update_run(first, "RUNNING")
    waits: list[float] = []

    def finish_meanwhile(seconds: float) -> None:
        waits.append(seconds)
        registry.client.set_terminated(first)

    monkeypatch.setattr("mlops_mlflow.governance.remote.time.sleep", finish_meanwhile)
    assert record(replace(registry, patience=60)).sequence == 2
    assert len(waits) == 1
    assert isinstance(walk(registry.stored()), Head)


def test_a_record_that_a_killed_process_left_running_is_waited_for_and_then_taken(registry: RemoteRegistry) -> None:
    record(registry)
    registry.client.update_run(audit_runs(registry)[0].info.run_id, "RUNNING")
    assert record(registry).sequence == 2
    assert isinstance(walk(registry.stored()), Head)


@pytest.mark.parametrize(
    "call", ["transition_model_version_stage", "set_registered_model_alias", "set_model_version_tag"]
)
def test_a_server_that_refuses_a_step_is_quoted_and_everything_is_taken_back(
    call: str, registry: RemoteRegistry
) -> None:
    strict = meddled(registry, call, fail=lambda *_: True)

    def change_everything() -> None:
        with strict.changing("churn") as change:
            change.record(entry())
            change.record(entry())
            change.move("1", "Staging")
            change.tag("1", "mlops.registry_stage", "Staging")
            change.alias("challenger", "1")

    with pytest.raises(RegistryError, match="could not set the") as caught:
        change_everything()
    assert "risk has to approve R7" in caught.value.got
    shelf = registry.shelf("churn")
    assert (shelf.versions["1"].registry_stage, shelf.aliases, shelf.history.requests) == ("None", {}, {})
    assert shelf.versions["1"].tags == {}
    assert list(registry.stored()) == []


def test_what_a_server_with_a_policy_has_done_along_with_a_transition_is_not_done_again(
    registry: RemoteRegistry,
) -> None:
    put(registry, "churn")
    with registry.changing("churn") as change:
        change.move("1", "Staging")

    def along() -> None:
        registry.client.set_registered_model_alias("churn", "challenger", "2")
        registry.client.transition_model_version_stage("churn", "1", "Archived")

    governed = meddled(registry, "set_registered_model_alias", fail=lambda *_: True)
    governed.__dict__["client"] = Meddling(
        governed.client,
        "transition_model_version_stage",
        before=along,
        fail=lambda _, version, __: version == "1",
    )
    with governed.changing("churn") as change:
        change.record(entry())
        change.move("2", "Staging")
        change.move("1", "Archived")
        change.alias("challenger", "2")
        change.tag("2", "mine", "yes")
    shelf = registry.shelf("churn")
    assert {number: one.registry_stage for number, one in shelf.versions.items()} == {"1": "Archived", "2": "Staging"}
    assert (shelf.aliases, shelf.versions["2"].tags) == ({"challenger": "2"}, {"mine": "yes"})


def test_a_record_that_is_taken_back_while_the_server_answers_is_none(registry: RemoteRegistry) -> None:
    record(registry)
    record(registry)
    found = registry.client.search_runs

    def without_one(*given: Any) -> Any:
        page = found(*given)
        for run in page:
            if run.data.tags["mlops.sequence"] == "2":
                del run.data.tags[PLACE]
        return page

    registry.client.search_runs = without_one
    assert [one.sequence for one in registry.stored()] == [1]


def test_a_run_that_was_deleted_in_the_ui_is_still_a_record(registry: RemoteRegistry) -> None:
    for _ in range(3):
        record(registry)
    registry.client.delete_run(audit_runs(registry)[1].info.run_id)
    assert [one.sequence for one in registry.stored()] == [1, 2, 3]
    assert record(registry).sequence == 4


def test_an_experiment_that_was_deleted_in_the_ui_comes_back_with_the_next_record(registry: RemoteRegistry) -> None:
    record(registry)
    registry.client.delete_experiment(registry.client.get_experiment_by_name(AUDIT).experiment_id)
    assert [one.sequence for one in registry.stored()] == [1]
    assert record(registry).sequence == 2
    assert isinstance(walk(registry.stored()), Head)


def _change_text(client: Any, run: Any) -> None:
    client.set_tag(run.info.run_id, f"{TEXT}0000", run.data.tags[f"{TEXT}0000"].replace("anna", "bert"))


def _delete(client: Any, run: Any) -> None:
    client.delete_tag(run.info.run_id, PLACE)


def _move(client: Any, run: Any) -> None:
    client.set_tag(run.info.run_id, PLACE, "000000000009")


def _spoil(client: Any, run: Any) -> None:
    client.set_tag(run.info.run_id, PLACE, "somewhere")


@pytest.mark.parametrize("how", [_change_text, _delete, _move, _spoil])
def test_records_that_somebody_changed_break_the_chain(
    how: Callable[[Any, Any], None], registry: RemoteRegistry
) -> None:
    for _ in range(3):
        record(registry)
    how(registry.client, audit_runs(registry)[1])
    found = walk(registry.stored())
    assert isinstance(found, Broken)
    assert found.sequence == 2


def test_a_record_whose_place_was_spoiled_does_not_become_the_head(registry: RemoteRegistry) -> None:
    for _ in range(3):
        record(registry)
    _spoil(registry.client, audit_runs(registry)[0])
    assert record(registry).sequence == 4


def test_a_record_that_is_none_any_more_is_named(registry: RemoteRegistry) -> None:
    record(registry)
    registry.client.set_tag(audit_runs(registry)[0].info.run_id, f"{TEXT}0000", "{")
    with pytest.raises(RegistryError, match="record 1 of the ledger cannot be read"):
        registry.shelf("churn")


def test_a_server_that_does_not_answer_is_found_at_once_and_without_its_password() -> None:
    registry = RemoteRegistry("http://ann:secret@127.0.0.1:9")
    assert registry.place == "http://ann@127.0.0.1:9"
    with pytest.raises(Exception, match="cannot be reached") as caught:
        registry.shelf("churn")
    assert "secret" not in str(caught.value)


def test_reading_is_paged(registry: RemoteRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_mlflow.governance.audit_runs.AT_ONCE", 2)
    monkeypatch.setattr("mlops_mlflow.governance.remote.VERSIONS_AT_ONCE", 2)
    for _ in range(5):
        record(registry)
        put(registry, "churn")
    assert [one.sequence for one in registry.stored()] == [1, 2, 3, 4, 5]
    assert [one.sequence for one in registry.stored(1)] == [2, 3, 4, 5]
    assert list(registry.shelf("churn").versions) == ["1", "2", "3", "4", "5", "6"]


def test_other_clients_see_stages_and_aliases_as_mlflow_has_them(registry: RemoteRegistry) -> None:
    with registry.changing("churn") as change:
        change.move("1", "Production")
        change.alias("champion", "1")
    client = MlflowClient(registry.address, registry.address)
    assert client.get_model_version_by_alias("churn", "champion").current_stage == "Production"
