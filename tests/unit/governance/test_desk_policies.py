"""The default policy does not decide about what an organisation's policy decided about before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from desks import DEFAULT, MODEL, TWO_ROLES, Office

from mlops_mlflow.core.policy.decide import decide
from mlops_mlflow.governance.desk.approvals import approve, approve_envelope
from mlops_mlflow.governance.desk.arrivals import Arrival, adopt, enter
from mlops_mlflow.governance.desk.desk import Desk, RefusedError
from mlops_mlflow.governance.desk.overrides import override, review
from mlops_mlflow.governance.desk.requests import reject, request, withdraw
from mlops_mlflow.governance.desk.transitions import move, rollback

ACTIONS: dict[str, Callable[[Desk], object]] = {
    "request": lambda desk: request(desk, MODEL, "2", "Production"),
    "approval": lambda desk: approve(desk, 9),
    "approval of an envelope": lambda desk: approve_envelope(desk, MODEL, "2", "Production", role="business"),
    "rejection": lambda desk: reject(desk, 9, reason="no"),
    "withdrawal": lambda desk: withdraw(desk, 9),
    "transition": lambda desk: move(desk, MODEL, "2", "Production"),
    "rollback": lambda desk: rollback(desk, MODEL, version="0", reason="bad"),
    "override": lambda desk: override(desk, MODEL, "2", "Production", reason="no time"),
    "review": lambda desk: review(desk, MODEL, 3, comment="fine"),
    "registration": lambda desk: enter(desk, MODEL, "3", Arrival({}, "none")),
    "adoption": lambda desk: adopt(desk, MODEL, reason="by hand"),
}


def under_a_policy() -> Office:
    """Version 0 was in Production once, 1 is there by an override, 2 is asked for, 8 was put beside it by hand."""
    office = Office()
    office.register("0")
    override(office.desk("eve"), MODEL, "0", "Production", reason="no time")
    office.register("1")
    override(office.desk("fay"), MODEL, "1", "Production", reason="no time")
    office.register("2")
    asked = office.ask("2")
    assert office.last.sequence == asked
    office.registry.put(MODEL, "3")
    return office


@pytest.mark.parametrize("what", ACTIONS)
def test_no_decision_is_made_without_the_policy_and_every_attempt_is_recorded(what: str) -> None:
    office = under_a_policy()
    asked, stages, records = office.last.sequence, office.stages, len(office.registry.records)
    glass = office.shelf.history.glass_breaks[0].sequence
    if what == "adoption":
        office.push("1", "None")
        office.push("0", "Production")
        stages = office.stages
    office.policy = DEFAULT
    acts = {
        **ACTIONS,
        "approval": lambda desk: approve(desk, asked),
        "rejection": lambda desk: reject(desk, asked, reason="no"),
        "withdrawal": lambda desk: withdraw(desk, asked),
        "review": lambda desk: review(desk, MODEL, glass, comment="fine"),
    }

    for _ in range(2):  # what was refused does not make the default policy the last one
        with pytest.raises(RefusedError) as refused:
            acts[what](office.desk("bob"))
        assert refused.value.what == (
            f"the last decision about {MODEL} was made under `the bank's policy`; MLOPS_POLICY names no file"
        )

    assert office.actions[records:] == ["refusal", "refusal"]
    assert office.last.entry.details["attempt"] == what.removesuffix(" of an envelope").replace(
        "rollback", "transition"
    )
    assert office.stages == stages


def test_looking_says_what_the_commands_would():
    office = under_a_policy()
    office.policy = DEFAULT

    case, decision = office.desk("ann").look(MODEL, "2", "Production")

    assert not decision.allowed
    assert decision == decide(case)
    assert decision.missing[0].reason == (
        "the last decision was made under `the bank's policy`, and MLOPS_POLICY names no file"
    )


def test_records_name_the_policy_that_held():
    office = under_a_policy()

    assert {one.entry.policy_name for one in office.registry.records} == {TWO_ROLES.name}
    assert office.shelf.history.moves[-1].policy == TWO_ROLES.name


def test_another_policy_with_a_name_decides_and_the_request_says_that_it_changed():
    office = under_a_policy()
    office.policy = TWO_ROLES.model_copy(update={"name": "the group's policy"})

    again = request(office.desk("ann"), MODEL, "2", "Production")

    assert again.policy_changed == "policy changed since: the bank's policy -> the group's policy"


def test_a_first_request_says_that_the_policy_changed():
    office = Office(DEFAULT)
    office.register("1")
    office.policy = TWO_ROLES

    asked = request(office.desk("ann"), MODEL, "1", "Production")

    assert asked.policy_changed == "policy changed since: the default policy -> the bank's policy"
    assert asked.request.policy == "the bank's policy"


def test_an_adoption_is_published_for_each_version():
    office = Office()
    office.registry.put(MODEL, "1", stage="Production")
    office.registry.put(MODEL, "2", stage="Staging")
    seen = []
    desk = replace(
        office.desk("ann"), publish=lambda matter: seen.append([one.entry.version for one in matter.records])
    )

    adopt(desk, MODEL, reason="was there before")

    assert sorted(seen) == [["1"], ["2"]]
