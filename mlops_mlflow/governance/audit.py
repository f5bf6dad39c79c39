"""Whether the ledger and the registry can be believed: verify, anchor, export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.chain import Broken, Head, walk
from mlops_mlflow.core.ledger.history import Move
from mlops_mlflow.core.ledger.reconcile import Unexplained, unexplained
from mlops_mlflow.core.ledger.record import Record
from mlops_mlflow.core.ledger.replay import history
from mlops_mlflow.core.policy.words import moment
from mlops_mlflow.governance.shelf import Registry, Shelf
from mlops_mlflow.governance.signing import Anchor, SigningError, append, key_id, private_key, read_anchors, short, sign
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import Tracker


class LedgerBrokenError(RegistryError):
    """The ledger is not what was written."""

    exit_code = 1


@dataclass(frozen=True)
class Report:
    """What an audit found.

    Attributes:
        place: Of the registry, without a password.
        enforced: Whether the registry is bound to the policy.
        head: The last record, where the chain holds.
        time: Of that record, milliseconds since 1970; 0 where there is none.
        broken: The first record that is not what was written.
        models: Governed models that were looked at.
        unexplained: What their ledger cannot explain; nothing is looked at where the chain is broken.
        ungoverned: Models of which the ledger knows nothing.
        anchor: The newest signed head that the chain was held against.
    """

    place: str
    enforced: bool
    head: Head | None
    time: int
    broken: Broken | None
    models: tuple[str, ...]
    unexplained: tuple[Unexplained, ...]
    ungoverned: tuple[str, ...]
    anchor: Anchor | None

    @property
    def found_something(self) -> bool:
        """Whether somebody has to look."""
        return self.broken is not None or bool(self.unexplained)

    def to_plain(self) -> dict[str, Any]:
        """As JSON's types."""
        broken = self.broken and {"sequence": self.broken.sequence, "kind": self.broken.kind, "why": self.broken.why}
        return {
            "place": self.place,
            "enforced": self.enforced,
            "whole": self.broken is None,
            "records": self.head.sequence if self.head else None,
            "head": self.head.hash if self.head else None,
            "broken": broken,
            "models": list(self.models),
            "unexplained": [vars(one) for one in self.unexplained],
            "not_governed": list(self.ungoverned),
            "anchor": None if self.anchor is None else json.loads(self.anchor.line),
        }


def verify(
    registry: Registry, *, model: str = "", registered: Iterable[str] = (), anchors: Sequence[Anchor] = ()
) -> Report:
    """Follow the whole ledger, and hold the registry against it.

    Args:
        registry: Where both are.
        model: Look at this model only; at all when left out. The ledger is followed in any case.
        registered: Names of all registered models, to tell which are not governed.
        anchors: Signed heads of this ledger, oldest first.

    Raises:
        RegistryError: The registry cannot be read, or knows no such model.
    """
    seen = _Seen({})
    end = walk(registry.stored(), [one.head for one in anchors], see=seen.add)
    whole = isinstance(end, Head)
    known = set(seen.moves) | (set(registry.governed()) if whole else set())
    wanted = {model} if model else known | set(registered)
    if model and model not in known:
        _check_exists(registry.shelf(model), registered)
    models = tuple(sorted(wanted & known))
    found: list[Unexplained] = []
    if whole:
        for name in models:
            found += _of_model(registry.shelf(name), seen.moves.get(name, []))
    return Report(
        registry.place,
        registry.enforced,
        end if isinstance(end, Head) else None,
        seen.last,
        None if isinstance(end, Head) else end,
        models,
        tuple(found),
        tuple(sorted(wanted - known)),
        anchors[-1] if anchors else None,
    )


@dataclass
class _Seen:
    """What the chain itself says, whatever an index of the database says: moves by model, and the last time."""

    moves: dict[str, list[Move]]
    last: int = 0

    def add(self, plain: Mapping[str, Any]) -> None:
        self.last = int(plain["time"])
        moves = self.moves.setdefault(str(plain["model"]), [])
        if plain["details"].get("moves"):
            moves += history([Record.from_plain(plain)]).moves


def _check_exists(shelf: Shelf, registered: Iterable[str]) -> None:
    if not shelf.versions and shelf.name not in registered:
        raise RegistryError(
            f"there is no model {shelf.name}",
            expected="a use case's folder, or the name of a registered model",
            got=shelf.name,
            hint="`mlops audit verify` without a name looks at all models",
        )


def _of_model(shelf: Shelf, moves: Sequence[Move]) -> Iterator[Unexplained]:
    """What cannot be explained of one model; records that came meanwhile may be more than were followed."""
    if list(shelf.history.moves[: len(moves)]) != list(moves):
        yield Unexplained(
            shelf.name,
            "",
            "no record",
            f"{len(moves)} moves, as the chain has them",
            "others: the database gives this model other records than are in the chain",
            "the ledger's table was rebuilt: restore it from a backup",
        )
    yield from unexplained(shelf.name, shelf.versions, shelf.aliases, shelf.history)


def anchor(registry: Registry, file: Path, key: Path, *, replaced: Path | None = None, now: int) -> Anchor:
    """Verify the ledger, and write its signed head behind the others of a file.

    Args:
        registry: Where the ledger is.
        file: Outside of the database, made when it is not there.
        key: The private key's file.
        replaced: That of the key which this one replaces.
        now: Milliseconds since 1970.

    Raises:
        SigningError: A key or the file cannot be used, or the file is signed by another key.
        LedgerBrokenError: The ledger is not what was written, or not what was anchored.
        RegistryError: The ledger has no records.
    """
    signer, old = private_key(key), private_key(replaced) if replaced else None
    before = read_anchors(file) if file.exists() else ()
    _check_signer(file, before, key_id(signer), key_id(old) if old else "")
    end = walk(registry.stored(), [one.head for one in before])
    if isinstance(end, Broken):
        raise LedgerBrokenError(
            f"the ledger in {registry.place} is not to be trusted: {end}",
            expected="a whole ledger: only such a one is signed",
            hint="`mlops audit verify --anchor FILE --public-key PUB` says the same to those who have to know",
        )
    if not end.sequence:
        raise RegistryError(
            f"the ledger in {registry.place} has no records", expected="something to sign", hint="anchor it later"
        )
    made = sign(end, now, registry.place, signer, replaced=old)
    append(file, made)
    return made


def _check_signer(file: Path, before: Sequence[Anchor], key: str, old: str) -> None:
    last = before[-1].key if before else ""
    if old and old != last:
        raise SigningError(
            f"{file} is not signed by the key that is to be replaced",
            expected=f"key {short(old)}",
            got=f"key {short(last)}" if last else "a file without anchors",
            hint="give the key that signed the last line, or none for a new file",
        )
    if last and not old and key != last:
        raise SigningError(
            f"{file} is signed by another key",
            expected=f"key {short(last)}",
            got=f"key {short(key)}",
            hint="`--replaces OLD_KEY` goes on with a new key; without the old one begin a new file",
        )


def export(registry: Registry, *, model: str = "", after: int = 0) -> Iterator[bytes]:
    """Records as lines of canonical JSON, each with its hash; nothing is verified.

    Args:
        registry: Where they are.
        model: Only those of this model; all when left out.
        after: Only those after this sequence.

    Raises:
        RegistryError: A record is not JSON any more.
    """
    import rfc8785

    for one in registry.stored(after):
        try:
            plain = json.loads(one.text)
            if not model or plain["model"] == model:
                yield rfc8785.dumps({**plain, "hash": one.hash})
        except (ValueError, TypeError, KeyError) as error:
            raise RegistryError(
                f"record {one.sequence} of the ledger cannot be read",
                expected="a record as this program writes it",
                got=type(error).__name__,
                hint="`mlops audit verify` tells what was changed",
            ) from error


def registered_models(tracker: Tracker) -> tuple[str, ...]:
    """Names of all models of the registry, governed or not.

    Raises:
        RegistryError: It cannot be read.
    """
    found: list[str] = []
    token = None
    with translated("list the registered models", uri=tracker.shown_uri, kind=RegistryError):
        while True:
            page = tracker.client.search_registered_models(max_results=1000, page_token=token)
            found += [str(one.name) for one in page]
            token = page.token
            if not token:
                return tuple(found)


def told(report: Report) -> str:
    """For people: four answers, then what there is to do."""
    lines = [_ledger(report), _registry(report), _anchor(report)]
    if report.ungoverned:
        names = ", ".join(report.ungoverned[:5]) + (", …" if len(report.ungoverned) > 5 else "")
        lines.append(f"not governed  {_count(len(report.ungoverned), 'model')}: {names}")
    if not report.enforced:
        lines.append(
            "not enforced  only a plain server is in reach: whoever may write there is not bound to the policy"
        )
    for one in report.unexplained:
        name = f"{one.model} version {one.version}" if one.version else one.model
        lines += ["", f"{name}: {one.what}", f"  expected  {one.expected}", f"  found     {one.found}"]
        lines.append(f"  do        {one.todo}")
    return "\n".join(lines)


def _ledger(report: Report) -> str:
    if report.broken is not None:
        return f"ledger        BROKEN: {report.broken}"
    count = report.head.sequence if report.head else 0
    since = f", the last of {moment(report.time)}" if count else ""
    return f"ledger        whole: {_count(count, 'record')}{since}"


def _registry(report: Report) -> str:
    count = _count(len(report.models), "model")
    if report.broken is not None:
        return "registry      not compared: such a ledger explains nothing"
    if report.unexplained:
        concerned = len({one.model for one in report.unexplained})
        what = _count(len(report.unexplained), "thing")
        return f"registry      NOT EXPLAINED: {what} in {concerned} of {count}"
    return f"registry      as the ledger says: {count}"


def _anchor(report: Report) -> str:
    if report.anchor is None:
        return "anchor        none given: an old backup, or a ledger written anew, would not show"
    one = report.anchor
    signed = f"R{one.head.sequence} of {moment(one.time)}, signed by {short(one.key)}"
    if report.head is not None:
        return f"anchor        holds: {signed}; {_count(report.head.sequence - one.head.sequence, 'record')} since"
    moved = f"; it was signed for {one.place}, and this is {report.place}" if one.place != report.place else ""
    return f"anchor        {signed}{moved}"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
