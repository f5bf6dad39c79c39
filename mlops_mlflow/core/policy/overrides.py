"""Breaking the glass: which overrides still let something through, and which of them nobody has looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlops_mlflow.core.ledger.history import GlassBreak
from mlops_mlflow.core.policy.case import Case, RuleFinding
from mlops_mlflow.core.policy.validity import no_standing
from mlops_mlflow.core.policy.words import milliseconds, moment


def broken_glass(case: Case) -> GlassBreak | None:
    """A broken glass that is for this very transition, unused, alive, and of somebody who may still break it."""
    found = [one for one in case.history.glass_breaks if _is_for(case, one) and _is_alive(case, one)]
    return found[-1] if found else None


def _is_for(case: Case, glass: GlassBreak) -> bool:
    return (glass.version, glass.to) == (case.transition.version, case.transition.to)


def _is_alive(case: Case, glass: GlassBreak) -> bool:
    policy = case.rules.policy
    if glass.used or policy.override is None or no_standing(case, glass.actor):
        return False
    until = min(glass.expires, glass.time + milliseconds(policy.override.life))
    return case.now < until and any(policy.holds(glass.actor.name, role) for role in policy.overriders(case.rules.to))


def overridden(finding: RuleFinding, glass: GlassBreak) -> RuleFinding:
    """A finding as the broken glass leaves it; what is final stays missing."""
    if finding.outcome != "missing" or finding.final:
        return finding
    reason = f"{finding.reason}; overridden by {glass.actor.name}: {glass.reason}"
    return replace(finding, outcome="overridden", reason=reason)


def reviews(case: Case) -> Iterator[RuleFinding]:
    """Overrides that were used, and that nobody else has looked at in time."""
    policy = case.rules.policy
    for one in case.history.glass_breaks:
        own = one.reviewer is not None and policy.person(one.reviewer.name) == policy.person(one.actor.name)
        if replace(one, reviewed=0 if own else one.reviewed).is_overdue(case.now):
            yield RuleFinding(
                "reviews of overrides",
                "missing",
                f"override R{one.sequence} by {one.actor.name} was due for review on {moment(one.review_due)}",
                f"somebody else than {one.actor.name}: `mlops review R{one.sequence} --comment ...`",
            )
