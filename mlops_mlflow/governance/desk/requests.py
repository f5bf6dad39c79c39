"""Transitions are asked for, taken back, and refused by those who have a say."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_mlflow.core.ledger.history import Registration, Request
from mlops_mlflow.core.policy.decide import Decision, decide
from mlops_mlflow.core.policy.words import milliseconds
from mlops_mlflow.governance.desk.desk import Desk, Matter, RefusedError, candidate, needs
from mlops_mlflow.governance.desk.say import check_standing, own_roles
from mlops_mlflow.governance.desk.transitions import Moved, apply

HOPELESS = {"legal transition", "intact model", "verdict", "fresh verdict", "evidence as registered", "rollback"}
"""Rules that neither approvals nor waiting can meet: a request would waste the time of those who read it."""


@dataclass(frozen=True)
class Asked:
    """What came of a request.

    Attributes:
        request: As it was written down.
        decision: How it stands.
        moved: The transition, if nothing was missing.
        registration: How the version came into the registry.
        again: Whether it had been asked for already; then nothing was written.
    """

    request: Request
    decision: Decision
    moved: Moved | None
    registration: Registration | None
    again: bool = False


def request(desk: Desk, model: str, version: str | None, to: str, *, comment: str = "") -> Asked:
    """Ask for a transition; where nothing is missing, make it.

    Asked again, the first request stands: it is made if all have approved by now, and otherwise waits on.

    Args:
        desk: Who asks.
        model: Its name.
        version: Its number; the one that may go there when left out.
        to: Registry stage.
        comment: For those who approve.

    Raises:
        RefusedError: Nobody's approval could make it possible.
        RegistryError: There is no such version.
    """
    number = version or candidate(desk.registry.shelf(model), to)
    with desk.changing("request", model, number, to) as matter:
        waiting, decision = matter.case.request, decide(matter.case)
        if waiting is None:
            return _ask(matter, decision, comment)
        if is_hopeless(decision):
            raise RefusedError.of(matter.case, decision)
        moved = apply(matter, matter.case, comment, waiting) if decision.allowed else None
        return Asked(waiting, decision, moved, matter.case.registration, again=True)


def _ask(matter: Matter, decision: Decision, comment: str) -> Asked:
    if is_hopeless(decision):
        raise RefusedError.of(matter.case, decision)
    asked, after = ask(matter, comment), matter.now()
    decision = decide(after)
    moved = apply(matter, after, comment, asked) if decision.allowed else None
    return Asked(asked, decision, moved, after.registration)


def is_hopeless(decision: Decision) -> bool:
    """Whether no approval could make it possible."""
    return not decision.allowed and any(one.final or one.rule in HOPELESS for one in decision.missing)


def ask(matter: Matter, comment: str = "") -> Request:
    """Write a request down."""
    case = matter.case
    lapses = case.now + milliseconds(case.rules.stage.request_lapse)
    made = matter.record("request", reason=comment, details={"lapses": lapses, "parts": dict(case.evidence.parts)})
    return matter.now().history.requests[made.sequence]


def waits_for(decision: Decision) -> str:
    """What is missing, in a line."""
    return "; ".join(f"{one.rule} ({one.reason})" for one in decision.missing)


def withdraw(desk: Desk, number: int, *, reason: str = "") -> Request:
    """Take a request back.

    Raises:
        RefusedError: It has ended, or somebody else asked.
        RegistryError: There is no such request.
    """
    asked, model = desk.find(number)
    with desk.changing("withdrawal", model, asked.version, asked.to, looking=False) as matter:
        waiting = matter.waiting(number)
        if desk.policy.person(waiting.actor.name) != desk.person:
            raise RefusedError(
                f"{waiting.name} was asked by {waiting.actor.name}",
                expected="that they withdraw it",
                got=desk.person,
                hint=f"who may approve can reject it: `mlops reject {waiting.name} --reason ...`",
            )
        matter.record("withdrawal", reason=reason, details={"request": number})
        return waiting


def reject(desk: Desk, number: int, *, role: str | None = None, reason: str) -> Request:
    """Say no to a request, which ends it.

    Raises:
        RefusedError: It has ended, or this person has no say in it.
        RegistryError: There is no such request, nobody asks for the role, or no reason is given.
    """
    needs(reason, "a rejection", 'say it with --reason "..."')
    asked, model = desk.find(number)
    with desk.changing("rejection", model, asked.version, asked.to) as matter:
        waiting = matter.waiting(number)
        check_standing(desk, matter.case)
        acting = own_roles(desk, matter.case, role)[0]
        matter.record("rejection", reason=reason, roles=(acting,) if acting else (), details={"request": number})
        return waiting
