"""A version changes its registry stage: by a promotion, a rollback, into the archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.history import Request
from mlops_mlflow.core.ledger.record import Record
from mlops_mlflow.core.plain import to_plain
from mlops_mlflow.core.policy.decide import Case, Decision, decide
from mlops_mlflow.core.policy.transitions import ALIASES
from mlops_mlflow.governance.desk.desk import Desk, Matter, RefusedError, known, needs
from mlops_mlflow.governance.shelf import Change, Shelf

STAGE_TAG, SUPERSEDED = "mlops.registry_stage", "mlops.superseded_by"
Moves = tuple[tuple[str, str, str], ...]
"""Version, registry stage before, registry stage after."""


@dataclass(frozen=True)
class Moved:
    """A transition that was made.

    Attributes:
        record: In the ledger.
        decision: Behind it.
        moves: Of every version that moved; the replaced one, too.
    """

    record: Record
    decision: Decision
    moves: Moves


def move(desk: Desk, model: str, version: str, to: str, *, reason: str = "") -> Moved:
    """Make a transition if the policy allows it; a rollback where an archived version goes back to Production.

    Raises:
        RefusedError: It does not; the attempt is recorded.
        RegistryError: There is no such version.
    """
    with desk.changing("transition", model, version, to) as matter:
        return apply(matter, matter.case, reason)


def rollback(desk: Desk, model: str, *, version: str | None = None, reason: str) -> Moved:
    """Bring back the version that was in Production before, by an allowed transition.

    Raises:
        RefusedError: The policy does not let this person, or the model's files have changed.
        RegistryError: There is none to go back to, or no reason is given.
    """
    needs(reason, "a rollback", 'say it with --reason "..."')
    shelf = desk.registry.shelf(model)
    target = version or last_good(shelf)
    if target is None or known(shelf, target).registry_stage != "Archived":
        there = ", ".join(f"version {one.number} in {one.registry_stage}" for one in shelf.versions.values())
        which = (
            f"{model} cannot go back to version {target}" if target else f"{model} has no earlier version to go back to"
        )
        raise RegistryError(
            which,
            expected="an archived version, once in Production by an allowed transition, that no rollback took out",
            got=there or "no versions",
            hint=f"`mlops history {model}` shows what was in Production, and when; name a version with --version",
        )
    return move(desk, model, target, "Production", reason=reason)


def last_good(shelf: Shelf) -> str | None:
    """The version that was in Production last before today's, and may be again; not one that a rollback took out."""
    history = shelf.history
    left: dict[str, str] = {}
    for move in history.moves:
        if move.begin == "Production":
            left.pop(move.version, None)  # whatever left last stands last
            left[move.version] = move.action
    for version, action in reversed(left.items()):
        there = shelf.versions.get(version)
        archived = there is not None and there.registry_stage == "Archived"
        if archived and action != "rollback" and history.was_in_production(version):
            return version
    return None


def apply(matter: Matter, case: Case, reason: str, request: Request | None = None) -> Moved:
    """Decide, and make the transition with everything that follows from it.

    Raises:
        RefusedError: The policy does not allow it.
    """
    case = replace(case, reason=reason or case.reason)
    decision = decide(case)
    if not decision.allowed:
        raise RefusedError.of(case, decision)
    transition, change = case.transition, matter.change
    moves = _moves(change.shelf, case)
    answered = request or case.request
    details: dict[str, Any] = {"moves": [list(each) for each in moves], "findings": to_plain(decision.findings)}
    details |= {"request": answered.number} if answered else {}
    details |= {"override": decision.override} if decision.override else {}
    details |= {} if decision.would_allow else {"dry_run": True}
    record = matter.record("rollback" if transition.is_rollback else "transition", reason=reason, details=details)
    for version, _, to in moves:
        change.move(version, to)
        change.tag(version, STAGE_TAG, to)
        # What a rollback takes out is not to come back by the next run that finds it again.
        superseded = version != transition.version and not transition.is_rollback
        change.tag(version, SUPERSEDED, transition.version if superseded else None)
    follow(change, moves)
    return Moved(record, decision, moves)


def _moves(shelf: Shelf, case: Case) -> Moves:
    """The version's own, and that of whatever it replaces."""
    transition = case.transition
    replaced = shelf.in_stage(transition.to) if transition.to in ALIASES else ()
    others = [(one.number, transition.to, "Archived") for one in replaced if one.number != transition.version]
    return ((transition.version, transition.begin, transition.to), *others)


def follow(change: Change, moves: Sequence[tuple[str, str, str]]) -> None:
    """Let the aliases of the registry stages that versions left or entered, and those that named them, be right."""
    moved = {version: to for version, _, to in moves}
    stages = {number: one.registry_stage for number, one in change.shelf.versions.items()} | moved
    touched = {stage for _, begin, to in moves for stage in (begin, to)}
    for stage, alias in ALIASES.items():
        names = change.shelf.aliases.get(alias)
        there = next((version for version, at in stages.items() if at == stage), None)
        if (stage in touched or names in moved) and names != there:
            change.alias(alias, there)
