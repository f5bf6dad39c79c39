"""Approvals that nobody can give, and what is said of them."""

from __future__ import annotations

from typing import Any

from policy_cases import Ledger, finding, policy

from mlops_mlflow.core.policy.able import obstacles
from mlops_mlflow.core.usecase.success import ApprovalRequirement

PEOPLE: dict[str, list[str]] = {"ann": [], "bob": [], "eve": []}


def held(approvals: dict[str, int], **roles: list[str]) -> Any:
    members = {role: {"members": names} for role, names in roles.items()}
    return policy(people=PEOPLE, roles=members, Production={"approvals": approvals})


def test_a_role_that_only_an_author_holds_is_an_obstacle() -> None:
    rules = held({"business": 1}, business=["ann"])

    found = finding(Ledger().staged("ann").decide(rules), "approval as business")

    assert found.nobody
    assert found.todo == (
        "nobody can: 1 approval needed as business, which only ann can give, and ann registered it or asks for it"
    )


def test_whoever_asks_is_an_author_from_then_on() -> None:
    case = Ledger().staged("ann").case(held({"business": 1}, business=["bob"]), by="bob")

    assert obstacles(case) == {}
    assert list(obstacles(case, asking={"bob"})) == ["approval as business"]


def test_who_would_be_missed_as_an_approver_is_told_to_let_somebody_else_ask() -> None:
    rules = held({"business": 1}, business=["bob"])
    ledger = Ledger().staged("ann")

    assert ledger.decide(rules, by="bob").missing[0].todo == (
        "first ask (somebody else than bob): `mlops request flights --to Production --version 1`; then bob"
    )
    assert "somebody else" not in ledger.decide(rules, by="eve").missing[0].todo


def test_what_nobody_could_complete_is_not_to_be_asked_for() -> None:
    rules = held({"business": 1, "compliance": 1}, business=["bob"], compliance=["ann"])

    decision = Ledger().staged("ann").decide(rules)

    assert decision.nobody_can
    assert [one.nobody for one in decision.missing] == [False, True]
    assert decision.missing[0].todo == "bob"


def test_authors_that_may_approve_are_no_obstacle() -> None:
    rules = policy(
        people=PEOPLE,
        roles={"business": {"members": ["ann"]}},
        Production={"approvals": {"business": 1}, "exclude_authors": False},
    )

    assert obstacles(Ledger().staged("ann").case(rules)) == {}


def test_roles_that_have_people_each_but_not_together_are_an_obstacle() -> None:
    rules = held({"business": 1, "compliance": 1}, business=["ann", "bob"], compliance=["bob"])

    found = obstacles(Ledger().staged("ann").case(rules))

    assert list(found) == ["approval as business", "approval as compliance"]
    assert found["approval as business"] == (
        "2 approvals as business and compliance need as many people who are no authors: there are 1"
    )


def test_too_few_people_besides_the_authors_are_an_obstacle() -> None:
    rules = policy(people=PEOPLE, Production={"approvers": 3})

    assert obstacles(Ledger().staged("ann").case(rules)) == {
        "approval by somebody else": "3 people have to approve, and without the authors (ann) there are 2"
    }


def test_a_requirement_of_a_role_that_nobody_holds_is_an_obstacle() -> None:
    wording = (ApprovalRequirement(approval="legal", subject="wording"),)
    case = Ledger().staged().case(policy(unlisted_roles="nobody"), requirements=wording)

    assert obstacles(case) == {"legal approves: wording": "nobody holds the role legal"}


def test_where_everybody_may_nothing_is_an_obstacle() -> None:
    rules = policy(Production={"approvals": {"business": 5}, "approvers": 9})

    assert obstacles(Ledger().staged().case(rules), asking={"bob"}) == {}


def test_who_could_take_over_a_role_is_told_where_its_holder_counts_for_another_one() -> None:
    rules = held({"compliance": 1, "business": 1}, compliance=["bob", "eve"], business=["bob"])
    ledger = Ledger().staged("ann")
    number = ledger.request()
    ledger.approve(number, "bob", "compliance")
    ledger.approve(number, "bob", "business")

    (missing,) = ledger.decide(rules).missing

    assert missing.todo == (
        f"eve as compliance, so that bob counts as business: `mlops approve R{number} --role compliance`"
    )
    ledger.approve(number, "eve", "compliance")
    assert ledger.decide(rules).allowed
