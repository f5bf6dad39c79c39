"""The code that decides what a stage gives: its module, and the project's modules and the libraries that it imports."""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = ROOT.name
NOT_DECIDING = frozenset({"click", "pydantic", "pydantic_core", "rich", "sqlalchemy", "yaml"})
"""They parse and show; what was parsed, and what a database gave, stands in the key itself."""
BESIDE = {
    "prepare": (f"{PROJECT}.learning.columns",),  # copied into the code of every model
    "train": (f"{PROJECT}.tracking.models",),
    "evaluate": (f"{PROJECT}.tracking.models",),
    "validate": (f"{PROJECT}.tracking.models", f"{PROJECT}.learning.decide"),
}
"""Modules that have a part in the result though the stage itself does not import them: how a model is saved."""
OPTIONAL = {"explore": f"{PROJECT}.stages.explore.evidently_summary"}


@dataclass(frozen=True)
class Code:
    """Code of one stage.

    Attributes:
        digest: SHA-256 over the project's modules that it is made of.
        modules: Their names.
        libraries: Top-level modules of other distributions that they import.
    """

    digest: str
    modules: tuple[str, ...]
    libraries: tuple[str, ...]


@functools.cache
def code_of(stage: str, *, optional: bool = False) -> Code:
    """The code that runs when a stage runs: ``run.py``, and everything that it imports, also late.

    Cards are not among it: how a result is shown does not change it.

    Args:
        stage: Which.
        optional: With what only an option of the stage needs.
    """
    apart = None if optional else OPTIONAL.get(stage)
    waiting = [f"{PROJECT}.stages.{stage}.run", f"{PROJECT}.stages.{stage}.facts", *BESIDE.get(stage, ())]
    found: dict[str, str] = {}
    libraries: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found or name == apart:
            continue
        module = _read(name)
        found[name] = module.digest
        waiting += module.project
        libraries.update(module.libraries)
    whole = hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()
    return Code(whole, tuple(sorted(found)), tuple(sorted(libraries - NOT_DECIDING)))


@dataclass(frozen=True)
class _Module:
    digest: str
    project: tuple[str, ...]
    libraries: tuple[str, ...]


@functools.cache
def _read(name: str) -> _Module:
    file = _file(name)
    if file is None:
        raise ModuleNotFoundError(name)
    text = file.read_bytes()
    imported = set(imports(text))
    return _Module(
        hashlib.sha256(text).hexdigest(),
        tuple(sorted({found for one in imported if (found := _module(one))})),
        tuple(sorted(libraries_of(one for one in imported if _top(one) != PROJECT))),
    )


def imports(text: bytes | str) -> Iterator[str]:
    """Absolute names that a module imports, wherever in it; for ``from a import b`` that is ``a.b``.

    What it imports for type checkers only has no part in what it does.
    """
    for node in _running(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def libraries_of(names: Iterable[str]) -> set[str]:
    """Top-level modules among these names that do not come with Python."""
    return {_top(name) for name in names} - set(sys.stdlib_module_names)


def _running(tree: ast.AST) -> Iterator[ast.stmt]:
    """Every statement but those for type checkers; expressions hold none."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(tree, block, ()):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                continue
            if isinstance(node, ast.stmt):
                yield node
            yield from _running(node)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _module(name: str) -> str | None:
    """The module of the project that a name is, or is in; None for other names."""
    while name.startswith(f"{PROJECT}."):
        if _file(name):
            return name
        name = name.rpartition(".")[0]
    return None


@functools.cache
def _file(name: str) -> Path | None:
    path = ROOT.joinpath(*name.split(".")[1:])
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None
