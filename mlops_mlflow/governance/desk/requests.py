"""Transitions are asked for, taken back, and refused by those who have a say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.history import Registration, Request
from mlops_mlflow.core.policy.able import obstacles
from mlops_mlflow.core.policy.decide import POLICY, RETIRED, RETIRED_BY, Case, Decision, RuleFinding, decide
from mlops_mlflow.core.policy.kept import needs as kept_needs
from mlops_mlflow.core.policy.words import milliseconds, moment
from mlops_mlflow.governance.desk.desk import Desk, Matter, RefusedError, candidate, needs
from mlops_mlflow.governance.desk.say import check_standing, own_roles
from mlops_mlflow.governance.desk.transitions import Moved, apply

HOPELESS = {
    POLICY,
    "legal transition",
    "intact model",
    "verdict",
    "fresh verdict",
    "evidence as registered",
    "rollback",
    RETIRED,
    RETIRED_BY,
}
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
        policy_changed: That another policy held when it was asked for, or when the last decision was made.
    """

    request: Request
    decision: Decision
    moved: Moved | None
    registration: Registration | None
    again: bool = False
    policy_changed: str = ""


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
        RefusedError: Nobody's approval could make it possible, or nobody could give one that is missing.
        RegistryError: There is no such version, or it is there already.
    """
    number = version or candidate(desk.registry.shelf(model), to)
    with desk.changing("request", model, number, to) as matter:
        _check_elsewhere(matter.case)
        matter.case = replace(matter.case, reason=comment)
        waiting, decision = matter.case.request, decide(matter.case)
        if waiting is None:
            return _ask(matter, decision, comment)
        if is_hopeless(decision):
            raise RefusedError.of(matter.case, decision, first=_hopeless(decision))
        moved = apply(matter, matter.case, comment, waiting) if decision.allowed else None
        changed = matter.case.policy_changed
        return Asked(waiting, decision, moved, matter.case.registration, again=True, policy_changed=changed)


def _check_elsewhere(case: Case) -> None:
    transition = case.transition
    if transition.begin == transition.to:
        last = case.history.last_move(transition.version)
        since = f"in {last.to} since {moment(last.time)}, by {last.actor.name}" if last else f"in {transition.to}"
        raise RegistryError(
            f"{transition.model} version {transition.version} is in {transition.to} already",
            expected="a version that is somewhere else",
            got=since,
            hint=f"`mlops status {transition.model}` shows where each version is",
        )


def _ask(matter: Matter, decision: Decision, comment: str) -> Asked:
    if is_hopeless(decision):
        raise RefusedError.of(matter.case, decision, first=_hopeless(decision))
    if not decision.allowed and (found := in_vain(matter.case)):
        raise _nobody(matter.case, found)
    changed = matter.case.policy_changed
    asked, after = ask(matter, comment), matter.now()
    decision = decide(after)
    moved = apply(matter, after, comment, asked) if decision.allowed else None
    return Asked(asked, decision, moved, after.registration, policy_changed=changed)


def in_vain(case: Case) -> dict[str, str]:
    """Rules about approvals that nobody could meet once this person asks, who is an author then; with why."""
    return obstacles(case, asking={case.person})


def _nobody(case: Case, found: dict[str, str]) -> RefusedError:
    """Not to be asked, since nobody could complete it."""
    policy, transition = case.rules.policy.name, case.transition
    other = f"let somebody else ask than {case.person}, or " if not obstacles(case) else ""
    return RefusedError(
        f"nobody could complete a request by {case.person} for {transition}",
        expected="; ".join(found),
        got="; ".join(dict.fromkeys(found.values())),
        hint=f"{other}give the role to more people in {policy} (MLOPS_POLICY)",
    )


def is_hopeless(decision: Decision) -> bool:
    """Whether no approval could make it possible."""
    return not decision.allowed and bool(_hopeless(decision))


def _hopeless(decision: Decision) -> list[RuleFinding]:
    return [one for one in decision.missing if one.final or one.rule in HOPELESS]


def ask(matter: Matter, comment: str = "") -> Request:
    """Write a request down."""
    case = matter.case
    lapses = case.now + milliseconds(case.rules.stage.request_lapse)
    details = {"lapses": lapses, "parts": dict(case.evidence.parts), "needs": kept_needs(case.rules)}
    made = matter.record("request", reason=comment, details=details)
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
