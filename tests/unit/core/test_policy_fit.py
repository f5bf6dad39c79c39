"""A use case that loosens the policy, or asks for what can never be given, is told so at its line."""

from __future__ import annotations

from typing import Any

import pytest
from policy_cases import policy

from mlops_mlflow.core.policy.document import DEFAULT, Policy
from mlops_mlflow.core.policy.fit import check_fit, misfits
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.core.usecase.problems import InvalidUseCase

TEXT = """\
use_case: flights
question: Which flights will be late?
owners: {business: b, technical: t}
card: {intended_use: Warn passengers.}
target: {column: late, positive: 1}
sources:
  flights: {path: flights.csv}
candidates:
  logistic: {estimator: sklearn.linear_model.LogisticRegression}
success:
  - {metric: roc_auc, at_least: 0.6}
requirements:
  - {metric: latency_p95_ms, at_most: 100}
  - {approval: legal, subject: wording}
governance:
  Production:
    approvals:
      business: 1
    approval_lapse: P60D
    minimum_staging: P1D
    envelope:
      spares: [business]
      metrics: [{metric: roc_auc, at_least: 0.7}]
"""


def told(policy: Policy, *changes: tuple[str, str]) -> list[str]:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    spec = parse_use_case(text, file="u.yaml")
    try:
        check_fit(policy, spec, text=text, file="u.yaml")
    except InvalidUseCase as error:
        return [str(one) for one in error.problems]
    return []


def strict(**production: Any) -> Policy:
    return policy(Production={"approvals": {"business": 1}, **production})


def test_a_use_case_that_tightens_fits() -> None:
    assert told(strict(approval_lapse="P90D", minimum_staging="PT1H")) == []
    assert told(DEFAULT) == []


def test_fewer_approvals_than_the_policy_asks_for_are_told() -> None:
    assert told(strict(approvals={"business": 2})) == [
        "u.yaml:18:17: `governance.Production.approvals.business` is 1, the bank's policy asks for 2; "
        "a use case may only tighten it"
    ]


def test_a_longer_lapse_is_told() -> None:
    assert told(strict(approval_lapse="P30D")) == [
        "u.yaml:19:21: `governance.Production.approval_lapse` is longer than the 30 days of the bank's policy; "
        "a use case may only shorten it"
    ]


def test_a_shorter_time_in_staging_is_told() -> None:
    assert told(strict(minimum_staging="P7D")) == [
        "u.yaml:20:22: `governance.Production.minimum_staging` is shorter than the 7 days of the bank's policy; "
        "a use case may only lengthen it"
    ]


def test_an_envelope_that_the_policy_does_not_allow_is_told() -> None:
    assert told(strict(envelopes=False)) == [
        "u.yaml:21:5: `governance.Production.envelope` is not allowed by the bank's policy: "
        "each version needs approvals of its own; take it out"
    ]


def test_sparing_a_role_that_nothing_asks_for_is_told() -> None:
    assert told(DEFAULT, ("spares: [business]", "spares: [busines]")) == [
        "u.yaml:22:16: `governance.Production.envelope.spares[0]` is `busines`, whose approval nothing asks for "
        "(did you mean `business`?); expected one of: business"
    ]


LISTED: dict[str, Any] = {"unlisted_roles": "nobody", "roles": {"business": {"members": ["bob"]}}}


def test_a_role_that_the_policy_does_not_know_is_told() -> None:
    assert told(policy(**LISTED)) == [
        "u.yaml:14:16: `requirements[1].approval`: `legal` is not a role of the bank's policy, so nobody could approve"
    ]


def test_more_approvals_than_people_are_told() -> None:
    rules = policy(**{**LISTED, "unlisted_roles": "anybody"})

    assert told(rules, ("business: 1", "business: 2")) == [
        "u.yaml:18:17: `governance.Production.approvals.business` is 2, "
        "but 2 approvals as business can never be given: 1 person can act in it"
    ]


def test_roles_that_have_too_few_people_together_are_told() -> None:
    roles = {name: {"members": ["bob"]} for name in ("business", "compliance")}
    rules = policy(roles=roles, Production={"approvals": {"compliance": 1}})

    assert told(rules) == [
        "u.yaml:17:5: `governance.Production.approvals`: 2 approvals as compliance and business "
        "need as many people, since one counts once: there are 1"
    ]


def test_problems_are_told_all_at_once_in_the_order_of_the_file() -> None:
    found = told(strict(approvals={"business": 2}, approval_lapse="P1D", minimum_staging="P7D", envelopes=False))

    assert [line.split(":")[1] for line in found] == ["18", "19", "20", "21"]


@pytest.mark.parametrize("to", ["Staging", "Production"])
def test_both_registry_stages_are_looked_at(to: str) -> None:
    spec = parse_use_case(TEXT.replace("  Production:", f"  {to}:").replace("    minimum_staging: P1D\n", ""), file="u")
    rules = policy(**{to: {"approvals": {"business": 2}}})

    assert [path for path, _ in misfits(rules, spec.governance)] == [("governance", to, "approvals", "business")]
