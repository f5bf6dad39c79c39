"""The rules that hold for one use case and one registry stage: the organisation's, tightened by the use case's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.keys import digest
from mlops_mlflow.core.policy.document import TARGETS, Policy, StageRules
from mlops_mlflow.core.usecase.base import RegistryStage
from mlops_mlflow.core.usecase.operation import Envelope, Governance, TransitionRule
from mlops_mlflow.core.usecase.success import ApprovalRequirement, Requirement

_UNTIL: Mapping[RegistryStage, tuple[RegistryStage, ...]] = {
    "Staging": ("Staging",),
    "Production": ("Staging", "Production"),
    "Archived": ("Archived",),
}
"""Registry stages whose requirements have to be met before one is entered."""


@dataclass(frozen=True)
class Rules:
    """What a transition to one registry stage needs.

    Attributes:
        policy: The organisation's.
        to: The registry stage.
        stage: Of the organisation's, with what the use case tightens.
        requirements: Roles and subjects that somebody has to approve before.
        envelope: What the use case lets a retrained version do without new approvals.
        technical_owner: Who answers for what a machine registered.
    """

    policy: Policy
    to: RegistryStage
    stage: StageRules
    requirements: tuple[tuple[str, str], ...] = ()
    envelope: Envelope | None = None
    technical_owner: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of everything that could decide otherwise; who holds a role is asked when it matters."""
        return digest(
            {
                "mode": self.policy.mode,
                "to": self.to,
                "stage": self.stage.model_dump(mode="json"),
                "requirements": [list(each) for each in self.requirements],
                "envelope": self.envelope.model_dump(mode="json") if self.envelope else None,
                "looks_at": {role: sorted(self.policy.looks_at(role)) for role in self.roles},
                "verified_identity": self.policy.verified_identity,
            }
        )

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that are asked for, each once."""
        return tuple(dict.fromkeys([*self.stage.approvals, *(role for role, _ in self.requirements)]))


def rules_for(
    policy: Policy,
    to: RegistryStage,
    governance: Governance,
    requirements: tuple[Requirement, ...] = (),
    *,
    technical_owner: str = "",
) -> Rules:
    """The organisation's rules for a registry stage, tightened by a use case.

    Of two rules about the same thing the stricter one holds, so a use case cannot loosen the policy, nor block its
    versions by a rule that the policy has overtaken since. That it tries to is told by ``core.policy.fit``.

    Args:
        policy: The organisation's.
        to: The registry stage.
        governance: The use case's section.
        requirements: The use case's; those that somebody has to approve before this registry stage, or an earlier one.
        technical_owner: The use case's.
    """
    wanted = dict.fromkeys(
        (one.approval, one.subject)
        for one in requirements
        if isinstance(one, ApprovalRequirement) and one.before in _UNTIL[to]
    )
    stage = of_stage(policy, to)
    own: TransitionRule | None = getattr(governance, to, None)
    envelope = own.envelope if own and stage.envelopes else None
    return Rules(policy, to, _tightened(stage, own) if own else stage, tuple(wanted), envelope, technical_owner)


def rules_of(policy: Policy, to: str, use_case: Mapping[str, Any]) -> Rules:
    """As ``rules_for``, from what the ledger keeps: ``governance``, ``requirements``, ``technical_owner``.

    For a registry stage that has no rules of its own (``None``), those of the archive; nothing may go there anyway.

    Raises:
        RegistryError: Another version of this program kept something else.
    """
    target: RegistryStage = next((stage for stage in TARGETS if stage == to), "Archived")
    try:
        own = TypeAdapter(tuple[Requirement, ...]).validate_json(json.dumps(use_case.get("requirements", [])))
        governance = Governance.model_validate_json(json.dumps(use_case.get("governance", {})))
    except ValidationError as error:
        first = error.errors()[0]
        raise RegistryError(
            "the rules of the use case that the ledger keeps cannot be read",
            expected="`governance` and `requirements` as this version of mlops-mlflow writes them",
            got=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint="use the version of mlops-mlflow that registered the model",
        ) from error
    return rules_for(policy, target, governance, own, technical_owner=str(use_case.get("technical_owner", "")))


def of_stage(policy: Policy, to: RegistryStage) -> StageRules:
    """The organisation's rules for a registry stage; the archive asks for no verdict."""
    if to == "Archived":
        return StageRules(verdict="any", envelopes=False, **dict(policy.Archived))
    return policy.Staging if to == "Staging" else policy.Production


def _tightened(stage: StageRules, own: TransitionRule) -> StageRules:
    approvals = dict(stage.approvals)
    for role, count in own.approvals.items():
        approvals[role] = max(count, approvals.get(role, 0))
    changed: dict[str, Any] = {
        "approvals": approvals,
        "approval_lapse": min(filter(None, (stage.approval_lapse, own.approval_lapse)), default=None),
        "minimum_staging": max(filter(None, (stage.minimum_staging, own.minimum_staging)), default=None),
    }
    return stage.model_copy(update=changed)
