"""A use case never makes possible what the policy alone refuses; measured by decisions, not by fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from policy_cases import DAY, FACTS, HOUR, SEEN, Ledger, evidence

from mlops_mlflow.core.ledger.history import ENVELOPE, TRANSITION
from mlops_mlflow.core.policy.decide import Case, decide
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.fit import misfits
from mlops_mlflow.core.policy.rules import rules_for
from mlops_mlflow.core.usecase.operation import Governance
from mlops_mlflow.core.usecase.success import ApprovalRequirement

ROLES = ("business", "compliance")
PEOPLE = ("ann", "bob", "cem", "dan", "eve")
QUIET = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

counts = st.dictionaries(st.sampled_from(ROLES), st.sampled_from([1, 1, 2]))
durations = st.sampled_from([None, None, None, None, "PT2H", "PT8H", "P2D"])
metrics = st.sampled_from([[{"metric": "roc_auc", "at_least": limit}] for limit in (0.7, 0.7, 0.7, 0.9)])


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    rules = {
        "approvals": draw(counts),
        "approvers": draw(st.sampled_from([0, 0, 0, 1, 2, 3])),
        "approval_lapse": draw(durations),
        "minimum_staging": draw(durations),
        "envelopes": draw(st.sampled_from([True, True, False])),
        "exclude_authors": draw(st.booleans()),
    }
    return Policy.model_validate({"name": "p", "unlisted_roles": "anybody", "machines": ["ci"], "Production": rules})


@st.composite
def governances(draw: st.DrawFn) -> Governance:
    own: dict[str, Any] = {"approvals": draw(counts), "approval_lapse": draw(durations)}
    own["minimum_staging"] = draw(durations)
    if draw(st.booleans()):
        spares = draw(st.lists(st.sampled_from(ROLES), min_size=1, unique=True))
        own["envelope"] = {"spares": spares, "metrics": draw(metrics), "per_month": draw(st.integers(1, 2))}
    return Governance.model_validate({"Production": own})


@st.composite
def ledgers(draw: st.DrawFn, policy: Policy, governance: Governance, *, envelopes: bool) -> Ledger:
    """A version in Staging that is asked for, with approvals of it, and of the envelope if there shall be any."""
    ledger = Ledger().staged(draw(st.sampled_from(("ann", "ci"))))
    number = ledger.request(draw(st.sampled_from(("ann", "ci"))))
    rules = rules_for(policy, "Production", governance)
    if envelopes and draw(st.booleans()):  # mostly valid, so that many envelopes are approved by all they spare
        ledger.approve_envelope(rules, draw(st.sampled_from(PEOPLE)), "business")
        ledger.approve_envelope(rules, draw(st.sampled_from(PEOPLE)), "compliance")
    for _ in range(draw(st.integers(0, 8))):
        person, role = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(ROLES))
        if envelopes and draw(st.booleans()):
            facts = {**FACTS, "estimator": draw(st.sampled_from((FACTS["estimator"],) * 4 + ("other",)))}
            ledger.approve_envelope(rules, person, role, facts)
        else:
            ledger.approve(number, person, role)
    return ledger


def allowed(case: Case) -> bool:
    return decide(case).allowed


@given(st.data(), policies(), governances(), st.sampled_from((0, HOUR, 9 * HOUR, 3 * DAY)))
@QUIET
def test_a_use_case_allows_nothing_that_the_policy_alone_refuses(
    data: st.DataObject, policy: Policy, governance: Governance, later: int
) -> None:
    ledger = data.draw(ledgers(policy, governance, envelopes=False))
    wanted = (ApprovalRequirement(approval="business", subject="wording"),) if data.draw(st.booleans()) else ()

    tightened = ledger.case(policy, later=later, governance=governance, requirements=wanted)
    alone = ledger.case(policy, later=later)

    event(f"allowed: {allowed(tightened)}")
    assert allowed(alone) or not allowed(tightened)


@given(st.data(), policies(), governances())
@QUIET
def test_an_envelope_is_never_more_than_approvals_that_were_given_in_advance(
    data: st.DataObject, policy: Policy, governance: Governance
) -> None:
    ledger = data.draw(ledgers(policy, governance, envelopes=True))
    case = ledger.case(policy, governance=governance)
    decision = decide(case)
    assert case.request is not None
    # The policy alone, where whoever approved the envelope had approved the transition instead.
    instead = tuple(
        replace(one, subject=TRANSITION, request=case.request.number, version="1", parts=SEEN)
        if one.subject == ENVELOPE
        else one
        for one in case.history.approvals
    )
    alone = ledger.case(policy)

    event(f"spared: {decision.spared}")
    assert allowed(replace(alone, history=replace(alone.history, approvals=instead))) or not decision.allowed


@given(st.data(), policies(), governances())
@QUIET
def test_an_envelope_that_is_not_approved_by_all_roles_it_spares_changes_nothing(
    data: st.DataObject, policy: Policy, governance: Governance
) -> None:
    ledger = data.draw(ledgers(policy, governance, envelopes=True))
    case = ledger.case(policy, governance=governance)
    envelope = case.rules.envelope
    spared = set(envelope.spares) if envelope else set()
    silent = data.draw(st.sampled_from(sorted(spared))) if spared else ""
    kept = tuple(one for one in case.history.approvals if one.subject != ENVELOPE or one.role != silent)
    case = replace(case, history=replace(case.history, approvals=kept))
    without = tuple(one for one in kept if one.subject != ENVELOPE)

    assert not decide(case).spared
    assert allowed(case) == allowed(replace(case, history=replace(case.history, approvals=without)))


@given(policies(), governances())
@QUIET
def test_a_use_case_that_would_loosen_is_told_so_and_only_that(policy: Policy, governance: Governance) -> None:
    own, stage = governance.Production, policy.Production
    day = timedelta(days=10_000)
    loosens = (
        any(count < stage.approvals.get(role, 0) for role, count in own.approvals.items())
        or (own.approval_lapse is not None and own.approval_lapse > (stage.approval_lapse or day))
        or (own.minimum_staging is not None and own.minimum_staging < (stage.minimum_staging or timedelta(0)))
        or (own.envelope is not None and not stage.envelopes)
    )
    asked = {*own.approvals, *stage.approvals}
    useless = own.envelope is not None and not set(own.envelope.spares) <= asked

    assert bool(list(misfits(policy, governance))) == (loosens or useless)


@given(st.data(), policies(), governances(), st.sampled_from(("model", "metrics", "")))
@QUIET
def test_no_glass_and_no_dry_run_goes_past_the_model_files(
    data: st.DataObject, policy: Policy, governance: Governance, changed: str
) -> None:
    breakable = {"override": {"roles": ["business"]}, "mode": data.draw(st.sampled_from(("enforce", "dry_run")))}
    loose = Policy.model_validate({**policy.model_dump(mode="json"), **breakable})
    ledger = data.draw(ledgers(policy, governance, envelopes=True))
    ledger.override(data.draw(st.sampled_from((*PEOPLE, "ci"))))
    seen = evidence(**({changed: "forged"} if changed else {}))

    decision = ledger.decide(loose, governance=governance, seen=seen)

    assert decision.allowed or changed == "model" or not decision.override
    assert not (decision.allowed and changed == "model")
