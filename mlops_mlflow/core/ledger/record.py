"""One record of the ledger, and its place in the chain."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Action = Literal[
    "registration",
    "adoption",
    "request",
    "approval",
    "rejection",
    "withdrawal",
    "transition",
    "rollback",
    "override",
    "review",
    "alias",
    "tag",
    "deletion",
    "refusal",
]
BEGINNING = "0" * 64
"""What the first record has for the hash of the one before it."""
UNVERIFIED = "operating-system user, identity not verified"
POLICY_NAME = "policy_name"
"""Among the details: name of the policy that held; the digest of its rules says nothing to people."""


@dataclass(frozen=True)
class Actor:
    """Who did something, and how that is known.

    Attributes:
        name: As the machine or the server calls them.
        known_by: How the name came to be known.
    """

    name: str
    known_by: str = UNVERIFIED

    @property
    def verified(self) -> bool:
        """Whether somebody checked that it is them."""
        return self.known_by != UNVERIFIED


@dataclass(frozen=True)
class Entry:
    """What is to be recorded; the ledger adds its place and the time.

    Attributes:
        action: What was done; ``refusal`` is an attempt that was not let through.
        model: Name of the registered model.
        actor: By whom.
        version: Of the model; empty where the action is about the model.
        begin: Registry stage before.
        to: Registry stage after, or asked for.
        roles: In which the actor acted.
        reason: In the actor's words.
        evidence: Digest of the evidence that the actor saw.
        policy: Digest of the rules that held.
        enforced: Whether the registry is bound to the decision; false where only a plain server is in reach.
        details: What else there is to say, as JSON's types: request, subject, parts of the evidence, findings.
    """

    action: Action
    model: str
    actor: Actor
    version: str = ""
    begin: str = ""
    to: str = ""
    roles: tuple[str, ...] = ()
    reason: str = ""
    evidence: str = ""
    policy: str = ""
    enforced: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def policy_name(self) -> str:
        """Name of the policy that it was decided under; empty where nothing says so."""
        return str(self.details.get(POLICY_NAME, ""))


@dataclass(frozen=True)
class Record:
    """An entry in its place.

    Attributes:
        sequence: From 1, without gaps.
        time: Milliseconds since 1970, UTC, by the clock of whoever wrote it.
        entry: What happened.
        previous: Hash of the record before; of the first, zeros.
    """

    sequence: int
    time: int
    entry: Entry
    previous: str

    def to_plain(self) -> dict[str, Any]:
        """As JSON's types."""
        entry = self.entry
        return {
            "sequence": self.sequence,
            "time": self.time,
            **{name: getattr(entry, name) for name in _PLAIN},
            "actor": {"name": entry.actor.name, "known_by": entry.actor.known_by},
            "roles": list(entry.roles),
            "details": dict(entry.details),
            "previous": self.previous,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Record:
        """From what ``to_plain`` gave, or from its JSON.

        Raises:
            ValueError: It is not such a thing.
        """
        _check(plain, "the record", _RECORD)
        _check(plain["actor"], "`actor`", {"name": str, "known_by": str})
        if plain["action"] not in get_args(Action):
            raise ValueError(f"not a record of the ledger: `{plain['action']}` is not an action")
        if not all(isinstance(role, str) for role in plain["roles"]):
            raise ValueError("not a record of the ledger: `roles` are not texts")
        entry = Entry(
            **{name: plain[name] for name in _PLAIN},
            actor=Actor(**plain["actor"]),
            roles=tuple(plain["roles"]),
            details=_numbers(plain["details"]),
        )
        return cls(plain["sequence"], plain["time"], entry, plain["previous"])

    @property
    def text(self) -> bytes:
        """Canonical JSON (RFC 8785): equal records have equal bytes, on every machine and in every language."""
        import rfc8785

        return rfc8785.dumps(self.to_plain())

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical text, as hexadecimal digits."""
        return hashlib.sha256(self.text).hexdigest()


_PLAIN = ("action", "model", "version", "begin", "to", "reason", "evidence", "policy", "enforced")
"""Fields of an entry that are JSON's types already."""
_RECORD: Mapping[str, type] = {
    "sequence": int,
    "time": int,
    "previous": str,
    "actor": Mapping,
    "roles": list,
    "details": Mapping,
    **{name: bool if name == "enforced" else str for name in _PLAIN},
}


def _numbers(value: Any) -> Any:
    """Whole numbers that JSON cannot tell from floating-point ones (RFC 8785, appendix D) as what they were."""
    if isinstance(value, Mapping):
        return {name: _numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    return float(value) if type(value) is int and abs(value) >= 2**53 else value


def _check(plain: object, what: str, fields: Mapping[str, type]) -> None:
    if not isinstance(plain, Mapping) or set(plain) != set(fields):
        got = ", ".join(map(str, plain)) if isinstance(plain, Mapping) else type(plain).__name__
        raise ValueError(f"not a record of the ledger: {what} has the fields {', '.join(fields)}, not {got}")
    for name, kind in fields.items():
        if not isinstance(plain[name], kind) or (kind is int and isinstance(plain[name], bool)):
            raise ValueError(f"not a record of the ledger: `{name}` is of the type {type(plain[name]).__name__}")
