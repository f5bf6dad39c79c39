"""A new use case: a folder that runs as it is, to be changed from there."""

from __future__ import annotations

import csv
import math
import random
import re
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

from mlops_mlflow import __version__
from mlops_mlflow.core.errors import StorageError, UseCaseError

EXAMPLE_ROWS = 600
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_DOTTED = {"gitignore": ".gitignore"}
_SCHEMA = "usecase.schema.json"


def create_use_case(name: str, parent: Path) -> tuple[Path, ...]:
    """Make the folder of a new use case; either all of it or nothing.

    Args:
        name: Of the folder, the use case, its experiment and its registered model.
        parent: Where the folder goes.

    Returns:
        The files that were made, sorted.

    Raises:
        UseCaseError: The name does not do, or something of that name is there already.
        StorageError: The folder cannot be written.
    """
    _check_name(name)
    target = parent / name
    try:
        _check_free(target)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".mlops-init-") as scratch:
            built = Path(scratch) / name
            _build(built, name)
            if target.is_dir():
                target.rmdir()  # it is empty; not every system renames onto an empty folder
            built.rename(target)
    except OSError as error:
        raise StorageError(
            f"cannot make the folder {target}: {error.strerror}",
            expected="an existing folder above it that you may write to",
            hint="create it, or choose another one",
        ) from error
    return tuple(sorted(path for path in target.rglob("*") if path.is_file()))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UseCaseError(
            f"`{name}` cannot be the name of a use case",
            expected="at most 64 letters, digits, `_` and `-`, beginning with a letter",
            hint="choose a short name such as `churn`; it becomes the name of the experiment and of the model",
        )


def _check_free(target: Path) -> None:
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise UseCaseError(
            f"{target} is there already",
            expected="no such folder, or an empty one; nothing is ever overwritten",
            hint="choose another name, or move it away first",
        )


def _build(folder: Path, name: str) -> None:
    package = resources.files("mlops_mlflow")
    words = {"USE_CASE": name, "VERSION": __version__}
    folder.mkdir()
    for source in (package / "lifecycle" / "template").iterdir():
        if source.is_file():
            text = re.sub(r"\b(USE_CASE|VERSION)\b", lambda found: words[found[0]], source.read_text(encoding="utf-8"))
            (folder / _DOTTED.get(source.name, source.name)).write_text(text, encoding="utf-8", newline="\n")
    (folder / _SCHEMA).write_bytes((package / _SCHEMA).read_bytes())
    (folder / "data").mkdir()
    with (folder / "data" / "example.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(_example())


def _example() -> Iterator[tuple[object, ...]]:
    """A made-up table: customers who call often and talk little leave more often, those of the basic plan most.

    Only ``Random.random`` is drawn from, whose numbers Python promises to keep for a seed.
    """
    draw = random.Random(2024).random  # noqa: S311 - made-up rows, no secret
    yield "customer_id", "signed", "plan", "monthly_minutes", "support_calls", "churned"
    for number in range(EXAMPLE_ROWS):
        signed = date(2024, 1, 1) + timedelta(days=number * 360 // EXAMPLE_ROWS)
        plan = ("basic", "family", "business")[int(3 * draw())]
        minutes, calls = 50 + int(400 * draw()), int(8 * draw() ** 2)
        lean = {"basic": -0.5, "family": -1.2, "business": -1.9}[plan] + 0.9 * (calls - 2) + (220 - minutes) / 60
        churned = int(draw() < 1 / (1 + math.exp(-lean)))
        yield f"C{number + 1:04d}", signed.isoformat(), plan, minutes, calls, churned
