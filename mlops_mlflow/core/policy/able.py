"""Approvals that nobody can give: because those who could are authors, or because there are too few people."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mlops_mlflow.core.policy.case import Case
from mlops_mlflow.core.policy.matching import matching
from mlops_mlflow.core.policy.words import APPROVERS, approval_as, approves, counted, people


def obstacles(case: Case, *, asking: Collection[str] = ()) -> dict[str, str]:
    """Rules about approvals that nobody can meet, with why, by rule; nothing where all of them can be met.

    Args:
        case: What is decided about.
        asking: Who is about to ask for it, and would be an author then.
    """
    excluded = case.authors.union(asking) if case.rules.stage.exclude_authors else frozenset()
    return dict(_alone(case, excluded)) or dict(_together(case, excluded))


def _alone(case: Case, excluded: frozenset[str]) -> Iterator[tuple[str, str]]:
    rules, policy = case.rules, case.rules.policy
    for role, count in rules.stage.approvals.items():
        if why := _short(policy.holders(role), excluded, role, count):
            yield approval_as(role), why
    for role, subject in rules.requirements:
        if why := _short(policy.holders(role), excluded, role, 1):
            yield approves(role, subject), why
    able = frozenset(policy.people) - excluded
    if policy.people and len(able) < rules.stage.approvers:
        there = f"without the authors ({people(excluded, 'and')}) there are {len(able)}"
        yield APPROVERS, f"{counted(rules.stage.approvers, 'person', 'people')} have to approve, and {there}"


def _short(holders: frozenset[str] | None, excluded: frozenset[str], role: str, count: int) -> str:
    """Why a role has too few people; empty where it has enough."""
    if holders is None or len(holders - excluded) >= count:
        return ""
    if not holders:
        return f"nobody holds the role {role}"
    who, barred = people(holders, "and"), people(holders & excluded, "and")
    author = f", and {barred} registered it or asks for it" if barred else ""
    return f"{counted(count, 'approval')} needed as {role}, which only {who} can give{author}"


def _together(case: Case, excluded: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Roles that have people enough each, but not together, since one person counts once."""
    wanted = case.rules.stage.approvals
    held = {role: holders - excluded for role in wanted if (holders := case.rules.policy.holders(role)) is not None}
    everybody: frozenset[str] = frozenset().union(*held.values())
    able = {person: [role for role, holders in held.items() if person in holders] for person in sorted(everybody)}
    found = sum(map(len, matching(able, {role: wanted[role] for role in held}).values()))
    needed = sum(wanted[role] for role in held)
    if found < needed:
        roles = people(held, "and")
        why = f"{counted(needed, 'approval')} as {roles} need as many people who are no authors: there are {found}"
        yield from ((approval_as(role), why) for role in held)
