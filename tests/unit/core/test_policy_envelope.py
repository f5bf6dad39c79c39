"""What a retrained version may do without new approvals, and what not."""

from __future__ import annotations

from typing import Any

import pytest
from policy_cases import DAY, FACTS, Ledger, evidence, finding, policy

from mlops_mlflow.core.policy.decide import Decision
from mlops_mlflow.core.policy.document import DEFAULT
from mlops_mlflow.core.policy.rules import rules_for
from mlops_mlflow.core.usecase.operation import Governance
from mlops_mlflow.core.usecase.success import ApprovalRequirement

POLICY = policy(machines=["ci"], Production={"approvals": {"business": 1, "compliance": 1}})
ENVELOPE = {"spares": ["business", "compliance"], "metrics": [{"metric": "roc_auc", "at_least": 0.7}], "per_month": 2}


def governance(**changed: Any) -> Governance:
    return Governance.model_validate({"Production": {"envelope": {**ENVELOPE, **changed}}})


def approved(business: str = "bob", compliance: str = "eve") -> Ledger:
    """A version that a machine registered and brought to Staging, in an envelope that both roles approved."""
    ledger = Ledger().staged("ci")
    rules = rules_for(POLICY, "Production", governance())
    ledger.approve_envelope(rules, business, "business")
    ledger.approve_envelope(rules, compliance, "compliance")
    return ledger


def why_not(decision: Decision) -> str:
    assert not decision.allowed
    assert not decision.spared
    return finding(decision, "approval as business").reason


def test_within_an_approved_envelope_no_new_approval_is_needed() -> None:
    decision = approved().decide(POLICY, governance=governance())

    assert decision.allowed
    assert decision.spared
    found = finding(decision, "approval as business")
    assert (found.outcome, found.reason) == (
        "spared",
        "within the envelope that was approved: bob on 2023-11-15 00:13 UTC",
    )


def test_an_envelope_that_was_not_needed_is_not_used() -> None:
    ledger = approved()
    number = ledger.request("ci")
    ledger.approve(number, "tom", "business")
    ledger.approve(number, "tim", "compliance")

    assert not ledger.decide(POLICY, governance=governance()).spared


def test_an_envelope_spares_nothing_until_all_of_its_roles_approved_it() -> None:
    ledger = Ledger().staged("ci")
    ledger.approve_envelope(rules_for(POLICY, "Production", governance()), "bob", "business")

    assert why_not(ledger.decide(POLICY, governance=governance())) == (
        "0 of 1 approval; the envelope does not stand in for it: it is not approved by compliance"
    )


def test_one_person_does_not_approve_an_envelope_in_two_roles() -> None:
    decision = approved("bob", "bob").decide(POLICY, governance=governance())

    assert len(decision.missing) == 1


def test_an_envelope_spares_no_more_people_than_approved_it() -> None:
    rules = policy(machines=["ci"], Production={"approvals": {"business": 2, "compliance": 1}})

    assert [one.role for one in approved().decide(rules, governance=governance()).missing] == ["business"]


def test_an_envelope_and_new_approvals_add_up() -> None:
    rules = policy(machines=["ci"], Production={"approvals": {"business": 2, "compliance": 1}})
    ledger = approved()
    ledger.approve(ledger.request("ci"), "tom", "business")

    assert ledger.decide(rules, governance=governance()).allowed


def test_a_role_that_is_not_spared_has_to_approve_each_version() -> None:
    rules = policy(machines=["ci"], Production={"approvals": {"business": 1, "compliance": 1, "risk": 1}})

    decision = approved().decide(rules, governance=governance())

    assert [one.role for one in decision.missing] == ["risk"]


def test_requirements_are_never_spared() -> None:
    requirement = ApprovalRequirement(approval="business", subject="wording")

    decision = approved().decide(POLICY, governance=governance(), requirements=(requirement,))

    assert [one.rule for one in decision.missing] == ["business approves: wording"]


def test_an_author_of_the_version_does_not_spare_it_by_having_approved_the_envelope() -> None:
    ledger = approved(business="tom")

    decision = ledger.decide(POLICY, governance=governance(), technical_owner="tom")

    assert "tom's approval of it does not count: tom is an author" in why_not(decision)


def test_whoever_approved_the_envelope_is_the_one_approver_that_the_default_policy_asks_for() -> None:
    own = Governance.model_validate({"Production": {"approvals": {"business": 1}, "envelope": ONLY_BUSINESS}})
    ledger = Ledger().staged("ann")
    rules = rules_for(DEFAULT, "Production", own)
    assert not ledger.decide(DEFAULT, governance=own).allowed

    ledger.approve_envelope(rules, "ann", "business")
    assert not ledger.decide(DEFAULT, governance=own).allowed

    ledger.approve_envelope(rules, "bob", "business")
    assert ledger.decide(DEFAULT, governance=own).allowed


def test_whoever_approved_the_envelope_counts_among_the_least_number_of_people() -> None:
    rules = policy(machines=["ci"], Production={"approvals": {"business": 1}, "approvers": 2})
    own = governance(spares=["business"])
    ledger = Ledger().staged("ci")
    ledger.approve(ledger.request("ci"), "tom", "business")
    assert not ledger.decide(rules, governance=own).allowed

    ledger.approve_envelope(rules_for(rules, "Production", own), "bob", "business")
    assert ledger.decide(rules, governance=own).allowed


ONLY_BUSINESS = {**ENVELOPE, "spares": ["business"]}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"metrics": {"roc_auc": 0.6999}}, "roc_auc is 0.6999, at least 0.7 is asked for"),
        ({"metrics": {"roc_auc": float("nan")}}, "roc_auc is nan, at least 0.7 is asked for"),
        ({"metrics": {"f1": 0.9}}, "roc_auc is not known"),
        ({"metrics": None}, "roc_auc is not known"),
        ({"metrics": {"roc_auc": "0.9"}}, "roc_auc is not known"),
    ],
)
def test_a_version_outside_the_bounds_is_not_spared(facts: dict[str, Any], why: str) -> None:
    decision = approved().decide(POLICY, seen=evidence({**FACTS, **facts}), governance=governance())

    assert why_not(decision) == f"0 of 1 approval; the envelope does not stand in for it: {why}"


def test_an_upper_bound_is_told_as_one() -> None:
    own = governance(metrics=[{"metric": "log_loss", "at_most": 0.3}])
    ledger = Ledger().staged("ci")
    for person, role in (("bob", "business"), ("eve", "compliance")):
        ledger.approve_envelope(rules_for(POLICY, "Production", own), person, role)
    seen = evidence({**FACTS, "metrics": {"log_loss": 0.4}})

    assert "log_loss is 0.4, at most 0.3 is asked for" in why_not(ledger.decide(POLICY, seen=seen, governance=own))


@pytest.mark.parametrize(
    ("facts", "what"),
    [({"features": [["origin", "categorical"]]}, "the features"), ({"estimator": "sklearn.Linear"}, "the estimator")],
)
def test_other_features_or_another_estimator_are_outside(facts: dict[str, Any], what: str) -> None:
    decision = approved().decide(POLICY, seen=evidence({**FACTS, **facts}), governance=governance())

    assert f"bob's approval of it does not count: since then changed: {what}" in why_not(decision)


@pytest.mark.parametrize("fact", ["features", "estimator"])
def test_features_or_an_estimator_that_are_not_known_are_outside(fact: str) -> None:
    known = {key: value for key, value in FACTS.items() if key != fact}
    ledger = Ledger().staged("ci")
    for person, role in (("bob", "business"), ("eve", "compliance")):
        ledger.approve_envelope(rules_for(POLICY, "Production", governance()), person, role, known)

    decision = ledger.decide(POLICY, seen=evidence(known), governance=governance())

    assert f"the {fact} of the version are not known" in why_not(decision)


def test_an_approval_of_an_envelope_with_other_bounds_counts_for_nothing() -> None:
    own = governance(metrics=[{"metric": "roc_auc", "at_least": 0.5}])

    assert "since then changed: the envelope" in why_not(approved().decide(POLICY, governance=own))


def test_an_approval_of_the_envelope_for_one_registry_stage_does_not_count_for_another() -> None:
    both = policy(Staging={"approvals": {"business": 1}}, Production={"approvals": {"business": 1}})
    own = Governance.model_validate({to: {"envelope": ONLY_BUSINESS} for to in ("Staging", "Production")})
    ledger = Ledger()
    ledger.register("ci")
    ledger.approve_envelope(rules_for(both, "Production", own), "bob", "business")

    assert "since then changed: the envelope" in why_not(ledger.decide(both, "Staging", governance=own))


def test_the_approval_of_an_envelope_lapses_like_any_other() -> None:
    rules = policy(machines=["ci"], Production={**POLICY.Production.model_dump(mode="json"), "approval_lapse": "P30D"})

    assert "bob's approval of it does not count: it lapsed on" in why_not(
        approved().decide(rules, governance=governance(), later=30 * DAY)
    )


def test_only_so_many_transitions_within_thirty_days_are_spared() -> None:
    ledger = approved()
    ledger.move("Production", by="ci")
    for version in ("2", "3"):
        ledger.staged("ci", version)
        assert ledger.decide(POLICY, version=version, governance=governance()).allowed is (version == "2")
        if version == "2":
            ledger.move("Production", version, "ci")

    refused = ledger.decide(POLICY, version="3", governance=governance())
    assert why_not(refused).endswith("2 transitions to Production came before, of 2 within 30 days")
    assert ledger.decide(POLICY, version="3", governance=governance(), later=30 * DAY).allowed


def test_a_rollback_is_not_counted_among_the_transitions_of_a_month() -> None:
    ledger = approved()
    ledger.move("Production", by="ci")
    ledger.staged("ci", "2")
    ledger.move("Production", "2", action="rollback")
    ledger.staged("ci", "3")

    assert ledger.decide(POLICY, version="3", governance=governance()).allowed


def test_where_the_policy_allows_no_envelopes_they_spare_nothing() -> None:
    rules = policy(machines=["ci"], Production={**POLICY.Production.model_dump(mode="json"), "envelopes": False})

    assert why_not(approved().decide(rules, governance=governance())) == "0 of 1 approval"
