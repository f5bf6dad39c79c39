"""Who has a say in a transition, and as what."""

from __future__ import annotations

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.policy.decide import Case
from mlops_mlflow.core.policy.validity import no_standing
from mlops_mlflow.core.policy.words import people
from mlops_mlflow.governance.desk.desk import Desk, RefusedError


def check_standing(desk: Desk, case: Case) -> None:
    """Whoever acts has to be somebody whose word counts.

    Raises:
        RefusedError: They are a program, unknown to the policy, or nobody has checked who they are.
    """
    if why := no_standing(case, desk.actor):
        verified = ", whom a server has signed in (`verified_identity: true`)" if desk.policy.verified_identity else ""
        raise RefusedError(
            f"what {desk.actor.name} says would not count: {why}",
            expected=f"one of the people of {desk.policy.name}{verified}",
            got=f"{desk.actor.name} ({desk.actor.known_by})",
            hint=f"people, machines and roles are given in {desk.policy.name} (MLOPS_POLICY)",
        )


def own_roles(desk: Desk, case: Case, role: str | None) -> tuple[str, ...]:
    """Roles in which somebody may answer a request; an empty one where anybody's answer counts.

    Args:
        desk: Who answers.
        case: What is asked.
        role: As what they want to answer; None for whatever they hold.

    Raises:
        RefusedError: None of the roles that are asked for is theirs.
        RegistryError: Nobody asks for the role.
    """
    asked, stage, transition = case.rules.roles, case.rules.stage, case.transition
    if role and asked and role not in asked:
        raise RegistryError(
            f"nobody asks for an approval as {role}",
            expected=", ".join(asked),
            got=role,
            hint=f"see every rule: `mlops policy explain {transition.model} {transition.version} --to {transition.to}`",
        )
    held = tuple(one for one in ((role,) if role else asked) if desk.policy.holds(desk.person, one))
    anybody = not role and (not asked or stage.approvers > sum(stage.approvals.values()))
    if not held and not anybody:
        raise not_in_role(desk, case, role)
    return held or ("",)


def not_in_role(desk: Desk, case: Case, role: str | None) -> RefusedError:
    """Somebody acts in a role that is not theirs; without a role: in none of those that are asked for."""
    asked = (role,) if role else case.rules.roles
    return RefusedError(
        f"{desk.person} is not {role}" if role else f"{desk.person} has no say in {case.transition}",
        expected="; ".join(f"{one}: {_told_holders(desk, one)}" for one in asked),
        got=f"{desk.actor.name} ({desk.actor.known_by})",
        hint=f"roles are given in {desk.policy.name} (MLOPS_POLICY)",
    )


def _told_holders(desk: Desk, role: str) -> str:
    holders = desk.policy.holders(role)
    return "anybody but programs" if holders is None else people(holders) or "nobody"
