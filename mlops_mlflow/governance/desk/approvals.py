"""Somebody says yes in a role: to a transition, to a requirement, to a change envelope."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.history import ENVELOPE, TRANSITION, Approval, Request
from mlops_mlflow.core.policy.decide import Case, Decision, authors, decide, envelope_parts
from mlops_mlflow.core.policy.evidence import PARTS, told
from mlops_mlflow.core.policy.transitions import ALIASES
from mlops_mlflow.core.policy.validity import void
from mlops_mlflow.core.policy.words import people
from mlops_mlflow.governance.desk.desk import Desk, RefusedError
from mlops_mlflow.governance.desk.say import check_standing, not_in_role, own_roles
from mlops_mlflow.governance.desk.transitions import Moved, apply


@dataclass(frozen=True)
class Approved:
    """What somebody approved, and how the request stands now.

    Attributes:
        request: That was answered.
        role: As what; empty for no role in particular.
        subjects: ``transition``, and what requirements name.
        decision: With this approval.
        moved: The transition, where it was to be made at once and nothing is missing.
    """

    request: Request
    role: str
    subjects: tuple[str, ...]
    decision: Decision
    moved: Moved | None


def approve(
    desk: Desk, number: int, *, role: str | None = None, comment: str = "", seen: str = "", at_once: bool = False
) -> Approved:
    """Approve a request, and the requirements that the role answers for.

    Args:
        desk: Who approves.
        number: Of the request.
        role: As what; may be left out where only one comes into question.
        comment: In the approver's words.
        seen: Beginning of the digest of the evidence that was looked at.
        at_once: Make the transition if nothing is missing then.

    Raises:
        RefusedError: The request has ended, the role is not theirs, it is their own work, they approved already, or the
            evidence is not what they saw.
        RegistryError: There is no such request, nobody asks for the role, or which role is not clear.
    """
    asked, model = desk.find(number)
    with desk.changing("approval", model, asked.version, asked.to) as matter:
        case, waiting = matter.case, matter.waiting(number)
        acting = _acting(desk, case, role)
        _check_person(desk, case, waiting)
        _check_place(case, waiting)
        _check_seen(desk, case, waiting, acting, seen)
        subjects = _subjects(desk, case, waiting, acting)
        for subject in subjects:
            details = {"subject": subject, "request": number, "parts": dict(case.evidence.parts)}
            matter.record("approval", reason=comment, roles=(acting,) if acting else (), details=details)
        after = matter.now()
        decision = decide(after)
        moved = apply(matter, after, comment, waiting) if at_once and decision.allowed else None
        return Approved(waiting, acting, subjects, decision, moved)


def approve_envelope(desk: Desk, model: str, version: str, to: str, *, role: str, comment: str = "") -> None:
    """Approve what a use case lets a retrained version do without this role.

    Raises:
        RefusedError: The role is not theirs, the envelope is their own work, or they approved it already.
        RegistryError: There is no envelope that spares the role.
    """
    with desk.changing("approval", model, version, to) as matter:
        case, envelope = matter.case, matter.case.rules.envelope
        if envelope is None or role not in envelope.spares:
            raise RegistryError(
                f"no envelope of {model} spares {role}",
                expected="a role that the use case names in `envelope: {spares: [...]}`",
                got=", ".join(envelope.spares) if envelope else "no envelope, or one that the policy does not allow",
                hint="the envelope is that of the use case from which the version was registered",
            )
        if not desk.policy.holds(desk.person, role):
            raise not_in_role(desk, case, role)
        _check_person(desk, case, None)
        parts = envelope_parts(case.rules, case.evidence.facts)
        given = [one for one in case.history.approvals if (one.subject, one.role) == (ENVELOPE, role)]
        if any(_is_own(desk, one) and not void(case, one) for one in given):
            raise RefusedError(
                f"{desk.person} has approved the envelope of {model} already",
                expected="one approval of each person",
                got="the same envelope, features and estimator",
                hint=f"`mlops policy explain {model} {version} --to {to}` says what it spares",
            )
        matter.record("approval", reason=comment, roles=(role,), details={"subject": ENVELOPE, "parts": parts})


def _acting(desk: Desk, case: Case, role: str | None) -> str:
    """The role in which somebody approves."""
    own = own_roles(desk, case, role)
    if len(own) > 1:
        raise RegistryError(
            f"{desk.person} could approve as {' or as '.join(own)}",
            expected="one role",
            got="none was named",
            hint=f"say which: `--role {own[0]}`",
        )
    return own[0]


def _check_person(desk: Desk, case: Case, request: Request | None) -> None:
    check_standing(desk, case)
    excluded = authors(case.rules, case.registration, request)
    if case.rules.stage.exclude_authors and desk.person in excluded:
        what = request.name if request else f"the envelope of {case.transition.model}"
        raise RefusedError(
            f"{desk.person} may not approve {what}: it is their own work",
            expected=f"somebody else than {people(excluded)} (who registered or asked)",
            got=desk.person,
            hint=f"`mlops status {case.transition.model}` says who can",
        )


def _check_place(case: Case, request: Request) -> None:
    """A version that somebody moved past the ledger is no longer where the request found it."""
    transition = case.transition
    if transition.begin != request.begin:
        raise RefusedError(
            f"version {transition.version} of {transition.model} is not where {request.name} found it",
            expected=f"version {transition.version} in {request.begin}",
            got=f"in {transition.begin}, which the ledger does not know of",
            hint=f"`mlops status {transition.model}` shows what happened; reject {request.name}, or ask again",
        )


def _check_seen(desk: Desk, case: Case, request: Request, role: str, seen: str) -> None:
    """What somebody approves has to be there, and what they looked at as far as they said so."""
    looks_at = desk.policy.looks_at(role) if role else PARTS
    lost = [part for part in looks_at if not case.evidence.parts.get(part)] if case.transition.to in ALIASES else []
    if lost:
        raise RefusedError(
            f"what {request.name} stands on cannot be read",
            expected=told(lost),
            got="; ".join(dict.fromkeys(case.evidence.trouble.get(part, "nothing is known of it") for part in lost)),
            hint="`mlops run` makes and registers it anew",
        )
    changed = case.evidence.changed(request.parts, looks_at)
    if seen and not case.evidence.digest.startswith(seen.lower()):
        raise RefusedError(
            f"the evidence of {request.name} is not what you looked at",
            expected=f"evidence {seen}",
            got=case.evidence.digest[:12] + (f"; since the request changed: {told(changed)}" if changed else ""),
            hint=f"look again: `mlops card {case.transition.model} --request {request.name}`",
        )


def _subjects(desk: Desk, case: Case, request: Request, role: str) -> tuple[str, ...]:
    """What of a request waits for this person in this role.

    Raises:
        RefusedError: Nothing: they have said yes already.
    """
    rules, transition = case.rules, case.transition
    own = [one for one in case.history.approvals if _is_own(desk, one) and not void(case, one)]
    given = {one.subject for one in own if one.role == role and one.subject != TRANSITION}
    roles = {one.role for one in own if one.subject == TRANSITION and one.request == request.number}
    if role in roles or (roles and role not in rules.stage.approvals):
        given.add(TRANSITION)
    wanted = [TRANSITION] if role in rules.stage.approvals or rules.stage.approvers else []
    wanted += [subject for asked, subject in rules.requirements if asked == role]
    left = tuple(subject for subject in wanted if subject not in given)
    if left:
        return left
    todo = "; ".join(dict.fromkeys(one.todo for one in decide(case).missing if one.todo))
    raise RefusedError(
        f"{desk.person} has approved {request.name} already",
        expected="one approval of each person",
        got=f"evidence {case.evidence.digest[:12]}, unchanged since",
        hint=todo or f"nothing is missing: `mlops request {transition.model} --to {transition.to}` makes it",
    )


def _is_own(desk: Desk, approval: Approval) -> bool:
    return desk.policy.person(approval.actor.name) == desk.person
