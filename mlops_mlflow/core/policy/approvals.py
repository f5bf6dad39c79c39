"""Approvals: which of them count, for what, and who could give those that are missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlops_mlflow.core.ledger.history import ENVELOPE, TRANSITION, Approval
from mlops_mlflow.core.policy.case import Case, RuleFinding
from mlops_mlflow.core.policy.envelope import Coverage, coverage
from mlops_mlflow.core.policy.matching import matching
from mlops_mlflow.core.policy.validity import void
from mlops_mlflow.core.policy.words import counted, moment, people

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
        asked = _Asked(f"approval as {role}", role, count, [one for one in given if one.role == role])
        yield _finding(case, asked, filled[role], valid, envelope)
    if stage.approvers > sum(stage.approvals.values()):
        each = [by_one[0] for by_one in _by_person(case, valid).values()]
        asked = _Asked("approval by somebody else", "", stage.approvers, given)
        yield _finding(case, asked, each, valid, envelope)
    for role, subject in case.rules.requirements:
        own = [one for one in case.history.approvals if (one.subject, one.role) == (subject, role)]
        yes = [one for one in own if not void(case, one)]
        yield _finding(case, _Asked(f"{role} approves: {subject}", role, 1, own), yes[-1:], yes, Coverage())


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
        if any(one.subject == ENVELOPE for one in have):
            return RuleFinding(asked.rule, "spared", f"within the envelope that was approved: {names}", role=asked.role)
        return RuleFinding(asked.rule, "met", names, role=asked.role)
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
    who = _who(case, asked.role, valid)
    return RuleFinding(asked.rule, "missing", "; ".join(reasons), who, role=asked.role)


def _who(case: Case, role: str, valid: Sequence[Approval]) -> str:
    """Who could approve, and how."""
    policy, transition, request = case.rules.policy, case.transition, case.request
    excluded = case.authors if case.rules.stage.exclude_authors else frozenset()
    done = frozenset(_by_person(case, valid))
    holders = policy.holders(role) if role else frozenset(policy.people) or None
    if holders is not None:
        # Whoever approved already counts once; in another role only if somebody else takes over the first.
        same = frozenset(_by_person(case, [one for one in valid if one.role == role]))
        left = people(holders - excluded - done) or people(holders - excluded - same)
        who = left or "nobody can: whoever holds the role is an author, or has approved already"
    else:
        others = people(excluded | done)
        who = f"anybody but {others}" if others else "anybody"
    if request is None:
        asking = f"mlops request {shlex.quote(transition.model)} --to {transition.to} --version {transition.version}"
        return f"first ask: `{asking}`; then {who}"
    return f"{who}: `mlops approve {request.name}{f' --role {shlex.quote(role)}' if role else ''}`"
