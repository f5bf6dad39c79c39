"""Breaking the glass: a transition past the rules, which somebody else reviews."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.history import GlassBreak
from mlops_mlflow.core.plain import to_plain
from mlops_mlflow.core.policy.decide import Case, decide
from mlops_mlflow.core.policy.evidence import Evidence
from mlops_mlflow.core.policy.words import milliseconds
from mlops_mlflow.governance.desk.desk import Desk, RefusedError, candidate, known, legible, needs
from mlops_mlflow.governance.desk.say import check_standing
from mlops_mlflow.governance.desk.transitions import Moved, apply


def override(desk: Desk, model: str, version: str | None, to: str, *, reason: str) -> Moved:
    """Make a transition past every rule but the table of transitions and intact files.

    Raises:
        RefusedError: Not even that helps, the policy has no override, or it is not for this person.
        RegistryError: There is no such version, or no reason is given.
    """
    needs(reason, "an override", 'say it with --reason "..."')
    number = _meant(desk, model, version, to)
    with desk.changing("override", model, number, to) as matter:
        matter.case = case = replace(matter.case, reason=reason)
        role, before = _role(desk, case), decide(case)
        if before.would_allow:
            raise RefusedError(
                f"{case.transition} needs no override",
                expected="a transition that the policy refuses",
                got="every rule is met",
                hint=f"`mlops request {model} --to {to}`",
            )
        allowed = desk.policy.override
        life, review = (allowed.life, allowed.review_within) if allowed else (timedelta(0), timedelta(0))
        expires, due = case.now + milliseconds(life), case.now + milliseconds(review)
        glass = GlassBreak(-1, case.now, desk.actor, number, to, legible(reason), expires, due)
        if not (would := decide(matter.now(glass))).allowed:
            raise RefusedError.of(case, would)
        details = {"expires": expires, "review_due": due, "findings": to_plain(before.missing)}
        matter.record("override", reason=reason, roles=(role,), details=details)
        return apply(matter, matter.now(), reason)


def _meant(desk: Desk, model: str, version: str | None, to: str) -> str:
    """The version; whoever may not override anything is told that, rather than to name another one."""
    shelf = desk.registry.shelf(model)
    try:
        return known(shelf, version).number if version else candidate(shelf, to)
    except RegistryError:
        _role(desk, desk.case(shelf, version or "", to, desk.clock(), Evidence({})))
        raise


def _role(desk: Desk, case: Case) -> str:
    check_standing(desk, case)
    roles = desk.policy.overriders(case.rules.to)
    for role in roles:
        if desk.policy.holds(desk.person, role):
            return role
    raise RefusedError(
        f"{desk.person} may not override the policy",
        expected=f"one of the roles {', '.join(roles)}" if roles else "a policy with `override`",
        got=desk.person if roles else f"{desk.policy.name} has none",
        hint="ask in the normal way: `mlops request`",
    )


def review(desk: Desk, model: str, number: int, *, comment: str) -> GlassBreak:
    """Say that somebody else has looked at an override.

    Raises:
        RefusedError: It is one's own.
        RegistryError: There is no such override, it was reviewed already, or nothing is said.
    """
    needs(comment, "a review", 'say it with --comment "..."')
    found = {one.sequence: one for one in desk.registry.shelf(model).history.glass_breaks}
    if number not in found or found[number].reviewed:
        waiting = ", ".join(f"R{one.sequence}" for one in found.values() if not one.reviewed)
        raise RegistryError(
            f"R{number} is no override of {model} that waits for a review",
            expected=waiting or "nothing waits for a review",
            got=f"R{number}",
            hint=f"`mlops status {model}` names the overrides that nobody has reviewed",
        )
    glass = found[number]
    with desk.changing("review", model, glass.version, glass.to, looking=False) as matter:
        check_standing(desk, matter.case)
        if desk.policy.person(glass.actor.name) == desk.person:
            raise RefusedError(
                f"R{number} is {desk.person}'s own override",
                expected="a review by somebody else",
                got=desk.person,
                hint=f"somebody else: `mlops review {model} R{number} --comment ...`",
            )
        matter.record("review", reason=comment, details={"override": number})
    return glass
