"""Pydantic's errors, told in the words of the use case file and at its lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mlops_mlflow.core.usecase.base import MISPLACED, Section
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.problems import Problem, closest, did_you_mean
from mlops_mlflow.core.usecase.yaml_tree import Path, Places, Tree

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


def explain(error: ValidationError, tree: Tree) -> tuple[Problem, ...]:
    """Problems of a file that the models refused.

    Args:
        error: From validating ``tree.root`` as a ``UseCaseSpec``.
        tree: Values and places of the file.

    Returns:
        One problem per place: of a union, only what is left of it.
    """
    apart: dict[tuple[str, Path], list[ErrorDetails]] = {}
    misspelt: set[Path] = set()
    for details in error.errors(include_url=False):
        kind = details["type"] if details["type"] in {"missing", "extra_forbidden"} else ""
        path = _path(details["loc"], tree.root)
        if details["type"] == "too_short" and _at(path, tree.root):
            continue  # entries that are wrong do not count; they are told by themselves
        if kind == "missing" and isinstance(details["loc"][-1], int):
            apart["", path] = [details]  # a list that is too short; the last entry that it lacks tells its length
            continue
        if kind == "missing":
            path = (*path, details["loc"][-1])
        if kind == "extra_forbidden" and (meant := closest(str(path[-1]), _keys(details["loc"][:-1]))):
            misspelt.add((*path[:-1], meant))
        apart.setdefault((kind, path), []).append(details)
    return tuple(
        _problem(kind, path, group, tree)
        for (kind, path), group in apart.items()
        if kind != "missing" or path not in misspelt
    )


def _problem(kind: str, path: Path, group: list[ErrorDetails], tree: Tree) -> Problem:
    if kind == "missing":
        return _missing(path, tree.places)
    if kind == "extra_forbidden":
        return _unknown(path, group[0]["loc"], tree.places)
    first = group[0]
    if first["type"] == MISPLACED:
        context = first["ctx"]
        path = (*path, *context["path"])
        return Problem(tree.places.value(*path), f"`{_dotted(path)}`: {context['message']}")
    if first["type"] == "value_error" and not str(first["ctx"]["error"]).startswith("expected "):
        return Problem(tree.places.value(*path), f"`{_dotted(path)}`: {first['ctx']['error']}")
    if first["loc"][-1] == "[key]":
        return Problem(tree.places.key(*path), f"`{_dotted(path)}`: expected a name of {_PATTERNS['']}")
    return _wrong(path, group, tree)


def _missing(path: Path, places: Places) -> Problem:
    *section, name = path
    where = f"`{_dotted(tuple(section))}`" if section else "the use case"
    return Problem(places.key(*section), f"{where} needs `{name}`; add it to the section that begins here")


def _unknown(path: Path, loc: tuple[int | str, ...], places: Places) -> Problem:
    *section, key = path
    where = f"`{_dotted(tuple(section))}`" if section else "the use case"
    keys = _keys(loc[:-1])
    hint = did_you_mean(str(key), keys) or _elsewhere(str(key))
    return Problem(places.key(*path), f"`{key}` is not a key of {where}{hint}; its keys are {', '.join(keys)}")


def _keys(loc: tuple[int | str, ...]) -> list[str]:
    """Keys that the section at a location may have."""
    model = _model_at(loc)
    return list(model.model_fields) if model else []


def _elsewhere(key: str) -> str:
    """Where a key belongs that exists, but not here."""
    homes = [name for name in UseCaseSpec.model_fields if key in _keys((name,))]
    if key in UseCaseSpec.model_fields:
        return " (it belongs at the top level)"
    return f" (it belongs under `{homes[0]}`)" if len(homes) == 1 else ""


def _wrong(path: Path, group: list[ErrorDetails], tree: Tree) -> Problem:
    value = _at(path, tree.root)
    expected = list(dict.fromkeys(_expected(details, path) for details in group))
    got = "" if path[:1] == ("sources",) and "sql" in path else f", got {_shown(value)}"
    message = f"`{_dotted(path)}`: expected {' or '.join(expected)}{got}{_surprise(value, expected)}"
    return Problem(tree.places.value(*path), message)


def _expected(details: ErrorDetails, path: Path) -> str:
    kind, message = details["type"], details["msg"]
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(path[-1]), _PATTERNS[""])
    if kind == "missing":
        return f"at least {int(details['loc'][-1]) + 1} entries"
    if kind == "model_type" and (keys := _keys(details["loc"])):
        return f"a section with keys ({', '.join(keys)})"
    if kind == "too_long":
        return f"at most {details['ctx']['max_length']} entries"
    if kind == "value_error":
        message = str(details["ctx"]["error"])
    short = message.removeprefix("Input should be ").removeprefix("a valid ").removeprefix("expected ")
    return _EXPECTED.get(kind, short)


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


def _dotted(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "the use case"


def _path(loc: tuple[int | str, ...], value: Any) -> Path:
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


def _model_at(loc: tuple[int | str, ...]) -> type[Section] | None:
    """The model of the section at a location; None where there is no one model."""
    annotation: Any = UseCaseSpec
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
