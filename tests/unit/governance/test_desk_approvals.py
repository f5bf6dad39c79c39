from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from desks import DAY, DEFAULT, MODEL, TWO_ROLES, Office, with_members

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.policy.document import Policy, Role, StageRules
from mlops_mlflow.governance.desk.approvals import approve, approve_envelope
from mlops_mlflow.governance.desk.desk import RefusedError

ENVELOPE = {
    "spares": ["compliance"],
    "metrics": [{"metric": "recall", "at_least": 0.7}],
    "per_month": 3,
}


def production(policy: Policy = TWO_ROLES, **changed: Any) -> Policy:
    return policy.model_copy(update={"Production": policy.Production.model_copy(update=changed)})


def asked_office(policy: Policy = TWO_ROLES) -> tuple[Office, int]:
    office = Office(policy)
    office.register("1")
    return office, office.ask("1")


def test_two_people_in_two_roles_bring_a_version_to_production():
    office, asked = asked_office()

    first = approve(office.desk("bob"), asked, comment="good for customers")
    second = approve(office.desk("cem"), asked, at_once=True)

    assert first.moved is None
    assert [one.role for one in first.decision.missing] == ["compliance"]
    assert second.moved is not None
    assert office.stages == {"1": "Production"}


def test_at_once_moves_nothing_while_another_approval_is_missing_and_keeps_the_approval():
    office, asked = asked_office()

    approved = approve(office.desk("bob"), asked, at_once=True)

    assert approved.moved is None
    assert office.last.entry.action == "approval"
    assert office.stages == {"1": "Staging"}


def test_who_approved_in_one_of_two_roles_may_say_yes_in_the_other_which_counts_once():
    office, asked = asked_office()
    approve(office.desk("dora"), asked, role="business")

    both = approve(office.desk("dora"), asked, role="compliance", at_once=True)
    assert both.moved is None
    (missing,) = both.decision.missing
    assert missing.reason.endswith("dora's does not count: they count for another role, and each person counts once")
    last = approve(office.desk("bob"), asked, at_once=True)

    assert last.moved is not None


def test_a_lapsed_approval_is_given_again_by_the_same_person():
    office, asked = asked_office(production(approval_lapse=timedelta(days=2)))
    approve(office.desk("bob"), asked)
    office.wait(2 * DAY)
    assert approve(office.desk("cem"), asked, at_once=True).moved is None

    assert approve(office.desk("bob"), asked, at_once=True).moved is not None


def test_changed_evidence_is_approved_anew_by_those_who_look_at_it_only():
    policy = TWO_ROLES.model_copy(
        update={
            "roles": {
                **TWO_ROLES.roles,
                "business": Role(members=("bob",), looks_at=("metrics",)),
                "compliance": Role(members=("cem",), looks_at=("use_case",)),
            }
        }
    )
    office, asked = asked_office(policy)
    approve(office.desk("bob"), asked)
    approve(office.desk("cem"), asked)
    office.evidence.change("1", "use_case")

    with pytest.raises(RefusedError, match="approved R3 already"):
        approve(office.desk("bob"), asked)
    again = approve(office.desk("cem"), asked, at_once=True)

    assert again.moved is not None


@pytest.mark.parametrize("approvers", [0, 3])
def test_a_policy_that_is_changed_in_between_makes_approvals_stale_and_they_are_given_again(approvers: int):
    office, asked = asked_office(production(approvers=2))
    approve(office.desk("bob"), asked)
    office.policy = production(approvers=approvers)

    stale = approve(office.desk("cem"), asked)
    assert "since then changed: the rules of the policy" in stale.decision.missing[0].reason
    approve(office.desk("bob"), asked)
    last = approve(office.desk("fay"), asked, at_once=True) if approvers else None

    assert office.stages == {"1": "Production" if approvers else "Staging"}
    assert (last is not None) == bool(approvers)


def test_a_new_champion_in_between_needs_a_new_verdict_whoever_approved():
    office = Office().in_production("1")
    office.register("2")
    asked = office.ask("2")
    approve(office.desk("bob"), asked)
    office.registry.put(MODEL, "9")
    office.push("1", "Archived")
    office.push("9", "Production")

    approved = approve(office.desk("cem"), asked, at_once=True)

    assert approved.moved is None
    assert "fresh verdict" in [one.rule for one in approved.decision.missing]


def test_who_has_left_the_role_does_not_count_any_more():
    office, asked = asked_office()
    approve(office.desk("bob"), asked)
    office.policy = with_members(office.policy, "business", "dora")

    approved = approve(office.desk("cem"), asked, at_once=True)

    assert approved.moved is None
    assert "bob is not business any more" in approved.decision.missing[0].reason


def test_where_more_people_than_roles_are_asked_for_somebody_without_a_role_may_approve():
    office, asked = asked_office(production(approvers=3))
    approve(office.desk("bob"), asked)
    approve(office.desk("cem"), asked)

    last = approve(office.desk("fay"), asked, at_once=True)

    assert last.role == ""
    assert last.moved is not None


def test_by_the_default_policy_one_other_person_is_enough():
    office, asked = asked_office(DEFAULT)

    assert approve(office.desk("somebody"), asked, at_once=True).moved is not None


def test_by_the_default_policy_one_person_does_not_count_twice_under_two_roles():
    office, asked = asked_office(production(DEFAULT, approvers=2))
    approve(office.desk("bob"), asked)

    with pytest.raises(RefusedError, match="approved R3 already"):
        approve(office.desk("bob"), asked, role="compliance")


def test_a_requirement_of_the_use_case_is_approved_with_the_transition():
    office = Office(DEFAULT)
    office.register("1", use_case={"requirements": [{"approval": "privacy", "subject": "no birthdays"}]})
    asked = office.ask("1")

    approved = approve(office.desk("bob"), asked, at_once=True)

    assert approved.subjects == ("transition", "no birthdays")
    assert approved.role == "privacy"
    assert approved.moved is not None


def test_a_requirement_of_few_people_keeps_nobody_else_from_approving_the_transition():
    policy = DEFAULT.model_copy(update={"roles": {"privacy": Role(members=("dora",))}})
    office = Office(policy)
    office.register("1", use_case={"requirements": [{"approval": "privacy", "subject": "no birthdays"}]})
    asked = office.ask("1")

    approved = approve(office.desk("bob"), asked)

    assert approved.subjects == ("transition",)
    assert [one.rule for one in approved.decision.missing] == ["privacy approves: no birthdays"]


def test_approving_twice_is_refused_though_the_evidence_cannot_be_stale_for_the_archive():
    policy = TWO_ROLES.model_copy(update={"Archived": TWO_ROLES.Archived.model_copy(update={"approvers": 2})})
    office = Office(policy)
    office.register("1")
    asked = office.ask("1", "Archived")
    approve(office.desk("bob"), asked)

    with pytest.raises(RefusedError, match="approved R3 already"):
        approve(office.desk("bob"), asked)
    assert approve(office.desk("cem"), asked, at_once=True).moved is not None


def test_what_a_machine_registers_is_the_work_of_the_technical_owner():
    office = Office()
    office.register("1", by="robot", use_case={"technical_owner": "bob"})
    asked = office.ask("1")

    with pytest.raises(RefusedError, match="own work"):
        approve(office.desk("bob"), asked)


def test_who_registered_a_version_again_is_its_author_and_so_is_who_registered_it_first():
    office = Office(with_members(TWO_ROLES, "business", "bob", "dora", "fay"))
    office.register("1", by="bob")
    office.evidence.change("1", "card")
    office.register("1", by="cem")
    asked = office.ask("1")

    for author in ("bob", "cem"):
        with pytest.raises(RefusedError, match="own work"):
            approve(office.desk(author), asked)


def test_an_envelope_spares_a_role_once_it_is_approved():
    office = Office()
    use_case = {"governance": {"Production": {"envelope": ENVELOPE}}}
    office.register("1", use_case=use_case)
    approve_envelope(office.desk("cem"), MODEL, "1", "Production", role="compliance")

    asked = office.ask("1")
    approved = approve(office.desk("bob"), asked, at_once=True)

    assert approved.moved is not None
    assert approved.decision.spared


def test_an_envelope_is_approved_by_others_than_its_authors_and_once():
    office = Office()
    office.register("1", by="cem", use_case={"governance": {"Production": {"envelope": ENVELOPE}}})

    with pytest.raises(RefusedError, match="own work"):
        approve_envelope(office.desk("cem"), MODEL, "1", "Production", role="compliance")
    with pytest.raises(RefusedError, match="bob is not compliance"):
        approve_envelope(office.desk("bob"), MODEL, "1", "Production", role="compliance")
    approve_envelope(office.desk("dora"), MODEL, "1", "Production", role="compliance")
    with pytest.raises(RefusedError, match="already"):
        approve_envelope(office.desk("dora"), MODEL, "1", "Production", role="compliance")


def test_there_is_no_envelope_for_a_role_that_it_does_not_spare():
    office = Office()
    office.register("1")

    with pytest.raises(RegistryError, match="no envelope of churn spares business"):
        approve_envelope(office.desk("bob"), MODEL, "1", "Production", role="business")


def test_staging_may_ask_for_people_too_and_a_lifecycle_asks_them():
    office = Office(TWO_ROLES.model_copy(update={"Staging": StageRules(approvers=1)}))

    entered = office.register("1")

    assert entered.request is not None
    assert office.stages == {"1": "None"}
    assert approve(office.desk("bob"), entered.request.number, role="", at_once=True).moved is not None
    assert office.stages == {"1": "Staging"}
