"""Change envelopes: where approvals that were given in advance stand in for new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mlops_mlflow.core.judgement import meets
from mlops_mlflow.core.ledger.history import ENVELOPE, Approval
from mlops_mlflow.core.policy.case import Case
from mlops_mlflow.core.policy.parts import ENVELOPE_PARTS
from mlops_mlflow.core.policy.validity import void
from mlops_mlflow.core.policy.words import counted, milliseconds, people
from mlops_mlflow.core.usecase.operation import Envelope
from mlops_mlflow.core.usecase.success import Bound

MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Coverage:
    """What an envelope does for a version.

    Attributes:
        approvals: Of the envelope; each stands in for one of the transition, by the same person in the same role.
        why_not: Why there are none.
    """

    approvals: tuple[Approval, ...] = ()
    why_not: str = ""


def coverage(case: Case) -> Coverage:
    """Approvals of the envelope, where every role that it spares gave one and the version lies inside."""
    envelope = case.rules.envelope
    if envelope is None:
        return Coverage()
    given = [one for one in case.history.approvals if one.subject == ENVELOPE and one.role in envelope.spares]
    valid = tuple(one for one in given if not void(case, one))
    why = [*_not_approved(case, envelope, given, valid), *_outside(case, envelope)]
    return Coverage(why_not="; ".join(why)) if why else Coverage(valid)


def _not_approved(case: Case, envelope: Envelope, given: list[Approval], valid: tuple[Approval, ...]) -> Iterator[str]:
    silent = set(envelope.spares) - {one.role for one in valid}
    if silent:
        yield f"it is not approved by {people(silent, 'and')}"
    for role in sorted(silent):
        newest = next((one for one in reversed(given) if one.role == role), None)
        if newest is not None:
            yield f"{newest.actor.name}'s approval of it does not count: {void(case, newest)}"


def _outside(case: Case, envelope: Envelope) -> Iterator[str]:
    """What takes a version out of its envelope; what is not known of it does, too."""
    facts = case.evidence.facts
    for fact in ("features", "estimator"):
        if not facts.get(fact):
            yield f"{ENVELOPE_PARTS[fact]} of the version are not known"
    for bound in envelope.metrics:
        yield from _out_of_bound(bound, facts.get("metrics"))
    since = case.now - milliseconds(MONTH)
    moved = {
        move.sequence
        for move in case.history.moves
        if move.to == case.transition.to and move.action in ("transition", "registration") and move.time > since
    }
    if len(moved) >= envelope.per_month:
        allowed = f"{envelope.per_month} within {MONTH.days} days"
        yield f"{counted(len(moved), 'transition')} to {case.transition.to} came before, of {allowed}"


def _out_of_bound(bound: Bound, metrics: Any) -> Iterator[str]:
    figure = metrics.get(bound.metric) if isinstance(metrics, Mapping) else None
    if not isinstance(figure, int | float) or isinstance(figure, bool):
        yield f"{bound.metric} is not known"
    elif not meets(bound, float(figure)):
        word = "at least" if bound.at_least is not None else "at most"
        yield f"{bound.metric} is {figure:.6g}, {word} {bound.limit:g} is asked for"
