"""Whether a use case fits the organisation's policy: it may tighten it, and never loosen it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_mlflow.core.policy.checks import short
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.rules import of_stage, rules_for
from mlops_mlflow.core.policy.words import counted, milliseconds, span
from mlops_mlflow.core.usecase.base import RegistryStage
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.operation import Governance, TransitionRule
from mlops_mlflow.core.usecase.problems import InvalidUseCase, Problem, did_you_mean
from mlops_mlflow.core.usecase.success import ApprovalRequirement, Requirement
from mlops_mlflow.core.usecase.yaml_tree import Path, dotted, read_tree

Misfits = Iterator[tuple[Path, str]]
_OWN: tuple[RegistryStage, ...] = ("Staging", "Production")


def check_fit(policy: Policy, spec: UseCaseSpec, *, text: str, file: str) -> None:
    """Hold a use case against the policy.

    Args:
        policy: The organisation's.
        spec: The use case.
        text: Content of its file.
        file: Path of its file, for messages.

    Raises:
        InvalidUseCase: It would loosen the policy, or ask for what can never be given; with every problem at its line.
    """
    if found := tuple(misfits(policy, spec.governance, spec.requirements)):
        places = read_tree(text, file=file).places
        raise InvalidUseCase([Problem(places.value(*path), message) for path, message in found])


def misfits(policy: Policy, governance: Governance, requirements: tuple[Requirement, ...] = ()) -> Misfits:
    """What of a use case does not fit the policy.

    Args:
        policy: The organisation's.
        governance: The use case's section.
        requirements: The use case's.

    Returns:
        Paths in the use case's file, and what is wrong there.
    """
    for to in _OWN:
        own: TransitionRule = getattr(governance, to)
        for path, message in (*_loosened(policy, to, own), *_roles(policy, to, own)):
            where: Path = ("governance", to, *path)
            yield where, f"`{dotted(where)}` {message}"
        yield from _shared(policy, to, governance)
    for number, one in enumerate(requirements):
        if isinstance(one, ApprovalRequirement) and (why := _missing(policy, one.approval, 1)):
            yield ("requirements", number, "approval"), f"`requirements[{number}].approval`: {why}"


def _loosened(policy: Policy, to: RegistryStage, own: TransitionRule) -> Misfits:
    """What a use case would make easier than the organisation allows."""
    stage, asks = of_stage(policy, to), f"{policy.name} asks for"
    for role, count in own.approvals.items():
        if count < stage.approvals.get(role, 0):
            yield ("approvals", role), f"is {count}, {asks} {stage.approvals[role]}; a use case may only tighten it"
    if own.approval_lapse and stage.approval_lapse and own.approval_lapse > stage.approval_lapse:
        longest = span(milliseconds(stage.approval_lapse))
        yield ("approval_lapse",), f"is longer than the {longest} of {policy.name}; a use case may only shorten it"
    if own.minimum_staging and stage.minimum_staging and own.minimum_staging < stage.minimum_staging:
        least = span(milliseconds(stage.minimum_staging))
        yield ("minimum_staging",), f"is shorter than the {least} of {policy.name}; a use case may only lengthen it"
    if own.envelope and not stage.envelopes:
        yield ("envelope",), f"is not allowed by {policy.name}: each version needs approvals of its own; take it out"


def _roles(policy: Policy, to: RegistryStage, own: TransitionRule) -> Misfits:
    """Roles that nobody, or nobody any more, could act in."""
    for role, count in own.approvals.items():
        if why := _missing(policy, role, count):
            yield ("approvals", role), f"is {count}, but {why}"
    asked = {**of_stage(policy, to).approvals, **own.approvals}
    for number, role in enumerate(own.envelope.spares if own.envelope else ()):
        if role not in asked:
            roles = ", ".join(asked) or "no role is asked for"
            yield (
                ("envelope", "spares", number),
                f"is `{role}`, whose approval nothing asks for{did_you_mean(role, asked)}; expected one of: {roles}",
            )


def _missing(policy: Policy, role: str, count: int) -> str:
    """Why so many approvals in a role can never be given; empty where they can."""
    holders = policy.holders(role)
    if holders is None or len(holders) >= count:
        return ""
    if role not in policy.roles:
        return f"`{role}` is not a role of {policy.name}{did_you_mean(role, policy.roles)}, so nobody could approve"
    able = counted(len(holders), "person", "people")
    return f"{counted(count, 'approval')} as {role} can never be given: {able} can act in it"


def _shared(policy: Policy, to: RegistryStage, governance: Governance) -> Misfits:
    """Roles that have people enough each, but not together, since one person counts once."""
    asked = rules_for(policy, to, governance).stage.approvals
    own = getattr(governance, to).approvals
    if (
        own
        and not any(_missing(policy, role, count) for role, count in asked.items())
        and (few := short(policy, asked))
    ):
        yield ("governance", to, "approvals"), f"`governance.{to}.approvals`: {few}"
