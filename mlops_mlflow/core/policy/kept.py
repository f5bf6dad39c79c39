"""An open request keeps the rules that it was asked under: who loosens them afterwards has to ask again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mlops_mlflow.core.policy.document import LONGEST
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.core.policy.words import APPROVERS, WAITED, approval_as, approves, milliseconds, span

LAPSE = "lapse of approvals"


def needs(rules: Rules) -> dict[str, Any]:
    """What a request remembers of the rules, as JSON's types; durations in milliseconds."""
    stage = rules.stage
    return {
        "approvals": dict(stage.approvals),
        "approvers": stage.approvers,
        "requirements": [list(each) for each in rules.requirements],
        "approval_lapse": _ms(stage.approval_lapse),
        "minimum_staging": _ms(stage.minimum_staging),
    }


def kept(rules: Rules, asked: Mapping[str, Any]) -> Rules:
    """Of each rule the stricter one.

    Args:
        rules: As they are now.
        asked: What ``needs`` gave when the request was written down.
    """
    stage, then = rules.stage, asked.get("approvals", {})
    roles = dict.fromkeys([*stage.approvals, *then])
    changed = {
        "approvals": {role: max(stage.approvals.get(role, 0), int(then.get(role, 0))) for role in roles},
        "approvers": max(stage.approvers, int(asked.get("approvers", 0))),
        "approval_lapse": min(filter(None, (stage.approval_lapse, _span(asked, "approval_lapse"))), default=None),
        "minimum_staging": max(filter(None, (stage.minimum_staging, _span(asked, "minimum_staging"))), default=None),
    }
    before = ((str(role), str(subject)) for role, subject in asked.get("requirements", ()))
    requirements = tuple(dict.fromkeys([*rules.requirements, *before]))
    return replace(rules, stage=stage.model_copy(update=changed), requirements=requirements)


def changes(rules: Rules, asked: Mapping[str, Any]) -> dict[str, str]:
    """What is not as it was when the request was written down, and what the request keeps, by rule.

    Args:
        rules: As they are now.
        asked: What ``needs`` gave then; nothing where nothing was kept.
    """
    if not asked:
        return {}
    now, then = needs(rules), {**needs(rules), **asked}
    found = {}
    for role in dict.fromkeys([*then["approvals"], *now["approvals"]]):
        numbers = int(then["approvals"].get(role, 0)), int(now["approvals"].get(role, 0))
        found[approval_as(role)] = _told(role, *map(str, numbers), loosened=numbers[0] > numbers[1])
    people = then["approvers"], now["approvers"]
    found[APPROVERS] = _told("people", *map(str, people), loosened=people[0] > people[1])
    before, after = ({approves(*each): each for each in side["requirements"]} for side in (then, now))
    found |= {rule: f"{rule} was taken out (the request keeps it)" for rule in before if rule not in after}
    found |= {rule: f"{rule} was added" for rule in after if rule not in before}
    lapses = then["approval_lapse"], now["approval_lapse"]
    shorter = lapses[0] is not None and (lapses[1] is None or lapses[0] < lapses[1])
    found[LAPSE] = _told(LAPSE, *map(_spoken, lapses), loosened=shorter)
    waits = then["minimum_staging"], now["minimum_staging"]
    longer = waits[0] is not None and (waits[1] is None or waits[0] > waits[1])
    found[WAITED] = _told(WAITED, *map(_spoken, waits), loosened=longer)
    return {rule: text for rule, text in found.items() if text}


def _told(what: str, then: str, now: str, *, loosened: bool) -> str:
    if then == now:
        return ""
    return f"{what} {then} -> {now}{f' (the request keeps {then})' if loosened else ''}"


def _spoken(ms: int | None) -> str:
    return "none" if ms is None else span(ms)


def _ms(duration: timedelta | None) -> int | None:
    """Bounded, so that it is a number that the ledger's JSON can say."""
    return None if duration is None else milliseconds(min(duration, LONGEST))


def _span(asked: Mapping[str, Any], rule: str) -> timedelta | None:
    ms = asked.get(rule)
    return None if ms is None else timedelta(milliseconds=ms)
