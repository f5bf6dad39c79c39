"""Approvals: which of them count, for what, and who could give those that are missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlops_mlflow.core.ledger.history import ENVELOPE, TRANSITION, Approval
from mlops_mlflow.core.policy.able import obstacles
from mlops_mlflow.core.policy.case import Case, RuleFinding
from mlops_mlflow.core.policy.envelope import Coverage, coverage
from mlops_mlflow.core.policy.matching import matching
from mlops_mlflow.core.policy.validity import void
from mlops_mlflow.core.policy.words import APPROVERS, approval_as, approves, counted, moment, people

Filled = Mapping[str, Sequence[Approval]]


@dataclass(frozen=True)
class _Asked:
    """A rule that asks for approvals, and those that were given to it, whether they count or not."""

    rule: str
    role: str
    count: int
    given: Sequence[Approval]


def approvals(case: Case) -> Iterator[RuleFinding]:
    """One finding for each role that is asked for, for the least number of people, and for each requirement."""
    request, stage = case.request, case.rules.stage
    given = [one for one in case.history.approvals if request is not None and _answers(case, one, request.number)]
    valid = [one for one in given if not void(case, one)]
    filled, envelope = _matched(case, valid), Coverage()
    if not _suffices(case, valid, filled) and case.rules.envelope is not None:
        envelope = coverage(case)
        valid += envelope.approvals
        filled = _matched(case, valid)
    for role, count in stage.approvals.items():
        asked = _Asked(approval_as(role), role, count, [one for one in given if one.role == role])
        yield _finding(case, asked, filled[role], valid, envelope)
    if stage.approvers > sum(stage.approvals.values()):
        each = [by_one[0] for by_one in _by_person(case, valid).values()]
        asked = _Asked(APPROVERS, "", stage.approvers, given)
        yield _finding(case, asked, each, valid, envelope)
    for role, subject in case.rules.requirements:
        own = [one for one in case.history.approvals if (one.subject, one.role) == (subject, role)]
        yes = [one for one in own if not void(case, one)]
        yield _finding(case, _Asked(approves(role, subject), role, 1, own), yes[-1:], yes, Coverage())


def _answers(case: Case, approval: Approval, request: int) -> bool:
    asked = (TRANSITION, request, case.transition.version)
    return (approval.subject, approval.request, approval.version) == asked


def _suffices(case: Case, valid: Sequence[Approval], filled: Filled) -> bool:
    stage = case.rules.stage
    roles = all(len(filled[role]) >= count for role, count in stage.approvals.items())
    return roles and len(_by_person(case, valid)) >= stage.approvers


def _by_person(case: Case, valid: Sequence[Approval]) -> dict[str, list[Approval]]:
    found: dict[str, list[Approval]] = {}
    for one in valid:
        found.setdefault(case.rules.policy.person(one.actor.name), []).append(one)
    return found


def _matched(case: Case, valid: Sequence[Approval]) -> dict[str, list[Approval]]:
    """Approvals by the role that they fill, each person once and where they are needed most."""
    by_person = _by_person(case, valid)
    able = {person: [one.role for one in given] for person, given in by_person.items()}
    return {
        role: [next(one for one in by_person[person] if one.role == role) for person in chosen]
        for role, chosen in matching(able, case.rules.stage.approvals).items()
    }


def _finding(
    case: Case, asked: _Asked, have: Sequence[Approval], valid: Sequence[Approval], envelope: Coverage
) -> RuleFinding:
    if len(have) >= asked.count:
        names = ", ".join(f"{case.rules.policy.person(one.actor.name)} on {moment(one.time)}" for one in have)
        by = tuple(one.sequence for one in have)
        if any(one.subject == ENVELOPE for one in have):
            names = f"within the envelope that was approved: {names}"
            return RuleFinding(asked.rule, "spared", names, role=asked.role, approvals=by)
        return RuleFinding(asked.rule, "met", names, role=asked.role, approvals=by)
    reasons = [f"{len(have)} of {counted(asked.count, 'approval')}"]
    if case.request is None and case.lapsed is not None:
        reasons.append(f"{case.lapsed.name} lapsed on {moment(case.lapsed.lapses)}, which rejects it")
    reasons += [f"{one.actor.name}'s does not count: {why}" for one in asked.given if (why := void(case, one))]
    if asked.role:
        here = {one.actor.name for one in have}
        spare = [one.actor.name for one in asked.given if one.actor.name not in here and not void(case, one)]
        reasons += [
            f"{name}'s does not count: they count for another role, and each person counts once" for name in spare
        ]
    if case.rules.envelope is not None and asked.role in case.rules.envelope.spares and envelope.why_not:
        reasons.append(f"the envelope does not stand in for it: {envelope.why_not}")
    why = obstacles(case).get(asked.rule, "")
    todo = f"nobody can: {why}" if why else _who(case, asked.role, valid)
    return RuleFinding(asked.rule, "missing", "; ".join(reasons), todo, role=asked.role, nobody=bool(why))


def _who(case: Case, role: str, valid: Sequence[Approval]) -> str:
    """Who could approve, and how."""
    policy, request = case.rules.policy, case.request
    excluded = case.authors if case.rules.stage.exclude_authors else frozenset()
    done = frozenset(_by_person(case, valid))
    holders = policy.holders(role) if role else frozenset(policy.people) or None
    same = frozenset(_by_person(case, [one for one in valid if one.role == role]))
    if holders is not None:
        # Whoever approved already counts once; in another role only if somebody else takes over the first.
        who = people(holders - excluded - done) or people(holders - excluded - same)
    else:
        others = people(excluded | done)
        who = f"anybody but {others}" if others else "anybody"
    acting, who = (role, who) if who else _relief(case, role, excluded | done, same)
    if request is None:
        return who if obstacles(case) else f"{_first_asked(case)}; then {who}"
    return f"{who}: `mlops approve {request.name}{f' --role {shlex.quote(acting)}' if acting else ''}`"


def _first_asked(case: Case) -> str:
    """Who asks may not approve, so it is not asked by somebody without whom there are too few."""
    transition = case.transition
    asking = f"mlops request {shlex.quote(transition.model)} --to {transition.to} --version {transition.version}"
    else_than = f" (somebody else than {case.person})" if obstacles(case, asking={case.person}) else ""
    return f"first ask{else_than}: `{asking}`"


def _relief(case: Case, role: str, busy: frozenset[str], gave: frozenset[str]) -> tuple[str, str]:
    """Where all who hold a role have approved in it, and count for another one: that one, and who could take it over.

    There is one, because there are people enough for all roles together.
    """
    policy = case.rules.policy
    for other in case.rules.stage.approvals:
        holders = policy.holders(other)
        free = people(holders - busy) if holders is not None else f"anybody but {people(busy)}"
        if other != role and free:
            return other, f"{free} as {other}, so that {people(gave)} counts as {role}"
    return role, "somebody else"
