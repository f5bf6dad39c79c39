"""YAML text as plain values, with the line and column of each kept.

Unquoted words are read as JSON and YAML 1.2 read them, as editors do: ``true`` and ``false`` are the only booleans,
``1e-3`` is a number, and ``no``, ``on``, ``010``, ``1_000``, ``12:30`` and ``2013-01-01`` stay text. So an outcome
called ``no`` or a state called ``NO`` is what the file shows, and the models decide what a date is.

The tree is built from the parser's events: one walk that keeps places, sees duplicate keys, and stops early at files
that are deep or large, or that grow large through aliases.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from mlops_mlflow.core.errors import Place
from mlops_mlflow.core.usecase.kind import USE_CASE, FileKind
from mlops_mlflow.core.usecase.problems import Problem

LONGEST, DEEPEST, LARGEST = 1_000_000, 40, 50_000
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """A path as messages show it: ``candidates.linear.space``, ``success[0].metric``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@dataclass(frozen=True)
class Places:
    """Where each key and each value stands; what a file leaves out stands where the section does that lacks it.

    Attributes:
        file: Path as the user wrote it.
        keys: Place of a key, by the path of its value.
        values: Place of a value.
    """

    file: str
    keys: Mapping[Path, Place]
    values: Mapping[Path, Place]

    def value(self, *path: str | int) -> Place:
        """Where the value stands; of a section that begins below its key, where the key does."""
        key, value = self.key(*path), self.values.get(path)
        return value if value and value.line == key.line else key

    def key(self, *path: str | int) -> Place:
        """Where the key stands; for an item of a list, where the item does."""
        while path:
            if found := self.keys.get(path) or self.values.get(path):
                return found
            path = path[:-1]
        return self.values.get((), Place(self.file, 1, 1))


@dataclass(frozen=True)
class Tree:
    """A file as dicts, lists, texts, numbers, booleans and None.

    Attributes:
        root: The mapping at the top.
        places: Where everything stands.
    """

    root: dict[str, Any]
    places: Places


def read_tree(text: str, *, file: str, kind: FileKind[Any] = USE_CASE) -> Tree:
    """Read one YAML document whose top is a mapping.

    Args:
        text: The file's content.
        file: Its path, for messages.
        kind: What it should be, for messages and their error.

    Returns:
        Values and places.

    Raises:
        InvalidFile: Not YAML, not one mapping, duplicate keys, tags, merge keys, or too long, deep or large.
    """
    try:
        return _tree(text, file, kind)
    except _Refused as refused:
        raise kind.error(refused.problems) from None


def _tree(text: str, file: str, kind: FileKind[Any]) -> Tree:
    if len(text) > LONGEST:
        _refuse(Place(file, 1, 1), f"has {len(text):,} characters; expected a {kind.name} of at most {LONGEST:,}")
    reader = _Reader(text, file)
    try:
        root = reader.document()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        _refuse(Place(file, mark.line + 1, mark.column + 1), _syntax(error))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        _refuse(place, "a character that text does not have; save the file as UTF-8 without control characters")
    if reader.problems:
        raise _Refused(*reader.problems)
    places = Places(file, reader.keys, reader.values)
    if not isinstance(root, dict):
        got = "nothing" if root is None else "a list" if isinstance(root, list) else "a single value"
        first, second = kind.keys
        _refuse(places.key(), f"expected keys such as `{first}:` and `{second}:`, got {got}")
    return Tree(root, places)


class _Refused(Exception):
    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


def _refuse(place: Place, message: str) -> NoReturn:
    raise _Refused(Problem(place, message)) from None


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = f"not YAML: {error.problem or error.context}"
    if "\\t" in problem:
        return f"{problem}; indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return f"{problem}; a text that contains `: ` needs quotes, and keys of one section the same indentation"
    if "undefined alias" in problem:
        return f"{problem}; an anchor (`&name`) has to be complete before it is used"
    return f"{problem}; look at the indentation and the quotes of this line and the one before"


class _Reader:
    """One walk over the parser's events."""

    def __init__(self, text: str, file: str) -> None:
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = 0

    def document(self) -> Any:
        root: Any = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    _refuse(self._place(event), "a second document begins here (`---`); expected one document per file")
                root = self._node(next(self._events), ())
        return root

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, path: Path) -> Any:
        place = self.values[path] = self._place(event)
        if len(path) > DEEPEST:
            _refuse(place, f"is nested more than {DEEPEST} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if event.tag not in (None, "!"):
            _refuse(
                place, f"tags such as `{event.tag[:40]}` are not read; write the plain value, in quotes if it is text"
            )
        before = self._size
        self._grow(1, place)
        value = self._content(event, path)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._size - before)
        return value

    def _content(self, event: Any, path: Path) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items = self._until(yaml.SequenceEndEvent)
            return [self._node(item, (*path, number)) for number, item in enumerate(items)]
        section: dict[str, Any] = {}
        for key_event in self._until(yaml.MappingEndEvent):
            place = self._place(key_event)
            key = self._key(key_event)
            if key in section:
                first = self.keys[(*path, key)].line
                self.problems.append(
                    Problem(place, f"`{key}` stands twice, on lines {first} and {place.line}; keep one")
                )
            else:
                self.keys[(*path, key)] = place
            section[key] = self._node(next(self._events), (*path, key))
        return section

    def _until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag not in (None, "!"):
            _refuse(self._place(event), "a key has to be a plain word, and is followed by `: `")
        if event.value == "<<" and event.implicit[0]:
            _refuse(self._place(event), "merge keys (`<<`) are not read; write the keys out, or alias a whole value")
        return self._text(event)

    def _text(self, event: Any) -> str:
        text: str = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            _refuse(self._place(event), "half of a surrogate pair (`\\ud800` to `\\udfff`) is not a character")
        return text

    def _scalar(self, event: Any) -> bool | int | float | str | None:
        text = self._text(event)
        if not event.implicit[0] or event.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if not _WHOLE.fullmatch(text) and not _NUMBER.fullmatch(text):
            return text
        number = int(text) if len(text) < 40 and _WHOLE.fullmatch(text) else float(text)
        if not math.isfinite(number):
            _refuse(self._place(event), "is too large a number; quote it if it is text")
        return number

    def _alias(self, event: Any, path: Path) -> Any:
        if event.anchor not in self._anchors:
            _refuse(
                self._place(event),
                f"no value before this one is called `&{event.anchor}`; an anchor has to be complete",
            )
        value, size = self._anchors[event.anchor]
        self._grow(size, self.values[path])
        if len(path) + _height(value) > DEEPEST:
            _refuse(self.values[path], f"is nested more than {DEEPEST} levels deep")
        return value

    def _grow(self, by: int, place: Place) -> None:
        self._size += by
        if self._size > LARGEST:
            _refuse(place, f"the file holds more than {LARGEST:,} values from here on, aliases counted")


def _height(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_height, value.values()), default=0)
    return 1 + max(map(_height, value), default=0) if isinstance(value, list) else 0
