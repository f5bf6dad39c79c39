"""The shape of the code is a check that fails, not a drawing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "mlops_mlflow"
MODULES = sorted(PACKAGE.rglob("*.py"))
STAGES = sorted(path.name for path in (PACKAGE / "stages").iterdir() if (path / "__init__.py").exists())
OPERATED = {"monitor", "score"}
"""Stages of versions in use: each call is a run of its own, so they are in no plan and take over no earlier result."""
STAGE_NAMES = {"Inputs", "Output", "card", "run", "table"}
TAKEN_OVER = {"from_dict", "to_dict"}
MORE_NAMES = {
    "evaluate": {"Candidate"},
    "monitor": {"Reference", "overview", "series"},
    "prepare": {"Setting"},
    "score": {"MODEL", "REQUEST", "ScoredBy"},
    "train": {"Before", "KeptModel"},
    "validate": {"Champion"},
}
"""What ``Inputs`` of a stage, or what comes back of an earlier run, are made of; what a version's windows give."""
MOST_LINES = 350


def name_of(file: Path) -> str:
    return str(file.relative_to(PROJECT)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_imports_keep_their_contracts() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_modules_stay_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_modules_say_what_they_are_for(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_modules_have_names_that_say_what_is_inside(file: Path) -> None:
    assert not {"utils", "util", "helpers", "helper", "common", "misc"} & set(file.with_suffix("").parts)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_answers_the_same_questions(stage: str) -> None:
    module = importlib.import_module(f"mlops_mlflow.stages.{stage}")
    kept = set() if stage in OPERATED else TAKEN_OVER
    assert set(module.__all__) == STAGE_NAMES | kept | MORE_NAMES.get(stage, set())


def test_the_plan_knows_every_stage() -> None:
    from mlops_mlflow.lifecycle.plan import STAGES as PLANNED

    assert sorted({*PLANNED, *OPERATED}) == STAGES


def declaring(file: Path) -> bool:
    return "__all__" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [file for file in MODULES if declaring(file)], ids=name_of)
def test_all_names_what_is_public(file: Path) -> None:
    """``__all__`` is true: every name exists, and everything public that the module defines or passes on is named."""
    module = importlib.import_module(name_of(file))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    if file.name == "__init__.py":
        defined |= {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mlops_mlflow")
            for alias in node.names
        }
    assert {name for name in defined if not name.startswith("_")} <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
    assert sorted(module.__all__) == sorted(set(module.__all__))
