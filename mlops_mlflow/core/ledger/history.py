"""What a model's records add up to: requests, approvals, where each version was, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlops_mlflow.core.ledger.origin import Origin
from mlops_mlflow.core.ledger.record import Actor

RequestState = Literal["open", "done", "rejected", "withdrawn", "lapsed", "overtaken"]
"""``lapsed``: nobody completed it in time, which rejects it; ``overtaken``: the version moved, or was deleted."""
TRANSITION, ENVELOPE = "transition", "envelope"
"""Subjects of approvals, beside the subjects of a use case's requirements."""


@dataclass(frozen=True)
class Registration:
    """How a version came into the registry.

    Attributes:
        version: Its number.
        time: Milliseconds since 1970.
        actor: By whom.
        verdict: Of ``validate``.
        judged: When it was judged, milliseconds since 1970; None where nobody knows.
        use_case: What its use case says of governance: ``governance``, ``requirements``, ``technical_owner``.
        parts: Digests of the evidence then.
        facts: What rules ask of it.
        adopted: Whether it was taken over rather than registered.
        earlier: Who registered the same version before it was judged again.
        policy: Name of the policy that held.
    """

    version: str
    time: int
    actor: Actor
    verdict: str
    judged: int | None
    use_case: Mapping[str, Any]
    parts: Mapping[str, str]
    facts: Mapping[str, Any]
    adopted: bool = False
    earlier: tuple[Actor, ...] = ()
    policy: str = ""

    @property
    def registrants(self) -> tuple[Actor, ...]:
        """Everybody who registered it."""
        return (*self.earlier, self.actor)

    @property
    def origin(self) -> Origin | None:
        """Commit that it came from; None where no repository was known."""
        return Origin.from_facts(self.facts)


@dataclass(frozen=True)
class Request:
    """Somebody asks for a transition.

    Attributes:
        number: Sequence of its record: its name.
        time: Milliseconds since 1970.
        actor: Who asks.
        version: Which version.
        begin: Registry stage that it was in.
        to: Registry stage that is asked for.
        comment: In the requester's words.
        lapses: When it is rejected if nobody completed it, milliseconds since 1970.
        parts: Digests of the evidence then.
        needs: What the rules asked for then, see ``core.policy.kept``.
        policy: Name of the policy that held.
        ended: How it ended, if a record says so.
        ended_by: That record.
        ending: Who ended it and why: ``by cat as compliance: too weak``; empty where no person did.
    """

    number: int
    time: int
    actor: Actor
    version: str
    begin: str
    to: str
    comment: str
    lapses: int
    parts: Mapping[str, str]
    needs: Mapping[str, Any] = field(default_factory=dict)
    policy: str = ""
    ended: RequestState | None = None
    ended_by: int = 0
    ending: str = ""

    @property
    def name(self) -> str:
        """By which people call it."""
        return f"R{self.number}"

    def state(self, now: int) -> RequestState:
        """How it stands at a time."""
        return self.ended or ("lapsed" if now >= self.lapses else "open")


@dataclass(frozen=True)
class Approval:
    """A role's yes to a subject.

    Attributes:
        sequence: Of its record.
        time: Milliseconds since 1970.
        actor: Who approved.
        role: As what; empty for an approval in no particular role.
        subject: ``transition``, ``envelope``, or what a requirement names.
        version: That was looked at.
        request: That was answered; 0 for none.
        parts: Digests of the evidence that was looked at.
        policy: Name of the policy that held.
    """

    sequence: int
    time: int
    actor: Actor
    role: str
    subject: str
    version: str
    request: int
    parts: Mapping[str, str]
    policy: str = ""


@dataclass(frozen=True)
class Move:
    """A version changed its registry stage.

    Attributes:
        sequence: Of the record.
        time: Milliseconds since 1970.
        version: Which.
        begin: From where.
        to: To where.
        action: ``transition``, ``rollback``, ``adoption`` or ``registration``.
        actor: By whom.
        override: Record of the broken glass with which it went past the rules; 0 for none.
        watched: Whether rules were not met and a policy that only watches let it through.
        policy: Name of the policy that it was decided under.
        reason: In the words of whoever made it.
        approvals: Records of the approvals that it stood on.
    """

    sequence: int
    time: int
    version: str
    begin: str
    to: str
    action: str
    actor: Actor
    override: int = 0
    watched: bool = False
    policy: str = ""
    reason: str = ""
    approvals: tuple[int, ...] = ()


@dataclass(frozen=True)
class GlassBreak:
    """A permission to go past the rules.

    Attributes:
        sequence: Of its record.
        time: Milliseconds since 1970.
        actor: Who gave it to themselves.
        version: For this version only.
        to: For this registry stage only.
        reason: Why.
        expires: Until when it may be used, milliseconds since 1970.
        review_due: Until when somebody else has to look at it.
        used: Record of the transition that it let through; 0 for none.
        reviewed: Record of the review by somebody else; 0 for none.
        reviewer: Who reviewed it.
    """

    sequence: int
    time: int
    actor: Actor
    version: str
    to: str
    reason: str
    expires: int
    review_due: int
    used: int = 0
    reviewed: int = 0
    reviewer: Actor | None = None

    def is_overdue(self, now: int) -> bool:
        """Whether it was used and nobody looked at it in time."""
        return bool(self.used) and not self.reviewed and now >= self.review_due


@dataclass(frozen=True)
class History:
    """All that a ledger says of one model.

    Attributes:
        registrations: By version.
        requests: By number.
        approvals: In their order.
        moves: In their order.
        glass_breaks: In their order.
        deleted: Versions that were deleted.
        policy: Name of the policy of the last record that names one; an attempt that was refused names none.
    """

    registrations: Mapping[str, Registration] = field(default_factory=dict)
    requests: Mapping[int, Request] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    moves: tuple[Move, ...] = ()
    glass_breaks: tuple[GlassBreak, ...] = ()
    deleted: frozenset[str] = frozenset()
    policy: str = ""

    def stage_of(self, version: str, at: int | None = None) -> str:
        """Registry stage of a version, now or at a time."""
        last = self.last_move(version, at)
        return last.to if last else "None"

    def last_move(self, version: str, at: int | None = None) -> Move | None:
        """What brought a version to where it was, now or at a time."""
        found = [move for move in self.moves if move.version == version and (at is None or move.time <= at)]
        return found[-1] if found else None

    def stood_on(self, move: Move) -> tuple[Approval, ...]:
        """Approvals that a move stood on."""
        return tuple(one for one in self.approvals if one.sequence in move.approvals)

    def stands_on(self, version: str) -> tuple[Approval, ...]:
        """Approvals that brought a version where it is."""
        last = self.last_move(version)
        return self.stood_on(last) if last is not None else ()

    def versions_in(self, stage: str, at: int | None = None) -> tuple[str, ...]:
        """Versions in a registry stage, now or at a time."""
        versions = dict.fromkeys(move.version for move in self.moves)
        return tuple(one for one in versions if self.stage_of(one, at) == stage)

    def was_in_production(self, version: str) -> bool:
        """Whether an allowed transition once brought it there.

        One past the rules does not count, unless somebody else has reviewed it since; nor does one that a policy let
        through because it only watched.
        """
        reviewed = {one.used for one in self.glass_breaks if one.used and one.reviewed}
        return any(
            move.version == version
            and move.to == "Production"
            and not move.watched
            and (not move.override or move.sequence in reviewed)
            for move in self.moves
        )

    def open_requests(self, now: int) -> tuple[Request, ...]:
        """Requests that wait for somebody."""
        return tuple(one for one in self.requests.values() if one.state(now) == "open")
