"""Who is where, since when, what blocks the next step, and who can unblock it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlops_mlflow.core.ledger.history import ENVELOPE, Approval, GlassBreak, Request
from mlops_mlflow.core.policy.decide import Decision, decide
from mlops_mlflow.core.policy.transitions import ALIASES
from mlops_mlflow.core.policy.validity import void
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
        recorded: Registry stage that the ledger says; empty where it knows nothing of the version.
        approved: Approvals that brought it there.
    """

    version: Version
    since: int | None
    by: str
    explained: bool
    aliases: tuple[str, ...]
    recorded: str = ""
    approved: tuple[Approval, ...] = ()


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
        envelopes: Approvals of what a retrained version may do, each with the reason why it counts for nothing, if any.
        policy: Name of the policy that holds.
        before: Name of the policy that held when something was last recorded; empty where that is the same.
        dry_run: Whether the policy only watches.
        enforced: Whether the registry is bound to the policy.
    """

    name: str
    places: tuple[Place, ...]
    steps: tuple[Step, ...]
    reviews: tuple[GlassBreak, ...]
    refused: tuple[Request, ...]
    envelopes: tuple[tuple[Approval, str], ...]
    policy: str
    before: str
    dry_run: bool
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
        tuple(_envelopes(desk, shelf, now)),
        desk.policy.name,
        shelf.history.policy if shelf.history.policy != desk.policy.name else "",
        desk.policy.mode == "dry_run",
        desk.registry.enforced,
    )


def _place(shelf: Shelf, version: Version) -> Place:
    history, number, stage = shelf.history, version.number, version.registry_stage
    aliases = tuple(sorted(name for name, named in shelf.aliases.items() if named == number))
    last = history.last_move(number)
    known = last or history.registrations.get(number)
    if known is None:
        return Place(version, None, "", stage not in ALIASES, aliases)
    recorded = history.stage_of(number)
    if recorded != stage:
        return Place(version, None, "", False, aliases, recorded)
    approved = history.stands_on(number) if stage in ALIASES else ()
    return Place(version, known.time, known.actor.name, True, aliases, recorded, approved)


def _envelopes(desk: Desk, shelf: Shelf, now: int) -> Iterator[tuple[Approval, str]]:
    """The newest of each person in each role, held against the newest version that came from the use case."""
    given = [one for one in shelf.history.approvals if one.subject == ENVELOPE]
    numbers = [int(number) for number in shelf.history.registrations if number in shelf.versions]
    if not given or not numbers:
        return
    newest = {(one.role, desk.policy.person(one.actor.name)): one for one in given}.values()
    for one in newest:
        yield one, void(desk.case(shelf, str(max(numbers)), "Production", now), one)


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
