"""Content keys: what decides a result, part by part, and what changed between two of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = "null"
LONGEST = 60
"""Values up to so many characters stand in a key as they are, so that a change can be told; longer ones as a digest."""


@dataclass(frozen=True)
class Key:
    """What decides a result.

    Attributes:
        parts: Name of each part, and its value or the digest of it.
    """

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """32 hexadecimal digits; equal parts give equal digests, whatever their order."""
        return digest(dict(self.parts))[:32]

    def to_json(self, longest: int) -> str:
        """The parts that say something, as JSON of at most so many characters; what is too long is told by section."""
        parts = {name: value for name, value in self.parts.items() if value != NOTHING}
        while len(text := json.dumps(parts, sort_keys=True)) > longest:
            depth = max(name.count(".") for name in parts)
            if depth == 0:
                # Too many sections even so: what is left can be compared as a whole only.
                return json.dumps({"everything": self.digest})
            parts = _merged(parts, depth)
        return text


@dataclass(frozen=True)
class Change:
    """A part that differs; None where one side has no such part."""

    part: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.part} is new"
        if self.after is None:
            return f"{self.part} is gone"
        if self.before.startswith("#") or self.after.startswith("#"):
            return f"{self.part} changed"
        return f"{self.part}: {self.before} → {self.after}"


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """Parts that differ, in the order of ``after``, then those that are gone."""
    names = [*after, *(name for name in before if name not in after)]
    return [Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A value of a use case as named parts, one for each leaf: ``tuning.trials`` and ``8``."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            plain = isinstance(key, str) and "." not in key and "[" not in key
            yield from flat(f"{name}.{key}" if plain else f"{name}[{key!r}]", inner)
    else:
        yield name, told(value)


def told(value: Any) -> str:
    """A value as it stands in a key; values that differ, also in type only, never stand alike."""
    text = value if isinstance(value, str) and not _is_json(value) else json.dumps(_canonical(value), sort_keys=True)
    short = len(text) <= LONGEST and not text.startswith("#") and "\n" not in text
    return text if short else f"#{digest(text)[:16]}"


def _is_json(text: str) -> bool:
    """Whether a text could be taken for another value: ``500``, ``true``, ``"a"``."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _canonical(value: Any) -> Any:
    """A value as JSON's types, with whatever JSON does not know by its name."""
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: _canonical(inner) for key, inner in value.items()}
        return {"items of": sorted(([repr(key), _canonical(inner)] for key, inner in value.items()), key=str)}
    if isinstance(value, (list, tuple)):
        return [_canonical(inner) for inner in value]
    return value if value is None or isinstance(value, (str, bool, int, float)) else repr(value)


def digest(value: Any) -> str:
    """SHA-256 of a value of JSON's types, as hexadecimal text."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _merged(parts: Mapping[str, str], depth: int) -> dict[str, str]:
    """The same with the deepest leaves of each section as one digest."""
    groups: dict[str, dict[str, str]] = {}
    for name, value in parts.items():
        section = name.rpartition(".")[0] if name.count(".") == depth else name
        groups.setdefault(section, {})[name] = value
    return {
        section: inside[section] if list(inside) == [section] else f"#{digest(inside)[:16]}"
        for section, inside in groups.items()
    }
