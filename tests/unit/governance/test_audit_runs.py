"""Decisions as runs: one for each record, found in MLflow's UI, and never in the way of the decision."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from fake_registry import FakeRegistry
from mlflow.exceptions import MlflowException

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.core.ledger.record import Actor, Entry
from mlops_mlflow.core.policy.document import Policy, Role, StageRules
from mlops_mlflow.core.policy.evidence import PARTS, Evidence
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.governance.audit_runs import AUDIT, LONGEST_NAME, SETTLED, make_up, missing, publisher
from mlops_mlflow.governance.desk.desk import Desk, Matter
from mlops_mlflow.governance.desk.requests import ask
from mlops_mlflow.governance.remote import RemoteRegistry
from mlops_mlflow.governance.shelf import Registry, Shelf

ANNA = Actor("anna")
POLICY = Policy(name="house rules", roles={"risk": Role(members=("bert",))}, Staging=StageRules(approvals={"risk": 1}))
CARD = Card("Request", "R1", "warning", "Somebody has to approve it")


@pytest.fixture
def client(tracking_uri: str) -> Any:
    return mlflow.MlflowClient(tracking_uri, tracking_uri)


@pytest.fixture
def registry() -> FakeRegistry:
    made = FakeRegistry()
    made.put("churn")
    return made


def evidence(_: Shelf, __: str, rules: Rules) -> Evidence:
    return Evidence({part: part for part in PARTS} | {"policy": rules.digest}, {"verdict": "passed"})


def asked(registry: Registry, *, reason: str = "for the pilot") -> Matter:
    """Somebody has asked for Staging, and the change is committed."""
    desk = Desk(registry, POLICY, ANNA, evidence, lambda: 0)
    with desk.changing("request", "churn", "1", "Staging") as matter:
        ask(matter, reason)
    return matter


def record(registry: FakeRegistry, action: Any = "withdrawal", **more: Any) -> None:
    with registry.changing("churn") as change:
        change.record(Entry(action, "churn", ANNA, "1", **more))


def runs(client: Any) -> list[Any]:
    experiment = client.get_experiment_by_name(AUDIT)
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.created ASC"]))


def silent(sentence: str) -> None:
    pytest.fail(f"a warning: {sentence}")


class Breaking:
    """MLflow's client of a server that refuses one call, or dies in it."""

    def __init__(self, client: Any, call: str, error: BaseException) -> None:
        self._client, self._call, self._error = client, call, error

    def __getattr__(self, name: str) -> Any:
        if name != self._call:
            return getattr(self._client, name)

        def broken(*_: Any, **__: Any) -> None:
            raise self._error

        return broken


def test_a_run_tells_the_decision_to_people_and_to_programs(
    client: Any, registry: FakeRegistry, tmp_path: Path
) -> None:
    matter = asked(registry)
    publisher(client, tell=silent, card=lambda _: CARD)(matter)
    (run,) = runs(client)
    assert run.info.run_name == "churn 1: request None -> Staging by anna"
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", registry.now, registry.now)
    wanted = {
        "mlops.kind": "decision",
        "mlops.use_case": "churn",
        "mlops.version": "1",
        "mlops.action": "request",
        "mlops.from": "None",
        "mlops.to": "Staging",
        "mlops.actor": "anna",
        "mlops.known_by": "operating-system user, identity not verified",
        "mlops.reason": "for the pilot",
        "mlops.outcome": "allowed",
        "mlops.enforcement": "enforced",
        "mlops.sequence": "1",
        "mlops.hash": matter.records[0].hash,
    }
    assert wanted.items() <= run.data.tags.items()
    assert run.data.params == {"version": "1", "action": "request", "from": "None", "to": "Staging"}
    assert run.data.metrics["rules_missing"] >= 1
    assert run.data.metrics["rules_met"] >= 1
    note = run.data.tags["mlflow.note.content"]
    assert note.splitlines()[0].endswith("(operating-system user, identity not verified): for the pilot")
    assert "- ✗ approval as risk: 0 of 1" in note
    assert "ot enforced" not in note
    found = json.loads((Path(client.download_artifacts(run.info.run_id, "findings.json"))).read_text(encoding="utf-8"))
    assert found["record"] == matter.records[0].to_plain()
    outcomes = [one["outcome"] for one in found["findings"]]
    assert outcomes.count("missing") == run.data.metrics["rules_missing"]
    assert {one.path for one in client.list_artifacts(run.info.run_id)} == {"findings.json", "card.html", "card.md"}


def test_a_change_with_several_records_has_a_run_for_each(client: Any, registry: FakeRegistry) -> None:
    matter = asked(registry)
    with registry.changing("churn") as change:
        again = Matter(matter.desk, change, matter.case)
        for role in ("risk", "legal"):
            again.record("approval", roles=(role,), details={"subject": "transition", "request": 1})
    publisher(client, tell=silent)(again)
    names = ["churn 1: approval as legal None -> Staging by anna", "churn 1: approval as risk None -> Staging by anna"]
    assert sorted(run.info.run_name for run in runs(client)) == names


def test_a_refusal_says_so(client: Any, registry: FakeRegistry) -> None:
    matter = asked(registry)
    with registry.changing("churn") as change:
        again = Matter(matter.desk, change, matter.case)
        again.record("refusal", reason="no", details={"attempt": "transition", "why": "no", "findings": []})
    publisher(client, tell=silent)(again)
    (run,) = runs(client)
    assert run.info.run_name == "churn 1: refused transition None -> Staging by anna"
    assert run.data.tags["mlops.outcome"] == "refused"


def test_a_record_gets_one_run_however_often_it_is_published(client: Any, registry: FakeRegistry) -> None:
    matter = asked(registry)
    for _ in range(2):
        publisher(client, tell=silent)(matter)
    assert make_up(client, registry, tell=silent) == ()
    assert len(runs(client)) == 1


def test_the_run_of_an_advisory_record_gets_the_rest_and_no_twin(client: Any, tracking_uri: str) -> None:
    client.create_registered_model("churn")
    client.create_model_version("churn", "file:///nowhere", await_creation_for=0)
    registry = RemoteRegistry(tracking_uri)
    matter = asked(registry)
    (before,) = runs(client)
    assert before.data.metrics == {}
    assert missing(client, registry.stored()) == (1,)
    publisher(client, tell=silent)(matter)
    (after,) = runs(client)
    assert after.data.metrics["rules_missing"] >= 1
    assert after.data.tags["mlops.enforcement"] == "not enforced"
    note = after.data.tags["mlflow.note.content"]
    assert "**Not enforced**" in note
    assert "approval as risk" in note
    assert (after.info.status, after.info.end_time) == ("FINISHED", matter.records[0].time)
    assert missing(client, registry.stored()) == ()
    assert len(list(registry.stored())) == 1


REFUSED = MlflowException("the server postgresql://ann:secret@db refuses")


@pytest.mark.parametrize("call", ["get_experiment_by_name", "search_runs", "create_run", "log_artifacts", "log_batch"])
def test_a_failure_is_told_and_made_up_for_later(call: str, client: Any, registry: FakeRegistry) -> None:
    told: list[str] = []
    publisher(Breaking(client, call, REFUSED), tell=told.append)(asked(registry))
    (sentence,) = told
    assert sentence.startswith("could not show record 1 in MLflow's experiment mlops.audit")
    assert "what was decided stands" in sentence
    assert "secret" not in sentence
    assert missing(client, registry.stored()) == (1,)
    assert make_up(client, registry, tell=silent) == (1,)
    assert missing(client, registry.stored()) == ()
    (run,) = runs(client)
    assert run.info.status == "FINISHED"


def test_a_card_that_cannot_be_drawn_is_told_too(client: Any, registry: FakeRegistry) -> None:
    told: list[str] = []

    def no_card(_: Matter) -> Card:
        raise KeyError("figure")

    publisher(client, tell=told.append, card=no_card)(asked(registry))
    assert len(told) == 1


@pytest.mark.parametrize("call", ["create_run", "log_artifacts", "log_batch", "set_terminated"])
def test_what_a_killed_process_left_out_is_made_up_for(call: str, client: Any, registry: FakeRegistry) -> None:
    class Killed(BaseException):
        pass

    with pytest.raises(Killed):
        publisher(Breaking(client, call, Killed()), tell=silent)(asked(registry))
    record(registry)
    make_up(client, registry, tell=silent)
    found = [(run.data.tags["mlops.published"], run.info.status) for run in runs(client)]
    assert found == [("yes", "FINISHED"), ("yes", "FINISHED")]


def test_records_that_may_be_on_their_way_to_a_run_are_left_alone(client: Any, registry: FakeRegistry) -> None:
    record(registry)
    registry.now += SETTLED
    record(registry)
    assert make_up(client, registry, tell=silent, now=registry.now) == (1,)
    assert make_up(client, registry, tell=silent, now=registry.now + SETTLED) == (2,)


def test_making_up_goes_on_where_it_stopped_and_takes_little_at_once(
    client: Any, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_mlflow.governance.audit_runs.MOST_MADE_UP", 2)
    for _ in range(5):
        record(registry)
    read: list[int] = []
    stored = registry.stored

    def watched(after: int = 0) -> Any:
        read.append(after)
        return stored(after)

    registry.stored = watched  # type: ignore[method-assign]
    assert [make_up(client, registry, tell=silent) for _ in range(4)] == [(1, 2), (3, 4), (5,), ()]
    assert read == [0, 2, 4, 5]


def test_the_two_ledgers_of_one_server_are_made_up_for_each_by_itself(client: Any, registry: FakeRegistry) -> None:
    record(registry)
    advisory = FakeRegistry(enforced=False, now=registry.now + 1)
    record(advisory)
    assert make_up(client, registry, tell=silent) == (1,)
    assert make_up(client, advisory, tell=silent) == (1,)
    assert len(runs(client)) == 2


def test_a_record_that_is_none_any_more_stops_nobody(client: Any, registry: FakeRegistry) -> None:
    from mlops_mlflow.core.ledger.chain import Stored

    record(registry)
    whole = list(registry.stored())
    registry.stored = lambda after=0: iter([Stored(1, b"{", "", ""), *whole])  # type: ignore[method-assign]
    assert missing(client, registry.stored()) == (1,)
    assert len(make_up(client, registry, tell=silent)) == 1


def test_a_run_that_somebody_deleted_is_not_made_again(client: Any, registry: FakeRegistry) -> None:
    record(registry)
    make_up(client, registry, tell=silent)
    client.delete_run(runs(client)[0].info.run_id)
    assert missing(client, registry.stored()) == ()
    assert runs(client) == []


def test_long_texts_are_cut_and_markup_stays_text(client: Any, registry: FakeRegistry) -> None:
    record(registry, reason="<script>alert(1)</script> [a](javascript:b)\n" * 400)
    with registry.changing("m" * 300) as change:
        change.record(Entry("withdrawal", "m" * 300, ANNA, "1"))
    assert make_up(client, registry, tell=silent) == (1, 2)
    first, second = sorted(runs(client), key=lambda run: int(run.data.tags["mlops.sequence"]))
    note = first.data.tags["mlflow.note.content"]
    assert "<script" not in note
    assert "[a](" not in note
    assert "\n" not in note.partition("**: ")[2].partition("Record")[0].strip()
    assert len(first.data.tags["mlops.reason"]) <= 8000
    assert len(second.info.run_name) == LONGEST_NAME


def test_an_experiment_describes_itself(client: Any, registry: FakeRegistry) -> None:
    make_up(client, registry, tell=silent)
    assert "mlops audit verify" in client.get_experiment_by_name(AUDIT).tags["mlflow.note.content"]


def names(action: str, **more: Any) -> Callable[[Any, FakeRegistry], str]:
    def name(client: Any, registry: FakeRegistry) -> str:
        record(registry, action, **more)
        make_up(client, registry, tell=silent)
        return str(runs(client)[0].info.run_name)

    return name


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (names("registration", begin="None", to="Staging"), "churn 1: registration by anna"),
        (names("deletion"), "churn 1: deletion by anna"),
        (names("rollback", begin="Archived", to="Production"), "churn 1: rollback Archived -> Production by anna"),
    ],
)
def test_names_say_what_happened(
    name: Callable[[Any, FakeRegistry], str], wanted: str, client: Any, registry: FakeRegistry
) -> None:
    assert name(client, registry) == wanted
