"""Records one after another, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mlops_mlflow.core.ledger.history import (
    Approval,
    GlassBreak,
    History,
    Move,
    Registration,
    Request,
    RequestState,
)
from mlops_mlflow.core.ledger.record import Record


def history(records: Iterable[Record]) -> History:
    """Replay the records of one model, in their order."""
    return extended(History(), records)


def extended(before: History, records: Iterable[Record]) -> History:
    """A history with what happened after it."""
    found = _Replay(
        dict(before.registrations),
        dict(before.requests),
        list(before.approvals),
        list(before.moves),
        {one.sequence: one for one in before.glass_breaks},
        set(before.deleted),
        before.policy,
    )
    for record in records:
        found.add(record)
    return found.result()


@dataclass
class _Replay:
    registrations: dict[str, Registration] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    approvals: list[Approval] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    glass_breaks: dict[int, GlassBreak] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    policy: str = ""

    def add(self, record: Record) -> None:
        if record.entry.action != "refusal":
            self.policy = record.entry.policy_name or self.policy
        step = getattr(self, f"_{record.entry.action}", None)
        if step is not None:
            step(record)

    def result(self) -> History:
        return History(
            self.registrations,
            self.requests,
            tuple(self.approvals),
            tuple(self.moves),
            tuple(self.glass_breaks.values()),
            frozenset(self.deleted),
            self.policy,
        )

    def _registration(self, record: Record, *, adopted: bool = False) -> None:
        entry, details = record.entry, record.entry.details
        before = self.registrations.get(entry.version)
        self.registrations[entry.version] = Registration(
            entry.version,
            record.time,
            entry.actor,
            str(details.get("verdict", "unknown")),
            details.get("judged"),
            details.get("use_case", {}),
            details.get("parts", {}),
            details.get("facts", {}),
            adopted,
            before.registrants if before else (),
            entry.policy_name,
        )
        self._moved(record)

    def _adoption(self, record: Record) -> None:
        self._registration(record, adopted=True)

    def _request(self, record: Record) -> None:
        entry, details = record.entry, record.entry.details
        self.requests[record.sequence] = Request(
            record.sequence,
            record.time,
            entry.actor,
            entry.version,
            entry.begin,
            entry.to,
            entry.reason,
            int(details["lapses"]),
            details.get("parts", {}),
            details.get("needs", {}),
            entry.policy_name,
        )

    def _approval(self, record: Record) -> None:
        entry, details = record.entry, record.entry.details
        self.approvals.append(
            Approval(
                record.sequence,
                record.time,
                entry.actor,
                entry.roles[0] if entry.roles else "",
                str(details["subject"]),
                entry.version,
                int(details.get("request", 0)),
                details.get("parts", {}),
                entry.policy_name,
            )
        )

    def _rejection(self, record: Record) -> None:
        self._end_request(record, "rejected")

    def _withdrawal(self, record: Record) -> None:
        self._end_request(record, "withdrawn")

    def _transition(self, record: Record) -> None:
        self._end_request(record, "done")
        self._moved(record)

    def _rollback(self, record: Record) -> None:
        self._end_request(record, "done")
        self._moved(record)

    def _override(self, record: Record) -> None:
        entry, details = record.entry, record.entry.details
        self.glass_breaks[record.sequence] = GlassBreak(
            record.sequence,
            record.time,
            entry.actor,
            entry.version,
            entry.to,
            entry.reason,
            int(details["expires"]),
            int(details["review_due"]),
        )

    def _review(self, record: Record) -> None:
        about = self.glass_breaks.get(int(record.entry.details["override"]))
        reviewer = record.entry.actor
        if about is not None and reviewer.name != about.actor.name and not about.reviewed:
            self.glass_breaks[about.sequence] = replace(about, reviewed=record.sequence, reviewer=reviewer)

    def _deletion(self, record: Record) -> None:
        self.deleted.add(record.entry.version)
        self._overtake(record, {record.entry.version})

    def _moved(self, record: Record) -> None:
        entry, details = record.entry, record.entry.details
        glass = int(details.get("override") or 0)
        if glass in self.glass_breaks and not self.glass_breaks[glass].used:
            self.glass_breaks[glass] = replace(self.glass_breaks[glass], used=record.sequence)
        findings = details.get("findings", ())
        watched = any(one.get("outcome") == "missing" for one in findings)
        approvals = tuple(dict.fromkeys(number for one in findings for number in one.get("approvals", ())))
        moves = [
            Move(
                record.sequence,
                record.time,
                version,
                begin,
                to,
                entry.action,
                entry.actor,
                glass,
                watched,
                entry.policy_name,
                entry.reason,
                approvals,
            )
            for version, begin, to in details.get("moves", ())
        ]
        self.moves += moves
        self._overtake(record, {move.version for move in moves if move.begin != move.to})

    def _overtake(self, record: Record, versions: set[str]) -> None:
        """What was asked of a version where it was is no longer asked of it where it is."""
        for number, one in self.requests.items():
            if one.version in versions and one.state(record.time) == "open":
                self.requests[number] = replace(one, ended="overtaken", ended_by=record.sequence)

    def _end_request(self, record: Record, how: RequestState) -> None:
        entry = record.entry
        number = int(entry.details.get("request", 0))
        if number in self.requests and self.requests[number].ended is None:
            role = f" as {entry.roles[0]}" if entry.roles else ""
            why = f": {entry.reason}" if entry.reason else ""
            self.requests[number] = replace(
                self.requests[number],
                ended=how,
                ended_by=record.sequence,
                ending=f"by {entry.actor.name}{role}{why}",
            )
