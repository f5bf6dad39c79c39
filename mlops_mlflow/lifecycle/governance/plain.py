"""Cards for programs: JSON with whole digests and exact figures, and the page's own content beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.cards.notes import to_json
from mlops_mlflow.core.ledger.history import Approval, GlassBreak, Request
from mlops_mlflow.core.plain import to_plain
from mlops_mlflow.core.policy.decide import Case, Decision
from mlops_mlflow.core.policy.evidence import PARTS, Evidence
from mlops_mlflow.governance.pages import people
from mlops_mlflow.governance.shelf import Shelf
from mlops_mlflow.lifecycle.governance import changes
from mlops_mlflow.lifecycle.governance.facts import Facts, Known
from mlops_mlflow.lifecycle.governance.model_card import stays

FORMAT = 1


def request_json(
    card: Card, case: Case, decision: Decision, request: Request, known: Known, *, enforced: bool = True
) -> str:
    """A request card as JSON; times are milliseconds since 1970."""
    found = changes.since(known)
    return _text(
        {
            "format": FORMAT,
            "kind": "request card",
            "model": case.transition.model,
            "version": request.version,
            "enforced": enforced,
            "request": {
                "name": request.name,
                "state": request.state(case.now),
                "from": request.begin,
                "to": request.to,
                "by": request.actor.name,
                "asked": request.time,
                "lapses": request.lapses,
                "comment": request.comment,
            },
            "allowed": decision.would_allow,
            "dry_run": decision.dry_run,
            "rules": to_plain(decision.findings),
            "approvals": _approvals(people.given(case, request)),
            "evidence": _evidence(case.evidence),
            "champion": known.champion.version if known.champion else None,
            "changed": [{"what": one.what, "values": list(one.values)} for one in (*found.changed, *found.settings)],
            **_judged(known.facts),
            "card": json.loads(to_json(card)),
        }
    )


def model_json(card: Card, shelf: Shelf, case: Case, facts: Facts, *, enforced: bool = True) -> str:
    """A model card as JSON; times are milliseconds since 1970."""
    version = shelf.versions[case.transition.version]
    return _text(
        {
            "format": FORMAT,
            "kind": "model card",
            "model": shelf.name,
            "version": version.number,
            "enforced": enforced,
            "registry_stage": version.registry_stage,
            "registry_stages": [{"stage": s.stage, "since": s.since, "until": s.until} for s in stays(shelf, version)],
            "approvals": _approvals(people.given_to(case)),
            "overrides": [_override(one) for one in shelf.history.glass_breaks if one.version == version.number],
            "evidence": _evidence(case.evidence),
            **_judged(facts),
            "dependencies": list(facts.dependencies),
            "features": dict(facts.features),
            "card": json.loads(to_json(card)),
        }
    )


def _judged(facts: Facts) -> dict[str, Any]:
    return {
        "candidate": facts.candidate,
        "verdict": facts.verdict or None,
        "criteria": to_plain(facts.findings),
        "metrics": dict(facts.metrics),
        "origin": to_plain(facts.origin),
        "untold": list(facts.gone),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    parts = {part: evidence.parts.get(part) or None for part in PARTS}
    return {"digest": evidence.digest, "parts": parts, "trouble": dict(evidence.trouble)}


def _approvals(found: Iterable[Approval]) -> list[dict[str, Any]]:
    return [
        {
            "by": one.actor.name,
            "known_by": one.actor.known_by,
            "role": one.role,
            "subject": one.subject,
            "version": one.version,
            "time": one.time,
            "record": one.sequence,
            "evidence": Evidence(one.parts).digest,
        }
        for one in found
    ]


def _override(one: GlassBreak) -> dict[str, Any]:
    reviewer = one.reviewer.name if one.reviewer else None
    told = {"record": one.sequence, "by": one.actor.name, "to": one.to, "reason": one.reason, "time": one.time}
    return {**told, "used_by": one.used or None, "reviewed_by": reviewer, "review_due": one.review_due}


def _text(plain: Any) -> str:
    return json.dumps(_finite(plain), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """JSON knows no figure that is not defined."""
    if isinstance(value, dict):
        return {str(name): _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
