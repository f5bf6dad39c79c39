"""What an open request keeps of the rules that it was asked under."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from policy_cases import DAY, Ledger, finding, policy

from mlops_mlflow.core.policy.kept import changes, kept, needs
from mlops_mlflow.core.policy.rules import Rules, rules_for
from mlops_mlflow.core.usecase.operation import Governance
from mlops_mlflow.core.usecase.success import ApprovalRequirement

WORDING = ApprovalRequirement(approval="legal", subject="wording", before="Production")


def rules(*requirements: ApprovalRequirement, **production: Any) -> Rules:
    return rules_for(policy(Production=production), "Production", Governance(), requirements)


STRICT = rules(
    WORDING, approvals={"business": 2, "compliance": 1}, approvers=3, approval_lapse="P7D", minimum_staging="P2D"
)


def test_of_the_rules_now_and_then_the_stricter_ones_hold() -> None:
    loose = rules(approvals={"business": 1}, approval_lapse="P30D", minimum_staging="P1D")

    for now, then in ((loose, STRICT), (STRICT, loose), (rules(), STRICT), (STRICT, rules())):
        held = kept(now, needs(then))
        assert (held.stage, held.requirements) == (STRICT.stage, STRICT.requirements)


def test_what_is_asked_for_since_holds_too() -> None:
    stricter = kept(rules(WORDING, approvals={"business": 3}), needs(rules(approvals={"business": 1, "legal": 1})))

    assert stricter.stage.approvals == {"business": 3, "legal": 1}
    assert stricter.requirements == (("legal", "wording"),)


def test_a_request_that_remembers_nothing_keeps_nothing() -> None:
    assert kept(STRICT, {}) == STRICT
    assert changes(STRICT, {}) == {}


def test_durations_that_the_ledger_could_not_say_are_bounded() -> None:
    endless = rules().stage.model_copy(update={"approval_lapse": timedelta.max})

    assert needs(Rules(STRICT.policy, "Production", endless))["approval_lapse"] == 36_525 * DAY


def test_every_change_is_told_with_what_the_request_keeps() -> None:
    loose = rules(approvals={"business": 1, "dpo": 1}, minimum_staging="P1D")

    assert list(changes(loose, needs(STRICT)).values()) == [
        "business 2 -> 1 (the request keeps 2)",
        "compliance 1 -> 0 (the request keeps 1)",
        "dpo 0 -> 1",
        "people 3 -> 0 (the request keeps 3)",
        "legal approves: wording was taken out (the request keeps it)",
        "lapse of approvals 7 days -> none (the request keeps 7 days)",
        "time in Staging 2 days -> 1 day (the request keeps 2 days)",
    ]


def test_what_a_request_does_not_need_to_keep_is_told_without_that() -> None:
    told = list(changes(STRICT, needs(rules(approvals={"business": 1}, approval_lapse="P30D"))).values())

    assert told[0] == "business 1 -> 2"
    assert "legal approves: wording was added" in told
    assert "lapse of approvals 30 days -> 7 days" in told
    assert not any("keeps" in one for one in told)


@pytest.mark.parametrize("also", ["", "eve"])
def test_a_decision_keeps_the_approvals_of_an_open_request_and_says_so(also: str) -> None:
    asked, now = (policy(Production={"approvals": {"business": count}}) for count in (2, 1))
    ledger = Ledger().staged()
    remembered = needs(rules_for(asked, "Production", Governance()))
    number = ledger.add("request", "ann", to="Production", lapses=ledger.now + DAY, parts={}, needs=remembered)
    for who in ("bob", also):
        if who:
            ledger.approve(number, who, "business")

    decision = ledger.decide(now)

    assert decision.allowed == bool(also)
    since = f"rules changed since R{number} was asked: business 2 -> 1 (the request keeps 2)"
    assert finding(decision, "approval as business").reason.endswith(since)
    ledger.add("withdrawal", "ann", request=number)
    ledger.approve(ledger.request(), "bob", "business")
    assert ledger.decide(now).allowed


def test_a_change_that_no_other_rule_shows_is_told_by_itself() -> None:
    asked, now = (policy(Production={"approval_lapse": lapse}) for lapse in ("P7D", "P30D"))
    ledger = Ledger().staged()
    remembered = needs(rules_for(asked, "Production", Governance()))
    ledger.add("request", "ann", to="Production", lapses=ledger.now + DAY, parts={}, needs=remembered)

    assert finding(ledger.decide(now), "lapse of approvals").reason == (
        "an approval counts for 7 days; rules changed since R3 was asked: "
        "lapse of approvals 7 days -> 30 days (the request keeps 7 days)"
    )
    assert "lapse of approvals" not in [one.rule for one in ledger.decide(asked).findings]
