"""Whether records are a chain: none changed, deleted, inserted or moved, nor all of them written anew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from mlops_mlflow.core.ledger.canonical import parsed
from mlops_mlflow.core.ledger.record import BEGINNING

Breach = Literal["changed", "deleted", "inserted", "re-ordered", "rewritten", "rolled back"]


@dataclass(frozen=True)
class Stored:
    """A record as it is kept.

    Attributes:
        sequence: Its place.
        text: Its canonical text.
        previous: Hash of the record before, as kept beside it.
        hash: Its own, as kept beside it.
    """

    sequence: int
    text: bytes
    previous: str
    hash: str


@dataclass(frozen=True)
class Broken:
    """The first record that is not what was written.

    Attributes:
        sequence: Its place; of deleted records that of the first.
        kind: What was done to it.
        why: How that shows, as the end of a sentence that begins with the record.
    """

    sequence: int
    kind: Breach
    why: str

    def __str__(self) -> str:
        return f"R{self.sequence} {self.why}"


@dataclass(frozen=True)
class Head:
    """The last record of a chain that holds, now or when it was anchored: its sequence (0 for none) and its hash."""

    sequence: int
    hash: str


def walk(
    records: Iterable[Stored],
    anchors: Iterable[Head] = (),
    *,
    see: Callable[[Mapping[str, Any]], None] | None = None,
) -> Head | Broken:
    """Follow the chain from its beginning.

    Whoever writes all records anew makes a chain that holds; only an anchor, kept elsewhere, tells it from the first.

    Args:
        records: In the order of their sequence.
        anchors: Heads that the chain had before.
        see: Is given each record that holds, as JSON's types.

    Returns:
        The head, or the first record that breaks the chain.
    """
    stream = iter(records)
    way = _Way()
    wanted = {one.sequence: one.hash for one in anchors}
    anchored = 0
    for one in stream:
        plain = way.add(one, stream)
        if isinstance(plain, Broken):
            return plain
        if one.sequence in wanted:
            if wanted[one.sequence] != one.hash:
                return _rewritten(one, anchored)
            anchored = one.sequence
        if see is not None:
            see(plain)
    last = max(wanted, default=0)
    return _rolled_back(way.head, last) if last > way.head.sequence else way.head


def _rewritten(one: Stored, anchored: int) -> Broken:
    since = f"R{anchored} still is what it was" if anchored else "no earlier record is anchored"
    why = f"is not the record that was anchored: it or one before it was written anew ({since})"
    return Broken(one.sequence, "rewritten", why)


def _rolled_back(head: Head, last: int) -> Broken:
    end = f"ends with R{head.sequence}" if head.sequence else "is empty"
    why = f"is missing, though R{last} is anchored: the ledger {end}, as an old backup does, or one whose end was cut"
    return Broken(head.sequence + 1, "rolled back", why)


@dataclass
class _Way:
    """The part of a chain that holds so far, with the digest of each record in it (32 bytes each)."""

    head: Head = Head(0, BEGINNING)
    digests: bytearray = field(default_factory=bytearray)

    def add(self, one: Stored, rest: Iterator[Stored]) -> Mapping[str, Any] | Broken:
        """A further record, or what is wrong with it; for that the rest is read."""
        place = self.head.sequence + 1
        if one.sequence != place:
            return self._gap(one, rest)
        plain = _content(one)
        if isinstance(plain, str):
            return Broken(place, "changed", f"was changed: {plain}")
        if plain["sequence"] != place:
            return self._out_of_place(one, plain, rest)
        if plain["previous"] != self.head.hash:
            return self._does_not_follow(one, rest)
        if one.previous != plain["previous"]:
            return Broken(place, "changed", "was changed: beside it is kept another previous hash than the one inside")
        self.head = Head(place, one.hash)
        self.digests += bytes.fromhex(one.hash)
        return plain

    def _gap(self, one: Stored, rest: Iterator[Stored]) -> Broken:
        place = self.head.sequence + 1
        if one.sequence < place:
            return Broken(one.sequence, "inserted", "was inserted: there are two of it")
        elsewhere = self._elsewhere(chain([one], rest))
        if elsewhere is not None:
            return Broken(place, "re-ordered", f"was moved: it stands in the place of R{elsewhere}")
        if one.sequence == place + 1:
            return Broken(place, "deleted", f"was deleted: after R{self.head.sequence} comes R{one.sequence}")
        many = f"was deleted with what follows: after R{self.head.sequence} comes R{one.sequence}"
        return Broken(place, "deleted", many)

    def _out_of_place(self, one: Stored, plain: Mapping[str, Any], rest: Iterator[Stored]) -> Broken:
        """A record, whole in itself, stands where another was."""
        place, own = self.head.sequence + 1, plain["sequence"]
        if 1 <= own < place:
            # Where it follows what stands before its own place, what stands in its own place pushed it on.
            if plain["previous"] == self._hash_of(own - 1) and one.hash != self._hash_of(own):
                return Broken(own, "inserted", f"was inserted: the R{own} that was written stands in place {place}")
            return Broken(place, "inserted", f"was inserted: it says of itself that it is R{own}")
        elsewhere = self._elsewhere(rest)
        if elsewhere is not None:
            return Broken(place, "re-ordered", f"was moved: in its place stands R{own}, and it in that of R{elsewhere}")
        return Broken(place, "deleted", f"was deleted: in its place stands the record that was written as R{own}")

    def _does_not_follow(self, one: Stored, rest: Iterator[Stored]) -> Broken:
        """It names another hash for the record before; of the two that one is true which the next record names."""
        following = next(rest, None)
        vouched = following is None or _claim(following)[1] == one.hash
        if vouched and self.head.sequence:
            why = f"was changed and its hash made anew: R{one.sequence}, written after it, names another hash of it"
            return Broken(self.head.sequence, "changed", why)
        after = f"R{self.head.sequence}" if self.head.sequence else "the beginning"
        return Broken(one.sequence, "changed", f"was changed and its hash made anew: it does not follow from {after}")

    def _elsewhere(self, rest: Iterator[Stored]) -> int | None:
        """Where the record stands now that should come next."""
        wanted = (self.head.sequence + 1, self.head.hash)
        return next((one.sequence for one in rest if _claim(one) == wanted), None)

    def _hash_of(self, sequence: int) -> str:
        """Of a record that holds, or of the beginning."""
        return BEGINNING if sequence == 0 else self.digests[32 * (sequence - 1) : 32 * sequence].hex()


def _content(one: Stored) -> Mapping[str, Any] | str:
    """What a record says, or why it does not say it any more."""
    if hashlib.sha256(one.text).hexdigest() != one.hash:
        return "its content has another hash than the one kept beside it"
    try:
        return parsed(one.text)
    except ValueError as error:
        return str(error)


def _claim(one: Stored) -> tuple[int, str]:
    """Which place a record says that it has, and which hash comes before; nonsense where it cannot be read."""
    try:
        plain = parsed(one.text)
    except ValueError:
        return 0, ""
    return plain["sequence"], plain["previous"]
