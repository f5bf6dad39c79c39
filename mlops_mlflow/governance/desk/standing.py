"""Who is where, since when, what blocks the next step, and who can unblock it."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_mlflow.core.ledger.history import GlassBreak, Request
from mlops_mlflow.core.policy.decide import Decision, decide
from mlops_mlflow.core.policy.transitions import ALIASES
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.shelf import Shelf, Version


@dataclass(frozen=True)
class Place:
    """Where a version is.

    Attributes:
        version: Which.
        since: Milliseconds since 1970; None where the ledger does not know.
        by: Who brought it there; empty where the ledger does not know.
        explained: Whether the ledger says the same as the registry.
        aliases: That name it.
    """

    version: Version
    since: int | None
    by: str
    explained: bool
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A next step of a version.

    Attributes:
        version: Its number.
        to: Registry stage.
        request: That asks for it; None where nobody has asked.
        decision: What the policy says now.
    """

    version: str
    to: str
    request: Request | None
    decision: Decision


@dataclass(frozen=True)
class Standing:
    """How a model stands.

    Attributes:
        name: Of the registered model.
        places: Of its versions, Production first, then Staging, then the newest.
        steps: What waits, or could be asked for next.
        reviews: Overrides that nobody has reviewed yet.
        refused: Requests that were rejected or withdrawn, or lapsed, and were not asked for again.
        enforced: Whether the registry is bound to the policy.
    """

    name: str
    places: tuple[Place, ...]
    steps: tuple[Step, ...]
    reviews: tuple[GlassBreak, ...]
    refused: tuple[Request, ...]
    enforced: bool


def standing(desk: Desk, model: str) -> Standing:
    """How a model stands now; nothing is recorded.

    Raises:
        RegistryError: The registry cannot be read.
    """
    shelf, now = desk.registry.shelf(model), desk.clock()
    waiting = shelf.history.open_requests(now)
    asked = {(one.version, one.to): one for one in waiting if one.version in shelf.versions}
    next_steps = {(one.number, "Production") for one in shelf.in_stage("Staging")}
    steps = []
    for version, to in sorted({*asked, *next_steps}, key=lambda each: (int(each[0]), each[1])):
        decision = decide(desk.case(shelf, version, to, now))
        steps.append(Step(version, to, asked.get((version, to)), decision))
    return Standing(
        model,
        tuple(_place(shelf, one) for one in sorted(shelf.versions.values(), key=_rank)),
        tuple(steps),
        tuple(one for one in shelf.history.glass_breaks if one.used and not one.reviewed),
        tuple(_refused(shelf, now)),
        desk.registry.enforced,
    )


def _place(shelf: Shelf, version: Version) -> Place:
    last = shelf.history.last_move(version.number)
    explained = shelf.history.stage_of(version.number) == version.registry_stage
    entered = shelf.history.registrations.get(version.number)
    aliases = tuple(sorted(name for name, number in shelf.aliases.items() if number == version.number))
    if last is not None and explained:
        return Place(version, last.time, last.actor.name, True, aliases)
    if entered is not None and explained:
        return Place(version, entered.time, entered.actor.name, True, aliases)
    return Place(version, None, "", explained and version.registry_stage not in ALIASES, aliases)


def _refused(shelf: Shelf, now: int) -> list[Request]:
    """The newest request for each transition, where nothing came of it and the version is still where it was."""
    newest = {(one.version, one.to): one for one in shelf.history.requests.values()}
    return [
        one
        for one in newest.values()
        if one.state(now) in ("lapsed", "rejected", "withdrawn")
        and one.version in shelf.versions
        and shelf.versions[one.version].registry_stage == one.begin
    ]


def _rank(version: Version) -> tuple[int, int]:
    order = {"Production": 0, "Staging": 1, "None": 2, "Archived": 3}
    return order.get(version.registry_stage, 4), -int(version.number)
