"""Which approvals count, who may give them, and what is said of those that do not."""

from __future__ import annotations

import pytest
from policy_cases import DAY, HOUR, SEEN, Ledger, evidence, finding, policy

from mlops_mlflow.core.policy.matching import matching
from mlops_mlflow.core.usecase.success import ApprovalRequirement

ONE = policy(Production={"approvals": {"business": 1}})
TWO = policy(Production={"approvals": {"business": 1, "compliance": 1}})


def asked(by: str = "ann", registrant: str = "ann") -> tuple[Ledger, int]:
    """A version in Staging that somebody asks to bring to Production."""
    ledger = Ledger().staged(registrant)
    return ledger, ledger.request(by)


def test_without_a_request_the_way_to_one_is_told() -> None:
    found = finding(Ledger().staged().decide(ONE), "approval as business")

    assert found.reason == "0 of 1 approval"
    assert found.todo == "first ask: `mlops request flights --to Production --version 1`; then anybody but ann"


def test_names_that_a_shell_would_misread_are_quoted_in_commands() -> None:
    ledger = Ledger("flüge/'a' <b>").staged()
    rules = policy(Production={"approvals": {"data officer": 1}})

    assert "`mlops request 'flüge/'\"'\"'a'\"'\"' <b>' --to" in ledger.decide(rules).missing[0].todo
    ledger.request()
    assert "--role 'data officer'`" in ledger.decide(rules).missing[0].todo


def test_an_approval_in_the_role_by_somebody_else_is_enough() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")

    decision = ledger.decide(ONE)

    assert decision.allowed
    assert finding(decision, "approval as business").reason == "bob on 2023-11-15 01:13 UTC"


def test_an_approval_in_another_role_is_not_enough() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "compliance")

    assert not ledger.decide(ONE).allowed


def test_an_approval_of_another_request_is_not_enough() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    ledger.add("withdrawal", "ann", request=number)
    ledger.request()

    assert not ledger.decide(ONE).allowed


def test_an_approval_of_another_version_is_not_enough() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business", version="2")

    assert not ledger.decide(ONE).allowed


def test_an_approval_of_a_requirement_is_none_of_the_transition() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business", subject="wording")

    assert not ledger.decide(ONE).allowed


def test_a_request_for_another_registry_stage_is_none_for_this_one() -> None:
    ledger = Ledger().staged()
    ledger.approve(ledger.request(to="Archived"), "bob", "business")

    assert not ledger.decide(ONE).allowed
    assert ledger.case(ONE).request is None


# One person counts once


def test_two_roles_need_two_people() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    ledger.approve(number, "bob", "compliance")

    refused = ledger.decide(TWO)
    assert len(refused.missing) == 1
    assert refused.missing[0].todo == f"anybody but ann or bob: `mlops approve R{number} --role compliance`"

    ledger.approve(number, "eve", "business")
    assert ledger.decide(TWO).allowed  # bob now counts as compliance, since eve cannot


def test_a_person_who_approves_twice_counts_once() -> None:
    ledger, number = asked()
    rules = policy(Production={"approvals": {"business": 2}})
    ledger.approve(number, "bob", "business")
    ledger.approve(number, "bob", "business")

    found = finding(ledger.decide(rules), "approval as business")

    assert found.reason == "1 of 2 approvals"


def test_other_names_of_a_person_are_the_same_person() -> None:
    people = {"Bob": ["bob", "bob@example.com"], "Eve": ["eve"], "Ann": ["ann"]}
    rules = policy(people=people, Production={"approvers": 2})
    ledger, number = asked()
    ledger.approve(number, "bob")
    ledger.approve(number, "bob@example.com")
    assert finding(ledger.decide(rules), "approval by somebody else").reason == "1 of 2 approvals"

    ledger.approve(number, "eve")
    assert ledger.decide(rules).allowed


def test_the_least_number_of_people_counts_approvals_in_every_role() -> None:
    rules = policy(Production={"approvals": {"business": 1}, "approvers": 2})
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    assert finding(ledger.decide(rules), "approval by somebody else").reason == "1 of 2 approvals"

    ledger.approve(number, "eve", "compliance")
    assert ledger.decide(rules).allowed


def test_a_number_of_people_that_the_roles_ask_for_anyway_is_not_told_twice() -> None:
    ledger, _ = asked()
    rules = policy(Production={"approvals": {"business": 1, "compliance": 1}, "approvers": 2})

    assert [one.rule for one in ledger.decide(rules).missing] == ["approval as business", "approval as compliance"]


def test_matching_moves_people_to_where_they_are_needed() -> None:
    able = {"ann": ["a", "b", "c"], "bob": ["a", "b"], "cem": ["a"]}

    assert matching(able, {"a": 1, "b": 1, "c": 1}) == {"a": ("cem",), "b": ("bob",), "c": ("ann",)}


def test_matching_fills_as_many_places_as_can_be() -> None:
    assert matching({"ann": ["a"], "bob": ["a"]}, {"a": 1, "b": 2}) == {"a": ("ann",), "b": ()}


# Authors


@pytest.mark.parametrize("author", ["ann", "rita"])
def test_neither_registrant_nor_requester_may_approve(author: str) -> None:
    ledger, number = asked(by="rita", registrant="ann")
    ledger.approve(number, author, "business")

    found = finding(ledger.decide(ONE), "approval as business")

    assert found.reason == f"0 of 1 approval; {author}'s does not count: {author} is an author"
    assert found.todo == f"anybody but ann or rita: `mlops approve R{number} --role business`"


def test_whoever_registered_a_version_first_stays_its_author_when_somebody_registers_it_again() -> None:
    ledger = Ledger().staged("ann")
    ledger.register("bob")
    number = ledger.request("rita")
    ledger.approve(number, "ann", "business")

    assert not ledger.decide(ONE).allowed


def test_an_author_stays_one_under_another_name() -> None:
    rules = policy(people={"Ann": ["ann", "ann@example.com"]}, Production={"approvals": {"business": 1}})
    ledger, number = asked(by="ann@example.com")
    ledger.approve(number, "ann", "business")

    found = finding(ledger.decide(rules), "approval as business")

    assert "Ann is an author" in found.reason
    assert found.todo == (
        "nobody can: 1 approval needed as business, which only Ann can give, and Ann registered it or asks for it"
    )
    assert found.nobody


def test_what_a_machine_registered_is_the_work_of_the_technical_owner() -> None:
    rules = policy(machines=["ci"], Production={"approvals": {"business": 1}})
    ledger, number = asked(by="ci", registrant="ci")
    ledger.approve(number, "tom", "business")

    assert not ledger.decide(rules, technical_owner="tom").allowed
    assert ledger.decide(rules, technical_owner="eve").allowed


def test_what_a_person_registered_is_not_the_work_of_the_technical_owner() -> None:
    ledger, number = asked()
    ledger.approve(number, "tom", "business")

    assert ledger.decide(policy(machines=["ci"], Production={"approvers": 1}), technical_owner="tom").allowed


def test_a_policy_may_let_authors_approve() -> None:
    rules = policy(Production={"approvals": {"business": 1}, "exclude_authors": False})
    ledger, number = asked()
    ledger.approve(number, "ann", "business")

    assert ledger.decide(rules).allowed


# Who may approve at all


def test_a_program_cannot_approve() -> None:
    ledger, number = asked()
    ledger.approve(number, "ci")

    found = finding(ledger.decide(policy(machines=["ci"], Production={"approvers": 1})), "approval by somebody else")

    assert found.reason == "0 of 1 approval; ci's does not count: a program cannot give it"


def test_where_the_policy_lists_people_nobody_else_can_approve() -> None:
    ledger, number = asked()
    ledger.approve(number, "mallory")
    rules = policy(people={"Ann": ["ann"], "Bob": []}, Production={"approvers": 1})

    found = finding(ledger.decide(rules), "approval by somebody else")

    assert found.reason.endswith("mallory's does not count: mallory is none of the people of the bank's policy")
    assert found.todo == f"Bob: `mlops approve R{number}`"


def test_an_approval_by_somebody_who_lost_the_role_counts_no_longer() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    rules = policy(roles={"business": {"members": ["eve"]}}, Production={"approvals": {"business": 1}})

    found = finding(ledger.decide(rules), "approval as business")

    assert found.reason == "0 of 1 approval; bob's does not count: bob is not business any more"
    assert found.todo == f"eve: `mlops approve R{number} --role business`"


def test_of_many_who_could_approve_some_are_named_and_the_others_counted() -> None:
    members = [f"p{number}" for number in range(1, 8)]
    rules = policy(roles={"business": {"members": members}}, Production={"approvals": {"business": 1}})
    ledger, _ = asked()

    assert ledger.decide(rules).missing[0].todo.startswith("p1, p2, p3, p4, p5 or 2 more: ")


def test_where_identities_have_to_be_verified_an_unverified_approval_counts_for_nothing() -> None:
    rules = policy(verified_identity=True, Production={"approvals": {"business": 1}})
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    assert "nobody has checked who gave it" in ledger.decide(rules).missing[0].reason

    ledger.approve(number, "bob", "business", known_by="mlflow server")
    assert ledger.decide(rules).allowed


# Lapse


def test_an_approval_lapses() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")  # an hour ago
    rules = policy(Production={"approvals": {"business": 1}, "approval_lapse": "P1D"})

    assert ledger.decide(rules, later=23 * HOUR - 1).allowed
    late = ledger.decide(rules, later=23 * HOUR)
    assert late.missing[0].reason == "0 of 1 approval; bob's does not count: it lapsed on 2023-11-16 01:13 UTC"


def test_a_request_that_nobody_completed_is_rejected_and_takes_its_approvals_with_it() -> None:
    ledger = Ledger().staged()
    number = ledger.request(lapses=DAY)
    rules = policy(Production={"approvals": {"business": 2}})
    ledger.approve(number, "bob", "business")

    late = ledger.decide(rules, later=DAY)

    assert late.missing[0].reason == f"0 of 2 approvals; R{number} lapsed on 2023-11-16 00:13 UTC, which rejects it"
    assert late.missing[0].todo.startswith("first ask: ")


def test_a_lapsed_request_is_not_told_where_somebody_asked_again() -> None:
    ledger = Ledger().staged()
    ledger.request(lapses=HOUR)
    ledger.request()

    assert ledger.decide(ONE).missing[0].reason == "0 of 1 approval"


@pytest.mark.parametrize("ending", ["rejection", "withdrawal"])
def test_a_request_that_ended_counts_for_nothing_with_its_approvals(ending: str) -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    ledger.add(ending, "eve", request=number)  # type: ignore[arg-type]  # both are actions

    assert not ledger.decide(ONE).allowed


def test_a_request_counts_for_nothing_once_the_version_has_moved() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    ledger.move("Archived")
    ledger.move("Staging")

    assert not ledger.decide(ONE).allowed


# Stale evidence


def test_an_approval_of_other_evidence_counts_for_nothing_and_says_what_changed() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business")

    found = finding(ledger.decide(ONE, seen=evidence(use_case="new", policy="new")), "approval as business")

    why = "since then changed: the use case's files, the rules of the policy"
    assert found.reason == f"0 of 1 approval; bob's does not count: {why}"


def test_only_roles_that_look_at_what_changed_are_concerned() -> None:
    looking = {"business": {"members": ["anybody"]}, "compliance": {"members": ["anybody"], "looks_at": ["card"]}}
    rules = policy(roles=looking, Production={"approvals": {"business": 1, "compliance": 1}})
    ledger, number = asked()
    ledger.approve(number, "bob", "business")
    ledger.approve(number, "eve", "compliance")

    decision = ledger.decide(rules, seen=evidence(use_case="new"))

    assert [one.role for one in decision.missing] == ["business"]


def test_an_approval_in_no_role_looks_at_everything() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob")

    assert not ledger.decide(policy(Production={"approvers": 1}), seen=evidence(use_case="new")).allowed


def test_evidence_that_cannot_be_read_any_more_is_not_what_was_seen() -> None:
    ledger, number = asked()
    ledger.approve(number, "bob", "business", parts={**SEEN, "use_case": ""})

    assert "the use case's files" in ledger.decide(ONE, seen=evidence(use_case="")).missing[0].reason


# Requirements

LEGAL = ApprovalRequirement(approval="legal", subject="wording")


def test_a_requirement_is_approved_by_its_role_for_its_subject() -> None:
    rules, ledger = policy(), Ledger().staged()
    number = ledger.request()
    for role, subject in (("legal", "transition"), ("business", "wording"), ("legal", "other")):
        ledger.approve(number, "bob", role, subject=subject)
        assert [one.rule for one in ledger.decide(rules, requirements=(LEGAL,)).missing] == ["legal approves: wording"]

    ledger.approve(number, "bob", "legal", subject="wording")
    assert ledger.decide(rules, requirements=(LEGAL,)).allowed


def test_a_requirement_stays_approved_for_a_later_version_as_long_as_its_role_sees_the_same() -> None:
    rules = policy(roles={"legal": {"members": ["bob"], "looks_at": ["card"]}})
    ledger = Ledger().staged()
    ledger.approve(ledger.request(), "bob", "legal", subject="wording")
    ledger.staged(version="2")

    seen = evidence(model="model 1", champion="champion 1", use_case="other")
    assert ledger.decide(rules, version="2", seen=seen, requirements=(LEGAL,)).allowed
    ledger.register(version="2", parts={"card": "new"})
    changed = ledger.decide(rules, version="2", seen=evidence(card="new"), requirements=(LEGAL,))
    assert changed.missing[0].reason == (
        "0 of 1 approval; bob's does not count: since then changed: what the model card says"
    )


def test_a_requirement_is_not_met_by_an_author() -> None:
    ledger, number = asked()
    ledger.approve(number, "ann", "legal", subject="wording")

    assert not ledger.decide(policy(), requirements=(LEGAL,)).allowed
