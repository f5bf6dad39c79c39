"""What people at the desk get wrong: each message says which thing, what was expected, what came, what to do next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from desks import DAY, DEFAULT, MODEL, TWO_ROLES, Office

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.governance.desk.approvals import approve, approve_envelope
from mlops_mlflow.governance.desk.arrivals import Arrival, adopt, enter
from mlops_mlflow.governance.desk.desk import RefusedError
from mlops_mlflow.governance.desk.overrides import override, review
from mlops_mlflow.governance.desk.requests import reject, request, withdraw
from mlops_mlflow.governance.desk.transitions import move, rollback

ODD_NAMES = [
    "team/churn",
    "../churn",
    'say "churn"',
    "it's",
    "<b>churn</b><script>alert(1)</script>",
    "abwanderung-größe",
    "解約予測",
    "отток",
    "تسرب",
    "churn 🦆",
    "a\nb",
    "%s {} ${HOME} `ls`",
]


def refused(office: Office, act: Callable[[], Any], *texts: str) -> RefusedError:
    """What somebody is told whose attempt is recorded, and changes nothing else."""
    before = office.stages, dict(office.aliases), len(office.registry.records)
    with pytest.raises(RefusedError) as caught:
        act()
    assert (office.stages, dict(office.aliases)) == before[:2]
    assert office.actions[before[2] :] == ["refusal"]
    assert caught.value.record == office.last.sequence
    assert caught.value.exit_code == 1
    return told(caught.value, *texts)


def wrong(office: Office, act: Callable[[], Any], *texts: str) -> RegistryError:
    """What somebody is told who asks for what is not there; that is no attempt, so nothing is recorded."""
    before = office.stages, len(office.registry.records)
    with pytest.raises(RegistryError) as caught:
        act()
    assert not isinstance(caught.value, RefusedError)
    assert (office.stages, len(office.registry.records)) == before
    assert caught.value.exit_code == 2
    return told(caught.value, *texts)


def told(error: Any, *texts: str) -> Any:
    assert all((error.what, error.expected, error.got, error.hint)), str(error)
    for text in texts:
        assert text in str(error)
    return error


@pytest.fixture
def office() -> Office:
    made = Office()
    made.register("1")
    return made


def test_an_approval_without_the_role(office: Office) -> None:
    asked = office.ask("1")

    refused(
        office,
        lambda: approve(office.desk("fay"), asked, role="compliance"),
        "fay is not compliance",
        "compliance: cem or dora",
        "identity not verified",
        "roles are given in the bank's policy",
    )
    refused(office, lambda: approve(office.desk("fay"), asked), "fay has no say in churn version 1", "business: bob")


def test_an_approval_in_a_role_that_nobody_asks_for(office: Office) -> None:
    asked = office.ask("1")

    wrong(office, lambda: approve(office.desk("eve"), asked, role="on-call"), "as on-call", "business, compliance")
    wrong(office, lambda: reject(office.desk("eve"), asked, role="on-call", reason="no"), "as on-call")


def test_an_approval_that_does_not_say_which_of_two_roles(office: Office) -> None:
    asked = office.ask("1")

    wrong(office, lambda: approve(office.desk("dora"), asked), "business or as compliance", "--role business")


def test_an_approval_twice_by_one_person_under_whichever_name(office: Office) -> None:
    people = {**TWO_ROLES.people, "bob": ("bob@laptop",)}
    office.policy = TWO_ROLES.model_copy(update={"people": people})
    asked = office.ask("1")
    approve(office.desk("bob"), asked)

    refused(
        office,
        lambda: approve(office.desk("bob@laptop"), asked),
        f"bob has approved R{asked} already",
        "cem or dora: `mlops approve",
    )


@pytest.mark.parametrize("author", ["bob", "ann"])
def test_an_approval_of_ones_own_work(author: str) -> None:
    office = Office(DEFAULT)
    office.register("1", by="bob")
    asked = office.ask("1", by="ann")

    refused(
        office,
        lambda: approve(office.desk(author), asked),
        f"{author} may not approve R{asked}: it is their own work",
        "somebody else than ann or bob",
        "mlops status churn",
    )


@pytest.mark.parametrize(("who", "why"), [("robot", "a program"), ("stranger", "stranger is none")])
@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_an_answer_by_a_program_or_a_stranger(who: str, why: str, answer: str) -> None:
    production = TWO_ROLES.Production.model_copy(update={"approvals": {}, "approvers": 1})
    office = Office(TWO_ROLES.model_copy(update={"Production": production}))
    office.register("1")
    asked, desk = office.ask("1"), office.desk(who)

    def act() -> object:
        return approve(desk, asked) if answer == "approve" else reject(desk, asked, reason="no")

    refused(office, act, f"what {who} says would not count: {why}", "one of the people of the bank's policy")


def test_an_approval_by_somebody_whom_no_server_has_signed_in() -> None:
    office = Office(TWO_ROLES.model_copy(update={"verified_identity": True}))
    office.register("1")
    asked = office.ask("1")

    refused(office, lambda: approve(office.desk("bob"), asked), "nobody has checked", "verified_identity: true")


def test_an_answer_after_the_request_has_lapsed(office: Office) -> None:
    asked = office.ask("1")
    office.wait(30 * DAY)
    texts = f"R{asked} has ended", "lapsed on", "which rejects it", "ask again: `mlops request churn --to Production`"

    refused(office, lambda: approve(office.desk("bob"), asked), *texts)
    refused(office, lambda: reject(office.desk("bob"), asked, reason="no"), *texts)
    refused(office, lambda: withdraw(office.desk("ann"), asked), *texts)


@pytest.mark.parametrize("end", ["rejected", "withdrawn", "done", "overtaken"])
def test_an_answer_after_the_request_has_ended(office: Office, end: str) -> None:
    asked = office.ask("1")
    if end == "rejected":
        reject(office.desk("cem"), asked, reason="too weak")
    elif end == "withdrawn":
        withdraw(office.desk("ann"), asked)
    elif end == "overtaken":
        office.register("2")
    else:
        office.promote("1") if office.request_state(asked) == "done" else override(
            office.desk("eve"), MODEL, "1", "Production", reason="no time"
        )

    refused(office, lambda: approve(office.desk("bob"), asked), f"R{asked} has ended", f"{end} by record")


@pytest.mark.parametrize("seen", ["0000", "not hexadecimal", " ", "é"])
def test_an_approval_of_evidence_that_is_not_what_somebody_saw(office: Office, seen: str) -> None:
    asked = office.ask("1")

    refused(
        office,
        lambda: approve(office.desk("bob"), asked, seen=seen),
        f"the evidence of R{asked} is not what you looked at",
        f"evidence {seen}",
        f"mlops card churn --request R{asked}",
    )


def test_an_approval_of_evidence_that_has_changed_says_what_changed(office: Office) -> None:
    asked = office.ask("1")
    seen = office.desk("bob").look(MODEL, "1", "Production")[0].evidence.digest
    office.evidence.change("1", "slices")

    refused(
        office, lambda: approve(office.desk("bob"), asked, seen=seen[:8]), "since the request changed: the figures by"
    )
    office.evidence.changed.clear()
    approve(office.desk("bob"), asked, seen=seen[:8].upper())


def test_an_approval_of_evidence_that_cannot_be_read(office: Office) -> None:
    asked = office.ask("1")
    office.evidence.lose("1", "data", "the artifact store does not answer")

    refused(
        office,
        lambda: approve(office.desk("bob"), asked),
        f"what R{asked} stands on cannot be read",
        "the data that it was trained",
        "the artifact store does not answer",
    )


@pytest.mark.parametrize("act", [approve, withdraw, lambda desk, number: reject(desk, number, reason="no")])
@pytest.mark.parametrize("number", [0, -1, 1, 99, 10**30])
def test_an_answer_to_a_request_that_does_not_exist(office: Office, act: Any, number: int) -> None:
    error = wrong(office, lambda: act(office.desk("bob"), number), f"there is no request R{number}")

    assert ("another kind (registration)" in error.got) == (number == 1)


def test_a_request_for_a_version_that_does_not_exist(office: Office) -> None:
    wrong(
        office, lambda: request(office.desk("ann"), MODEL, "7", "Production"), "churn has no version 7", "1 (Staging)"
    )
    wrong(office, lambda: request(office.desk("ann"), "other", "1", "Production"), "other has no version 1")
    wrong(office, lambda: request(office.desk("ann"), "other", None, "Production"), "other has no version that could")
    wrong(office, lambda: move(office.desk("ann"), MODEL, "", "Production"), "churn has no version")


@pytest.mark.parametrize("to", ["None", "production", "Produktion", ""])
def test_a_request_for_a_registry_stage_that_nothing_goes_to(office: Office, to: str) -> None:
    refused(office, lambda: request(office.desk("ann"), MODEL, "1", to), "is not one of the transitions")
    wrong(
        office, lambda: request(office.desk("ann"), MODEL, None, to), "one of the registry stages Staging, Production"
    )


def test_a_request_for_a_version_that_failed_validation() -> None:
    office = Office()
    office.evidence.say("1", verdict="failed")
    office.register("1")

    refused(office, lambda: request(office.desk("ann"), MODEL, "1", "Staging"), "validate said `failed`", "mlops run")


def test_a_request_for_a_version_that_the_ledger_does_not_know() -> None:
    office = Office()
    office.registry.put(MODEL, "1", stage="Staging")

    refused(
        office,
        lambda: request(office.desk("ann"), MODEL, "1", "Production"),
        "the version was not registered by a lifecycle",
        "mlops adopt",
    )


def test_a_second_request_for_the_same_transition(office: Office) -> None:
    asked = office.ask("1")
    approve(office.desk("bob"), asked)

    written = len(office.actions)

    again = request(office.desk("cem"), MODEL, "1", "Production")

    assert (again.again, again.moved, again.request.number) == (True, None, asked)
    assert f"cem or dora: `mlops approve R{asked} --role compliance`" in [one.todo for one in again.decision.missing]
    assert len(office.actions) == written
    assert office.request_state(asked) == "open"


def test_a_withdrawal_by_somebody_else(office: Office) -> None:
    asked = office.ask("1")

    refused(office, lambda: withdraw(office.desk("bob"), asked), f"R{asked} was asked by ann", f"mlops reject R{asked}")


@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
def test_no_reason_where_one_is_needed(office: Office, reason: str) -> None:
    asked = office.ask("1")
    bob = office.desk("bob")

    for what, act in {
        "a rejection": lambda: reject(bob, asked, reason=reason),
        "an override": lambda: override(office.desk("eve"), MODEL, "1", "Production", reason=reason),
        "a rollback": lambda: rollback(bob, MODEL, reason=reason),
        "a review": lambda: review(bob, MODEL, 1, comment=reason),
        "an adoption": lambda: adopt(bob, MODEL, reason=reason),
    }.items():
        wrong(office, act, f"{what} needs a reason")


def test_a_rejection_by_somebody_without_a_say(office: Office) -> None:
    asked = office.ask("1")

    refused(office, lambda: reject(office.desk("fay"), asked, reason="no"), "fay has no say", "business: bob or dora")


def test_an_override_by_somebody_who_may_not(office: Office) -> None:
    refused(
        office,
        lambda: override(office.desk("bob"), MODEL, "1", "Production", reason="no time"),
        "bob may not override the policy",
        "on-call",
        "mlops request",
    )


def test_a_review_of_ones_own_override(office: Office) -> None:
    number = override(office.desk("eve"), MODEL, "1", "Production", reason="no time").decision.override

    refused(office, lambda: review(office.desk("eve"), MODEL, number, comment="fine"), "own override", "somebody else")


@pytest.mark.parametrize("number", [0, 1, 99])
def test_a_review_of_what_is_no_override(office: Office, number: int) -> None:
    wrong(
        office, lambda: review(office.desk("fay"), MODEL, number, comment="fine"), f"R{number} is no override of churn"
    )


def test_a_rollback_with_nothing_to_go_back_to(office: Office) -> None:
    eve = office.desk("eve")

    wrong(office, lambda: rollback(eve, MODEL, reason="bad"), "churn has no earlier version", "version 1 in Staging")
    wrong(office, lambda: rollback(eve, MODEL, version="1", reason="bad"), "cannot go back to version 1")
    wrong(office, lambda: rollback(eve, MODEL, version="7", reason="bad"), "churn has no version 7")
    wrong(office, lambda: rollback(eve, "other", reason="bad"), "other has no earlier version", "no versions")


def test_a_rollback_to_what_was_never_in_production(office: Office) -> None:
    office.register("2")

    refused(
        office, lambda: rollback(office.desk("eve"), MODEL, version="1", reason="bad"), "it was never in Production"
    )


def test_an_adoption_of_nothing(office: Office) -> None:
    wrong(office, lambda: adopt(office.desk("ann"), MODEL, reason="ours"), "nothing of churn to adopt", "1 in Staging")
    wrong(
        office, lambda: adopt(office.desk("ann"), "other", reason="ours"), "nothing of other to adopt", "no such model"
    )


def test_an_adoption_of_two_versions_in_one_registry_stage(office: Office) -> None:
    office.registry.put(MODEL, "2", stage="Production")
    office.registry.put(MODEL, "3", stage="Production")

    wrong(office, lambda: adopt(office.desk("ann"), MODEL, reason="ours"), "versions 2 and 3", "archive all but one")


def test_an_envelope_that_is_not_there(office: Office) -> None:
    wrong(
        office,
        lambda: approve_envelope(office.desk("cem"), MODEL, "1", "Production", role="compliance"),
        "no envelope of churn spares compliance",
        "envelope: {spares: [...]}",
    )


def test_a_registration_of_a_version_that_does_not_exist(office: Office) -> None:
    wrong(office, lambda: enter(office.desk("ann"), MODEL, "7", Arrival({}, "")), "churn has no version 7")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_models_people_and_roles_go_through_whole(name: str) -> None:
    role = f"head of {name}"
    production = TWO_ROLES.Production.model_copy(update={"approvals": {role: 1}})
    roles = {role: TWO_ROLES.roles["business"].model_copy(update={"members": (name,)})}
    people = {"ann": (), name: (), "eve": ()}
    policy = TWO_ROLES.model_copy(update={"people": people, "roles": roles, "Production": production, "override": None})
    office = Office(policy, model=name)
    office.register("1")
    asked = office.ask("1")

    refused(office, lambda: approve(office.desk("eve"), asked, role=role, comment=name), f"eve is not {role}", name)
    approve(office.desk(name), asked, comment=name, at_once=True)

    assert office.stages == {"1": "Production"}
    assert office.last.entry.model == name
    assert office.last.entry.actor.name == name
    assert office.whole()


def test_a_comment_that_is_no_unicode_is_recorded_as_far_as_it_can_be(office: Office) -> None:
    asked = office.ask("1")

    approve(office.desk("bob"), asked, comment="gr\udcfc\udcdfe")
    assert office.last.entry.reason == r"gr\udcfc\udcdfe"

    refused(office, lambda: approve(office.desk("cem"), asked, seen="\udcfc"), "is not what you looked at")
    office.evidence.change("1", "model")
    refused(office, lambda: override(office.desk("eve"), MODEL, "1", "Production", reason="\udcfc"), "intact model")
    assert office.whole()
