"""Whether an approval counts: by whom, since when, and of what."""

from __future__ import annotations

from mlops_mlflow.core.ledger.history import ENVELOPE, Approval
from mlops_mlflow.core.ledger.record import Actor
from mlops_mlflow.core.policy.case import Case
from mlops_mlflow.core.policy.evidence import PARTS, told
from mlops_mlflow.core.policy.parts import ENVELOPE_PARTS, envelope_parts
from mlops_mlflow.core.policy.words import milliseconds, moment


def void(case: Case, approval: Approval) -> str:
    """Why an approval counts for nothing now; empty for one that counts."""
    return _by_whom(case, approval) or _lapsed(case, approval) or _stale(case, approval)


def no_standing(case: Case, actor: Actor) -> str:
    """Why somebody's word does not count, whatever they say; empty where it does."""
    policy = case.rules.policy
    if policy.is_machine(actor.name):
        return "a program cannot give it"
    if not policy.is_known(actor.name):
        return f"{actor.name} is none of the people of {policy.name}"
    if policy.verified_identity and not actor.verified:
        return "nobody has checked who gave it"
    return ""


def _by_whom(case: Case, approval: Approval) -> str:
    policy, person = case.rules.policy, case.rules.policy.person(approval.actor.name)
    if why := no_standing(case, approval.actor):
        return why
    if approval.role and not policy.holds(person, approval.role):
        return f"{person} is not {approval.role} any more"
    if case.rules.stage.exclude_authors and person in case.authors:
        return f"{person} is an author"
    return ""


def _lapsed(case: Case, approval: Approval) -> str:
    lapse = case.rules.stage.approval_lapse
    if lapse is None or case.now - approval.time < milliseconds(lapse):
        return ""
    return f"it lapsed on {moment(approval.time + milliseconds(lapse))}"


def _stale(case: Case, approval: Approval) -> str:
    """What changed since, of the parts that the role answers for; nobody judges evidence to archive a version."""
    if approval.subject == ENVELOPE:
        now = envelope_parts(case.rules, case.evidence.facts)
        changed = [name for part, name in ENVELOPE_PARTS.items() if approval.parts.get(part) != now[part]]
        return f"since then changed: {', '.join(changed)}" if changed else ""
    if case.rules.to == "Archived":
        return ""
    looks_at = case.rules.policy.looks_at(approval.role) if approval.role else PARTS
    stale = case.evidence.changed(approval.parts, looks_at)
    return f"since then changed: {told(stale)}" if stale else ""
