"""The code package of a model: the user's modules and our row-wise conversions under a name that holds their digest.

MLflow's ``code_paths`` puts a folder on ``sys.path``; two models that both bring a ``features`` module would share
the one that was loaded first. With the digest in the name, different code has different names and both live in one
process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from mlops_mlflow.core.errors import CandidateError, Place

HOOKS = ("derive", "preprocessor")
COLUMNS = "_columns.py"


@dataclass(frozen=True)
class CodePackage:
    """A package on disk, imported.

    Attributes:
        folder: Folder of the package; its name is the name of the package.
        module: The package.
        columns: Its copy of ``learning.columns``.
        features: The user's module, if there is one.
    """

    folder: Path
    module: ModuleType
    columns: ModuleType
    features: ModuleType | None

    @property
    def name(self) -> str:
        """Name by which it is imported."""
        return self.folder.name

    def place(self, error: BaseException) -> Place | None:
        """Where in the user's files an exception comes from; None where it was not there."""
        return _place(error, self.folder)


def build_package(use_case: str, modules: dict[str, str], features: str | None, scratch: Path) -> CodePackage:
    """Write and import the code package of a use case.

    Args:
        use_case: Its name, which begins the package's.
        modules: Text of each Python file of the use case, by file name; they import each other relatively.
        features: File name of the module with the hooks.
        scratch: Folder that gets the package.

    Raises:
        CandidateError: The user's code cannot be imported, or holds no hook.
    """
    if COLUMNS in modules:
        raise CandidateError(f"a module of the use case must not be called {COLUMNS}", hint="give it another name")
    files = {
        "__init__.py": f'"""Code that models of {use_case} need."""\n',
        COLUMNS: (Path(__file__).parent / "columns.py").read_text(encoding="utf-8"),
        **modules,
    }
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:12]
    word = re.sub(r"\W", "_", use_case).lower()
    name = f"{word}_code_{digest}"
    folder = scratch / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    package = _import(name, folder / "__init__.py", folder)
    columns = _import(f"{name}.{Path(COLUMNS).stem}", folder / COLUMNS)
    hooks = None if features is None else _import_features(name, folder / features)
    return CodePackage(folder, package, columns, hooks)


def _import(name: str, file: Path, package: Path | None = None) -> ModuleType:
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(file):
        return sys.modules[name]
    locations = None if package is None else [str(package)]
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=locations)
    if spec is None or spec.loader is None:
        raise CandidateError(f"{file.name} is not a Python module", expected="a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_features(package: str, file: Path) -> ModuleType:
    try:
        module = _import(f"{package}.{file.stem}", file)
    except (Exception, SystemExit) as error:
        raise CandidateError(
            f"{file.name} cannot be imported: {type(error).__name__}: {error}",
            expected="a module; files beside it are imported relatively (`from . import other`)",
            hint="mend the file and run again",
            place=_place(error, file.parent) or Place(file.name),
        ) from error
    if not any(callable(getattr(module, hook, None)) for hook in HOOKS):
        raise CandidateError(
            f"{file.name} holds none of the functions that are looked for",
            expected="`derive(table)` or `preprocessor(kinds)`, or both",
            got=", ".join(name for name in vars(module) if not name.startswith("_")) or "an empty module",
            place=Place(file.name),
        )
    return module


def _place(error: BaseException, folder: Path) -> Place | None:
    """The last line of the user's that an exception went through; what cannot be parsed tells its own."""
    calls = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        calls.append((error.filename, error.lineno or 0))
    own = [(Path(file), line) for file, line in calls if Path(file).parent == folder]
    return Place(own[-1][0].name, own[-1][1]) if own else None
