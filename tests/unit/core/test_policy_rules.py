"""The organisation's rules with what a use case tightens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from policy_cases import policy

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.policy.rules import rules_for, rules_of
from mlops_mlflow.core.usecase.operation import Governance
from mlops_mlflow.core.usecase.success import ApprovalRequirement, MetricRequirement

STRICT = policy(
    Production={"approvals": {"business": 2}, "approval_lapse": "P30D", "minimum_staging": "P7D", "approvers": 3}
)


def governance(**production: Any) -> Governance:
    return Governance.model_validate({"Production": production})


def test_a_use_case_that_says_nothing_has_the_rules_of_the_policy() -> None:
    assert rules_for(STRICT, "Production", Governance()).stage == STRICT.Production


def test_a_use_case_adds_roles_and_raises_counts() -> None:
    own = governance(approvals={"business": 3, "legal": 1})

    assert rules_for(STRICT, "Production", own).stage.approvals == {"business": 3, "legal": 1}


@pytest.mark.parametrize(
    ("own", "lapse", "staging"),
    [
        ({"approval_lapse": "P7D", "minimum_staging": "P14D"}, 7, 14),
        ({"approval_lapse": "P60D", "minimum_staging": "P1D"}, 30, 7),
    ],
)
def test_of_two_rules_the_stricter_one_holds(own: dict[str, Any], lapse: int, staging: int) -> None:
    stage = rules_for(STRICT, "Production", governance(**own)).stage

    assert stage.approval_lapse == timedelta(days=lapse)
    assert stage.minimum_staging == timedelta(days=staging)


def test_a_lower_count_does_not_loosen() -> None:
    own = governance(approvals={"business": 1})

    assert rules_for(STRICT, "Production", own).stage.approvals == {"business": 2}


def test_what_a_use_case_cannot_say_is_the_policys() -> None:
    stage = rules_for(STRICT, "Production", governance(approvals={"legal": 1})).stage

    assert (stage.approvers, stage.exclude_authors, stage.request_lapse) == (3, True, timedelta(days=30))


def test_an_envelope_that_the_policy_does_not_allow_is_none() -> None:
    envelope = {"spares": ["business"], "metrics": [{"metric": "f1", "at_least": 0.1}]}
    own = governance(envelope=envelope)

    assert rules_for(policy(Production={"envelopes": False}), "Production", own).envelope is None
    assert rules_for(policy(), "Production", own).envelope == own.Production.envelope


REQUIREMENTS = (
    ApprovalRequirement(approval="legal", subject="wording", before="Staging"),
    ApprovalRequirement(approval="risk", subject="scope", before="Staging"),
    ApprovalRequirement(approval="legal", subject="wording", before="Production"),
    ApprovalRequirement(approval="dpo", subject="data", before="Production"),
    ApprovalRequirement(approval="ops", subject="shutdown", before="Archived"),
    MetricRequirement(metric="latency_p95_ms", at_most=100),
)


@pytest.mark.parametrize(
    ("to", "asked"),
    [
        ("Staging", (("legal", "wording"), ("risk", "scope"))),
        ("Production", (("legal", "wording"), ("risk", "scope"), ("dpo", "data"))),
        ("Archived", (("ops", "shutdown"),)),
    ],
)
def test_production_asks_for_what_staging_asked_for_too_each_once(to: Any, asked: tuple[Any, ...]) -> None:
    assert rules_for(policy(), to, Governance(), REQUIREMENTS).requirements == asked


def test_roles_are_told_once() -> None:
    own = governance(approvals={"legal": 1, "business": 1})

    assert rules_for(policy(), "Production", own, REQUIREMENTS).roles == ("legal", "business", "risk", "dpo")


def test_the_rules_of_what_the_ledger_keeps_are_those_of_the_use_case() -> None:
    own = governance(approvals={"legal": 1}, approval_lapse="P7D")
    kept = {
        "governance": own.model_dump(mode="json"),
        "requirements": [one.model_dump(mode="json") for one in REQUIREMENTS],
        "technical_owner": "tom",
    }

    again = rules_of(STRICT, "Production", kept)

    assert again == rules_for(STRICT, "Production", own, REQUIREMENTS, technical_owner="tom")
    assert rules_of(STRICT, "None", {}).to == "Archived"


@pytest.mark.parametrize(
    "other",
    [
        {"mode": "dry_run"},
        {"verified_identity": True},
        {"Production": {"approvals": {"business": 1}}},
        {"Production": {"exclude_authors": False}},
        {"roles": {"legal": {"members": ["bob"], "looks_at": ["card"]}}},
    ],
)
def test_other_rules_have_another_digest(other: dict[str, Any]) -> None:
    plain, changed = (rules_for(policy(**more), "Production", Governance(), REQUIREMENTS) for more in ({}, other))

    assert plain.digest != changed.digest


def test_who_holds_a_role_is_not_in_the_digest() -> None:
    one, two = (
        rules_for(policy(roles={"legal": {"members": [who]}}), "Production", Governance(), REQUIREMENTS)
        for who in ("bob", "eve")
    )

    assert one.digest == two.digest


def test_no_rules_can_be_changed_by_whoever_holds_the_policy() -> None:
    before = STRICT.model_dump()

    rules_for(STRICT, "Production", governance(approvals={"legal": 1}))

    assert STRICT.model_dump() == before


def test_rules_that_another_version_kept_are_no_defect() -> None:
    with pytest.raises(RegistryError, match="cannot be read") as error:
        rules_of(STRICT, "Production", {"governance": {"Production": {"lapse": "P7D"}}})

    assert error.value.got == "Production.lapse: Extra inputs are not permitted"
