"""Who has to agree, who has, who can; and the words in which they do it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Container, Sequence

from mlops_mlflow.cards.blocks import Badge, Cell, StatusName, Table
from mlops_mlflow.cards.numbers import NOTHING
from mlops_mlflow.cards.wording import listed
from mlops_mlflow.core.ledger.history import ENVELOPE, TRANSITION, Approval, Request
from mlops_mlflow.core.policy.decide import Case, Decision, RuleFinding
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.evidence import PARTS, Evidence, Part, told
from mlops_mlflow.core.policy.words import moment

SHOWN = 12
"""Digits of a digest that people compare."""
_OUTCOMES: dict[str, tuple[StatusName, str]] = {
    "met": ("ok", "approved"),
    "missing": ("warning", "missing"),
    "spared": ("info", "not needed"),
    "overridden": ("warning", "overridden"),
}


def short(digest: str) -> str:
    """As much of a digest as people compare."""
    return digest[:SHOWN]


def is_about_people(one: RuleFinding) -> bool:
    """Whether somebody's approval meets a rule."""
    return bool(one.role) or "approval" in one.rule


def about_people(decision: Decision) -> tuple[RuleFinding, ...]:
    """Rules that somebody's approval meets."""
    return tuple(one for one in decision.findings if is_about_people(one))


def other_missing(decision: Decision) -> tuple[RuleFinding, ...]:
    """Rules that are not met and that no approval meets."""
    return tuple(one for one in decision.missing if not is_about_people(one))


def who(one: RuleFinding) -> str:
    """Who can give a missing approval."""
    return one.todo.partition(": `mlops")[0]


def waiting(decision: Decision) -> dict[str, str]:
    """Who can give what is missing, by role; no role in particular is the empty one."""
    found: dict[str, str] = {}
    for one in about_people(decision):
        if one.outcome == "missing":
            found.setdefault(one.role, who(one))
    return found


def waits_for(decision: Decision) -> list[str]:
    """Roles whose approval is missing, with those who can give it."""
    return [f"{role} ({names})" if role else names for role, names in waiting(decision).items()]


def table(decision: Decision) -> Table:
    """What each role has said, and who can say what is missing."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.rule, Badge(*_OUTCOMES[one.outcome]), one.reason, who(one) if one.outcome == "missing" else NOTHING)
        for one in about_people(decision)
    )
    return Table(("what", "outcome", "who, and when", "who can give it"), rows)


def given(case: Case, request: Request) -> tuple[Approval, ...]:
    """Approvals of a request, and earlier ones of what the use case asks for, as far as they still hold."""
    return _given(case, lambda one: one.request == request.number)


def given_to(case: Case) -> tuple[Approval, ...]:
    """The same of a version, whatever was asked."""
    return _given(case, lambda one: one.version == case.transition.version)


def _given(case: Case, own: Callable[[Approval], bool]) -> tuple[Approval, ...]:
    asked, policy = set(case.rules.requirements), case.rules.policy
    return tuple(
        one
        for one in case.history.approvals
        if own(one) or ((one.role, one.subject) in asked and not stale(one, case.evidence, policy))
    )


def given_table(approvals: Sequence[Approval], case: Case, *, but: Container[str] = ()) -> Table:
    """Who said yes to what, when, on which evidence, and whether that still counts; ``but`` is not looked at."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            one.actor.name,
            one.role or "no role in particular",
            "the transition" if one.subject == TRANSITION else one.subject,
            f"R{one.request}" if one.request else NOTHING,
            moment(one.time),
            f"`{short(Evidence(one.parts).digest)}`",
            _still(one, case, but),
        )
        for one in approvals
    )
    return Table(("who", "as", "of", "in", "when", "evidence", "since then"), rows, _known_by(approvals))


def ended(case: Case, one: Approval) -> str:
    """How the request ended that an approval answered, where that ended the approval, too; else empty.

    What somebody approved of a requirement outlives the request.
    """
    asked = case.history.requests.get(one.request)
    if asked is None or one.subject != TRANSITION or asked.state(case.now) in ("open", "done"):
        return ""
    return f"{asked.name} was {asked.state(case.now)}" if asked.state(case.now) != "lapsed" else f"{asked.name} lapsed"


def _known_by(approvals: Sequence[Approval]) -> str:
    """How it is known that it was them."""
    ways = {one.actor.known_by: one.actor.name for one in approvals}
    if len(ways) == 1:
        return f"Who they are: {next(iter(ways))}."
    names = {way: sorted({one.actor.name for one in approvals if one.actor.known_by == way}) for way in ways}
    return f"Who they are: {'; '.join(f'{listed(people)}: {way}' for way, people in names.items())}."


def _still(one: Approval, case: Case, but: Container[str]) -> Cell:
    if why := ended(case, one):
        return f"**does not count**: {why}"
    if one.subject == ENVELOPE:
        return NOTHING
    changed = tuple(part for part in stale(one, case.evidence, case.rules.policy) if part not in but)
    return f"**changed**: {told(changed)}" if changed else Badge("ok", "unchanged")


def stale(one: Approval, evidence: Evidence, policy: Policy) -> tuple[Part, ...]:
    """What of the evidence that a role answers for is not what was approved."""
    return evidence.changed(one.parts, policy.looks_at(one.role) if one.role else PARTS)


def approve(request: Request, role: str, evidence: Evidence) -> str:
    """The line by which a role says yes to what the card shows."""
    return f'mlops approve {request.name}{_role(role)} --evidence {short(evidence.digest)} --comment "..."'


def commands(request: Request, decision: Decision, evidence: Evidence) -> str:
    """Lines to copy, for each role that is asked for."""
    roles = list(waiting(decision))
    yes = [approve(request, role, evidence) for role in roles]
    no = [f'mlops reject {request.name}{_role(role)} --reason "..."' for role in roles or [""]]
    return "\n".join([*yes, *no])


def _role(role: str) -> str:
    return f" --role {word(role)}" if role else ""


def word(name: str) -> str:
    """A name as one word of a shell's line, which may stand between backticks."""
    return shlex.quote(name) if "`" not in name else shlex.quote(name.replace("`", "?"))
