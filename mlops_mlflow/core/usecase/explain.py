"""Pydantic's errors, told in the words of the file that they are about, and at its lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mlops_mlflow.core.usecase.base import MISPLACED, Section
from mlops_mlflow.core.usecase.kind import USE_CASE, FileKind
from mlops_mlflow.core.usecase.problems import Problem, closest, did_you_mean
from mlops_mlflow.core.usecase.yaml_tree import Path, Tree, dotted

Location = tuple[int | str, ...]

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "a section with keys",
    "union_tag_invalid": "a section with keys",
    "too_short": "at least one entry",
    "string_too_short": "some text",
}
_PATTERNS = {
    "estimator": "an import path such as sklearn.linear_model.LogisticRegression",
    "module": "a Python file beside the use case, such as features.py",
    "extract": "a SQL file in the folder of the use case, such as extract.sql",
    "": "letters, digits, `_` and `-`, a letter first, at most 64",
}
_WORDS_OF_OTHERS = {"yes", "no", "on", "off", "y", "n"}


def explain(error: ValidationError, tree: Tree, kind: FileKind[Any] = USE_CASE) -> tuple[Problem, ...]:
    """Problems of a file that the models refused.

    Args:
        error: From validating ``tree.root`` as the model of its kind.
        tree: Values and places of the file.
        kind: Of file.

    Returns:
        One problem per place: of a union, only what is left of it.
    """
    return _Explaining(kind, tree).problems(error)


@dataclass(frozen=True)
class _Explaining:
    kind: FileKind[Any]
    tree: Tree

    def problems(self, error: ValidationError) -> tuple[Problem, ...]:
        apart: dict[tuple[str, Path], list[ErrorDetails]] = {}
        misspelt: set[Path] = set()
        for details in error.errors(include_url=False):
            kind = details["type"] if details["type"] in {"missing", "extra_forbidden"} else ""
            path = _path(details["loc"], self.tree.root)
            if details["type"] == "too_short" and _at(path, self.tree.root):
                continue  # entries that are wrong do not count; they are told by themselves
            if kind == "missing" and isinstance(details["loc"][-1], int):
                apart["", path] = [details]  # a list that is too short; the last entry that it lacks tells its length
                continue
            if kind == "missing":
                path = (*path, details["loc"][-1])
            if kind == "extra_forbidden" and (meant := closest(str(path[-1]), self._keys(details["loc"][:-1]))):
                misspelt.add((*path[:-1], meant))
            apart.setdefault((kind, path), []).append(details)
        return tuple(
            self._problem(kind, path, group)
            for (kind, path), group in apart.items()
            if kind != "missing" or path not in misspelt
        )

    def _problem(self, kind: str, path: Path, group: list[ErrorDetails]) -> Problem:
        places = self.tree.places
        if kind == "missing":
            return self._missing(path)
        if kind == "extra_forbidden":
            return self._unknown(path, group[0]["loc"])
        first = group[0]
        if first["type"] == MISPLACED:
            context = first["ctx"]
            path = (*path, *context["path"])
            return Problem(places.value(*path), f"`{self._dotted(path)}`: {context['message']}")
        if first["type"] == "value_error" and not str(first["ctx"]["error"]).startswith("expected "):
            return Problem(places.value(*path), f"`{self._dotted(path)}`: {first['ctx']['error']}")
        if first["loc"][-1] == "[key]":
            expected = "some text" if first["type"] == "string_too_short" else f"a name of {_PATTERNS['']}"
            return Problem(places.key(*path), f"`{self._dotted(path)}`: expected {expected}")
        return self._wrong(path, group)

    def _missing(self, path: Path) -> Problem:
        *section, name = path
        where = f"`{self._dotted(tuple(section))}`" if section else f"the {self.kind.name}"
        place = self.tree.places.key(*section)
        return Problem(place, f"{where} needs `{name}`; add it to the section that begins here")

    def _unknown(self, path: Path, loc: Location) -> Problem:
        *section, key = path
        where = f"`{self._dotted(tuple(section))}`" if section else f"the {self.kind.name}"
        keys = self._keys(loc[:-1])
        hint = did_you_mean(str(key), keys) or self._elsewhere(str(key))
        place = self.tree.places.key(*path)
        return Problem(place, f"`{key}` is not a key of {where}{hint}; its keys are {', '.join(keys)}")

    def _keys(self, loc: Location) -> list[str]:
        """Keys that the section at a location may have."""
        model = _model_at(self.kind.model, loc)
        return list(model.model_fields) if model else []

    def _elsewhere(self, key: str) -> str:
        """Where a key belongs that exists, but not here."""
        top = self.kind.model.model_fields
        homes = [name for name in top if key in self._keys((name,))]
        if key in top:
            return " (it belongs at the top level)"
        return f" (it belongs under `{homes[0]}`)" if len(homes) == 1 else ""

    def _wrong(self, path: Path, group: list[ErrorDetails]) -> Problem:
        value = _at(path, self.tree.root)
        expected = list(dict.fromkeys(self._expected(details, path) for details in group))
        got = "" if path[:1] == ("sources",) and "sql" in path else f", got {_shown(value)}"
        message = f"`{self._dotted(path)}`: expected {' or '.join(expected)}{got}{_surprise(value, expected)}"
        return Problem(self.tree.places.value(*path), message)

    def _expected(self, details: ErrorDetails, path: Path) -> str:
        kind, message = details["type"], details["msg"]
        if kind == "string_pattern_mismatch":
            return _PATTERNS.get(str(path[-1]), _PATTERNS[""])
        if kind == "missing":
            return f"at least {int(details['loc'][-1]) + 1} entries"
        if kind == "model_type" and (keys := self._keys(details["loc"])):
            return f"a section with keys ({', '.join(keys)})"
        if kind == "too_long":
            return f"at most {details['ctx']['max_length']} entries"
        if kind == "value_error":
            message = str(details["ctx"]["error"])
        short = message.removeprefix("Input should be ").removeprefix("a valid ").removeprefix("expected ")
        return _EXPECTED.get(kind, short)

    def _dotted(self, path: Path) -> str:
        return dotted(path) or f"the {self.kind.name}"


def _surprise(value: Any, expected: list[str]) -> str:
    """Why a value is not what it looks like."""
    if value is None:
        return "; fill it in, or leave the key out where it has a default"
    if "text" in expected and isinstance(value, bool | int | float):
        return f"; put it in quotes if it is meant as text: '{_shown(value)}'"
    if "true or false" in expected and str(value).lower() in _WORDS_OF_OTHERS:
        return "; yes, no, on and off are plain words here"
    if isinstance(value, str) and any("number" in each for each in expected):
        return "; numbers are written without quotes, and as 0.001 or 1e-3"
    if isinstance(value, str | int | float) and "a list" in expected:
        return "; put it in brackets: [...]"
    return ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a section" if isinstance(value, dict) else f"a list of {len(value)}"
    text = f"`{value}`" if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _path(loc: Location, value: Any) -> Path:
    """The part of pydantic's location that stands in the file; it also names the arms of unions."""
    path: list[int | str] = []
    for step in loc:
        steps = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if step in steps:
            path.append(step)
            value = value[step]
    return tuple(path)


def _at(path: Path, value: Any) -> Any:
    for step in path:
        value = value[step]
    return value


def _model_at(whole: type[Section], loc: Location) -> type[Section] | None:
    """The model of the section at a location; None where there is no one model."""
    annotation: Any = whole
    for step in loc:
        annotation = next(_inside(annotation, step), None)
    return next(_sections(annotation), None)


def _inside(annotation: Any, step: int | str) -> Iterator[Any]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        if step in annotation.model_fields:
            yield annotation.model_fields[str(step)].annotation
        return
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        named = [each for each in arguments if next(_sections(each), Section).__name__ == step]
        yield from named or (found for each in arguments for found in _inside(each, step))
    elif get_origin(annotation) is Annotated:
        yield from _inside(arguments[0], step)
    elif arguments:
        yield arguments[-1] if get_origin(annotation) is dict else arguments[0]


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType, Annotated):
        for each in get_args(annotation):
            yield from _sections(each)
