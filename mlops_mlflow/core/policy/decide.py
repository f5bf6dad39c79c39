"""Whether a transition may happen: a function of the rules, the evidence and what people said, and of nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from mlops_mlflow.core.policy.approvals import approvals
from mlops_mlflow.core.policy.case import Case, Decision, Outcome, RuleFinding, authors
from mlops_mlflow.core.policy.document import is_unnamed
from mlops_mlflow.core.policy.evidence import told
from mlops_mlflow.core.policy.kept import LAPSE
from mlops_mlflow.core.policy.overrides import broken_glass, overridden, reviews
from mlops_mlflow.core.policy.parts import envelope_parts
from mlops_mlflow.core.policy.words import WAITED, milliseconds, moment, people, span

__all__ = ["Case", "Decision", "Outcome", "RuleFinding", "authors", "decide", "envelope_parts"]

POLICY, RETIRED, RETIRED_BY = "policy", "reason to retire the champion", "who retires the champion"
JUDGED = ("metrics", "slices", "data", "card")
"""Parts that validate judged and that have to be as they were; policy and use case concern approvals only."""


def decide(case: Case) -> Decision:
    """Hold a transition against the rules.

    Args:
        case: All that counts.

    Returns:
        Every rule with its outcome, the first things to see to first.
    """
    findings = [_since_asked(case, one) for one in _findings(case)]
    if (glass := broken_glass(case)) is not None:
        findings = [overridden(one, glass) for one in findings]
    used = glass.sequence if glass and any(one.outcome == "overridden" for one in findings) else 0
    return Decision(
        tuple(findings),
        case.rules.policy.mode == "dry_run",
        used,
        any(one.outcome == "spared" for one in findings),
    )


def _since_asked(case: Case, finding: RuleFinding) -> RuleFinding:
    """A finding with what changed in its rule since the open request was asked."""
    if case.request is None or finding.rule not in case.rules_changed:
        return finding
    since = f"rules changed since {case.request.name} was asked: {case.rules_changed[finding.rule]}"
    return replace(finding, reason=f"{finding.reason}; {since}")


def _findings(case: Case) -> Iterator[RuleFinding]:
    transition = case.transition
    yield from _policy(case)
    if is_unnamed(case.history.policy, case.current.policy):
        return  # whatever the default policy would say holds for nobody
    if not transition.is_legal:
        yield _illegal(case)
        return
    yield RuleFinding("legal transition", "met", f"{transition.begin} -> {transition.to}")
    if (strange := _unexplained(case)) is not None:
        yield strange
    if transition.to != "Archived":
        yield _intact(case)
    if transition.is_rollback:
        yield _rollback(case)
        return
    if transition.to != "Archived":
        yield from _judged(case)
    if transition.to == "Production":
        yield from reviews(case)
    if (transition.begin, transition.to) == ("Production", "Archived"):
        yield from _retired(case)
    yield from approvals(case)
    lapse = case.rules.stage.approval_lapse
    if LAPSE in case.rules_changed and lapse is not None:
        yield RuleFinding(LAPSE, "met", f"an approval counts for {span(milliseconds(lapse))}")


def _policy(case: Case) -> Iterator[RuleFinding]:
    """Told only where another policy held before; the default one never takes the place of an organisation's."""
    before, now = case.history.policy, case.current.policy
    if is_unnamed(before, now):
        why = f"the last decision was made under `{before}`, and MLOPS_POLICY names no file"
        yield RuleFinding(POLICY, "missing", why, f"set MLOPS_POLICY to the file of {before}", final=True)
    elif case.policy_changed:
        yield RuleFinding(POLICY, "met", case.policy_changed)


def _illegal(case: Case) -> RuleFinding:
    transition, rule = case.transition, "legal transition"
    if transition.begin == transition.to:
        why = f"it is in {transition.to} already"
        return RuleFinding(rule, "missing", why, "nothing is left to do", final=True)
    why = f"{transition.begin} -> {transition.to} is not one of the transitions ({transition.legal_ways})"
    return RuleFinding(rule, "missing", why, "ask for one of the legal ways", final=True)


def _retired(case: Case) -> Iterator[RuleFinding]:
    """The champion leaves and nothing takes its place: somebody says why, and is one of the people."""
    transition, policy, request = case.transition, case.rules.policy, case.request
    asking = (
        f"`mlops request {shlex.quote(transition.model)} --to Archived --version {transition.version} --comment ...`"
    )
    if case.reason.strip() or (request is not None and request.comment.strip()):
        yield RuleFinding(RETIRED, "met", "a reason is given")
    else:
        why = f"nothing takes the place of version {transition.version} in Production, and no reason is given"
        yield RuleFinding(RETIRED, "missing", why, f"say why: {asking}")
    asked = {case.person, *([policy.person(request.actor.name)] if request is not None else [])}
    if policy.people and asked.isdisjoint(policy.people):
        why = f"{case.person} is none of the people of {policy.name}"
        yield RuleFinding(RETIRED_BY, "missing", why, f"{people(policy.people)}: {asking}")


def _unexplained(case: Case) -> RuleFinding | None:
    """A version that came to Staging behind the ledger's back has met none of the rules for that.

    Only Production asks: on the way to Staging all of its rules are asked anyway.
    """
    begin, version = case.transition.begin, case.transition.version
    says = case.history.stage_of(version)
    if says == begin or case.transition.to != "Production":
        return None
    why = f"the registry has it in {begin}, and the ledger in {says}"
    todo = f"`mlops adopt {case.transition.model} --reason ...`, or put it back to {says}"
    return RuleFinding("explained by the ledger", "missing", why, todo)


def _intact(case: Case) -> RuleFinding:
    rule, registration = "intact model", case.registration
    todo = "register a new version with `mlops run`"
    if "model" in case.evidence.trouble:
        return RuleFinding(rule, "missing", case.evidence.trouble["model"], todo, final=True)
    if registration is None:
        why = "the version was not registered by a lifecycle of its use case, so nothing is known of it"
        return RuleFinding(rule, "missing", why, "register it with `mlops run`, or `mlops adopt` what is in Production")
    if case.evidence.changed(registration.parts, ("model",)):
        why = "the model's files are not those that were registered"
        return RuleFinding(rule, "missing", why, todo, final=True)
    return RuleFinding(rule, "met", "the model's files are those that were registered")


def _judged(case: Case) -> Iterator[RuleFinding]:
    """What validate said, whether that still holds, and how long the version has waited."""
    if case.rules.stage.verdict == "passed":
        yield _verdict(case)
    if case.registration is not None:
        yield from _fresh(case)
        yield _as_registered(case)
    if case.rules.stage.minimum_staging is not None and case.transition.to == "Production":
        yield _waited(case, case.rules.stage.minimum_staging)


def _verdict(case: Case) -> RuleFinding:
    verdict = case.registration.verdict if case.registration else "unknown"
    reason = f"validate said `{verdict}`" if case.registration else "nothing is known of a verdict"
    if verdict == "passed":
        return RuleFinding("verdict", "met", reason)
    todo = "only what passed `validate` may go on: mend it and run `mlops run` again"
    return RuleFinding("verdict", "missing", reason, todo)


def _fresh(case: Case) -> Iterator[RuleFinding]:
    """A verdict is of its time, and of the champion that was there."""
    rule, stage, registration = "fresh verdict", case.rules.stage, case.registration
    again = "judge it again: `mlops run --force validate`"
    if registration is None:
        return
    if stage.verdict == "passed":
        stale = case.evidence.changed(registration.parts, ("champion",))
        why = case.evidence.trouble.get("champion", f"{told(stale)} is another one now")
        same = "the champion is the one that it was compared with"
        yield RuleFinding(rule, "missing", why, again) if stale else RuleFinding(rule, "met", same)
    if stage.verdict_age is not None:
        longest, judged = milliseconds(stage.verdict_age), registration.judged
        age = span(case.now - judged) if judged is not None else "of an unknown age"
        reason = f"{age} old, {span(longest)} are allowed" if judged is not None else f"{age}"
        met = judged is not None and case.now - judged <= longest
        yield RuleFinding(rule, "met" if met else "missing", reason, "" if met else again)


def _as_registered(case: Case) -> RuleFinding:
    rule, registration = "evidence as registered", case.registration
    changed = case.evidence.changed(registration.parts if registration else {}, JUDGED)
    if not changed:
        return RuleFinding(rule, "met", "metrics, slices, data and card are as judged")
    reasons = [case.evidence.trouble.get(part, f"{told((part,))}: not what it was at registration") for part in changed]
    return RuleFinding(
        rule, "missing", "; ".join(dict.fromkeys(reasons)), "judge it again with `mlops run`, which registers it anew"
    )


def _waited(case: Case, minimum: timedelta) -> RuleFinding:
    rule, needed = WAITED, milliseconds(minimum)
    last = case.history.last_move(case.transition.version)
    if last is None or last.to != "Staging":
        return RuleFinding(rule, "missing", "the ledger does not know since when it is there", "bring it there again")
    waited, until = case.now - last.time, moment(last.time + needed)
    reason = f"{span(waited)} of {span(needed)}"
    return (
        RuleFinding(rule, "met", reason)
        if waited >= needed
        else RuleFinding(rule, "missing", reason, f"wait until {until}")
    )


def _rollback(case: Case) -> RuleFinding:
    rule, version, roles = "rollback", case.transition.version, case.rules.policy.rollback
    if not any(move.version == version and move.to == "Production" for move in case.history.moves):
        todo = "bring it to Staging and ask for Production"
        return RuleFinding(rule, "missing", "it was never in Production", todo, final=True)
    if not case.history.was_in_production(version):
        why = "it was in Production, but not by an allowed transition: past the rules, and nobody has reviewed that"
        return RuleFinding(rule, "missing", why, "bring it to Staging and ask for Production, or let it be reviewed")
    if roles and not any(case.rules.policy.holds(case.person, role) for role in roles):
        why = f"{case.person} is not {people(roles)}"
        return RuleFinding(rule, "missing", why, f"ask somebody who is {people(roles)}")
    return RuleFinding(rule, "met", "it was in Production before, by an allowed transition")
