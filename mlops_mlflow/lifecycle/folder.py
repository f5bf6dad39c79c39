"""A use case as its folder: ``usecase.yaml`` and the files beside it that it names."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mlops_mlflow.core.errors import Place, UseCaseError
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.parse import parse_with_places
from mlops_mlflow.engines.text import read_text

FILE = "usecase.yaml"
_NEARBY_DEPTH, _NEARBY_VISITS, _NEARBY_SHOWN = 3, 500, 8
_NOT_SEARCHED = {"__pycache__", "node_modules", "site-packages", "mlruns", "mlartifacts", "mlops_mlflow"}


@dataclass(frozen=True)
class UseCaseFolder:
    """A checked use case with its files.

    Attributes:
        path: The folder, as it was given.
        spec: What ``usecase.yaml`` says.
        text: Its content.
        sql: The integrating SQL, where there is any.
        sql_name: Name of its file, relative to the folder.
    """

    path: Path
    spec: UseCaseSpec
    text: str
    sql: str | None
    sql_name: str | None

    def files(self) -> dict[str, str]:
        """Text of every file that decides what the use case does, by name."""
        found = {FILE: self.text, **self.modules()}
        if self.sql is not None and self.sql_name is not None:
            found[self.sql_name] = self.sql
        return found

    def modules(self) -> dict[str, str]:
        """Text of the feature module and of the files beside it that it imports, by name; they travel with a model."""
        first = self.spec.features.module
        waiting, found = [] if first is None else [first], {}
        place = Place(str(self.path / FILE))
        while waiting:
            name = waiting.pop()
            found[name] = _read(_beside(self.path, name, "a feature module", place))
            beside = (f"{module}.py" for module in _imported_beside(found[name]))
            waiting += [file for file in beside if file not in found and (self.path / file).is_file()]
        return dict(sorted(found.items()))


def _imported_beside(text: str) -> set[str]:
    """Modules of the same folder that a module imports relatively, wherever in it."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return set()  # the stage that imports it says what is wrong, and where
    relative = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 1]
    names = {node.module.partition(".")[0] for node in relative if node.module}
    return names | {alias.name for node in relative if not node.module for alias in node.names}


def load_folder(path: str | Path) -> UseCaseFolder:
    """Read a use case and everything that it names inside its folder.

    Args:
        path: The folder, or the YAML file in it.

    Returns:
        The checked use case.

    Raises:
        UseCaseError: Nothing there (use cases nearby are listed), not readable, not consistent, or a file that it names
            is missing or lies outside the folder.
    """
    file = _file(Path(path))
    text = _read(file)
    spec, places = parse_with_places(text, file=str(file))
    if spec.features.module is not None:
        _beside(file.parent, spec.features.module, "`features.module`", places.value("features", "module"))
    sql = None
    if spec.extract is not None:
        place = places.value("extract")
        sql = _read(_beside(file.parent, spec.extract, "`extract`", place))
        if not sql.strip():
            raise UseCaseError(f"`extract`: {spec.extract} is empty", hint="write the query into it", place=place)
    return UseCaseFolder(path=file.parent, spec=spec, text=text, sql=sql, sql_name=spec.extract)


def _file(path: Path) -> Path:
    file = path / FILE if path.is_dir() else path
    if file.is_file():
        return file
    start = path if path.is_dir() else next((each for each in path.absolute().parents if each.is_dir()), Path.cwd())
    nearby = ", ".join(map(str, islice(_nearby(start), _NEARBY_SHOWN)))
    raise UseCaseError(
        f"there is no use case at {path}",
        expected=f"a folder that holds {FILE}, or that file",
        got="a folder without it" if path.is_dir() else "no such file or folder",
        hint=f"use one of those nearby: {nearby}" if nearby else "make one with `mlops init NAME`",
    )


def _nearby(start: Path) -> Iterator[Path]:
    """Folders with a use case below a folder, nearest first; the search is bounded in depth and in folders visited."""
    level, visits = [start], 0
    for _ in range(_NEARBY_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            visits += 1
            if visits > _NEARBY_VISITS:
                return
            if (folder / FILE).is_file():
                yield Path(os.path.relpath(folder))
            below += _folders_in(folder)
        level = below


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(
            Path(entry.path)
            for entry in os.scandir(folder)
            if entry.is_dir(follow_symlinks=False) and entry.name not in _NOT_SEARCHED and entry.name[0] != "."
        )
    except OSError:
        return []  # a folder that may not be listed has nothing to offer


def _beside(folder: Path, name: str, key: str, place: Place) -> Path:
    """The file of that name, if it is one inside the folder; links are followed before that is judged."""
    file = folder / name
    if not _is_inside(folder, name):
        raise UseCaseError(
            f"{key}: {name} lies outside the folder of the use case",
            expected=f"a path below {folder}, without `..`",
            hint="move the file into the folder: it travels with the use case",
            place=place,
        )
    if not os.path.isfile(file):  # unlike Path.is_file, False for names that no file can have
        raise UseCaseError(
            f"{key}: there is no file {name} in {folder}",
            hint=f"create it, or take {key} out of the use case",
            place=place,
        )
    return file


def _is_inside(folder: Path, name: str) -> bool:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return False
    try:
        return (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False  # a loop of links, or a name that no file can have


def _read(file: Path) -> str:
    try:
        return read_text(file, str(file), UseCaseError)
    except OSError as error:
        raise UseCaseError(f"cannot read {file}: {error.strerror}", hint="look at its permissions") from error
