"""The code of a stage: what counts, and what does not."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_mlflow
from mlops_mlflow.lifecycle.cache import code as code_module
from mlops_mlflow.lifecycle.cache.code import NOT_DECIDING, PROJECT, ROOT, code_of, imports, libraries_of
from mlops_mlflow.lifecycle.plan import STAGES

TEXT = '''\
"""A module."""

from __future__ import annotations

import os
import numpy as np, pandas
import a.b.c
from d import e, f as g
from h.i import j
from . import sibling
from .other import thing

if TYPE_CHECKING:
    import for_checkers_only

try:
    import tried
except ImportError:
    import instead
else:
    import otherwise
finally:
    import at_last


class Thing:
    import in_class

    async def late(self):
        with self:
            for _ in ():
                import in_loop
        match self:
            case 1:
                import in_case
        if self:
            import in_if
        else:
            import in_else
        while True:
            import in_while
'''


def test_imports_are_found_wherever_they_stand() -> None:
    found = set(imports(TEXT))
    assert found >= {"os", "numpy", "pandas", "a.b.c", "d.e", "d.f", "h.i.j", "__future__.annotations"}
    assert found >= {"tried", "instead", "otherwise", "at_last"}
    assert found >= {"in_class", "in_loop", "in_case", "in_if", "in_else", "in_while"}
    assert not {name for name in found if "checkers" in name or "sibling" in name or "thing" in name}


def test_libraries_are_what_python_does_not_bring() -> None:
    assert libraries_of(["os.path", "json", "numpy.linalg.norm", "sklearn.tree", "numpy"]) == {"numpy", "sklearn"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in place of ours, with one stage."""
    for name, text in {
        "stages/train/run.py": "from mlops_mlflow.core import near\ndef run():\n    import mlops_mlflow.far.late\n",
        "stages/train/facts.py": "",
        "stages/train/card.py": "COLOUR = 1\n",
        "core/near.py": "import numpy\nfrom mlops_mlflow.core.deep import VALUE\n",
        "core/deep.py": "from mlops_mlflow.core import near\nVALUE = 1\n",
        "far/__init__.py": "",
        "far/late.py": "import yaml, scipy.stats, json\n",
        "far/unrelated.py": "import torch\n",
        "tracking/models.py": "",
    }.items():
        file = tmp_path / "mlops_mlflow" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(code_module, "ROOT", tmp_path / "mlops_mlflow")
    return tmp_path / "mlops_mlflow"


@pytest.fixture(autouse=True)
def fresh() -> None:
    """What one test found out is no other's."""
    for cached in (code_of, code_module._read, code_module._file):
        cached.cache_clear()


def digest() -> str:
    for cached in (code_of, code_module._read, code_module._file):
        cached.cache_clear()
    return code_of("train").digest


def test_code_is_what_is_imported_also_late_and_in_circles(project: Path) -> None:
    found = code_of("train")
    assert {name.removeprefix("mlops_mlflow.") for name in found.modules} >= {
        "stages.train.run",
        "core.near",
        "core.deep",
        "far.late",
    }
    assert not {name for name in found.modules if "unrelated" in name or "card" in name}
    assert found.libraries == ("numpy", "scipy")


@pytest.mark.parametrize(
    "name", ["stages/train/run.py", "core/near.py", "core/deep.py", "far/late.py", "tracking/models.py"]
)
def test_an_edit_anywhere_in_it_counts(project: Path, name: str) -> None:
    before = digest()
    (project / name).write_text((project / name).read_text() + "\n# edited\n")
    assert digest() != before


@pytest.mark.parametrize("name", ["stages/train/card.py", "far/unrelated.py"])
def test_an_edit_elsewhere_does_not(project: Path, name: str) -> None:
    before = digest()
    (project / name).write_text("# edited\n")
    assert digest() == before


def test_a_module_that_moved_counts(project: Path) -> None:
    before = digest()
    (project / "core" / "deep.py").rename(project / "core" / "deeper.py")
    near = project / "core" / "near.py"
    near.write_text(near.read_text().replace("deep", "deeper"))
    assert digest() != before


def test_the_digest_does_not_depend_on_where_the_project_is(project: Path, tmp_path: Path) -> None:
    before = digest()
    other = tmp_path / "elsewhere" / "mlops_mlflow"
    other.parent.mkdir()
    project.rename(other)
    code_module.ROOT = other  # the fixture puts it back
    assert digest() == before


def test_without_its_module_there_is_no_code(project: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        code_of("nonsense")


# --- ours ---


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_of_our_stages_is_found(stage: str) -> None:
    found = code_of(stage)
    assert f"{PROJECT}.stages.{stage}.run" in found.modules
    assert f"{PROJECT}.stages.{stage}.facts" in found.modules
    assert not {name for name in found.modules if ".cards" in name or name.endswith(".card") or ".cli" in name}
    assert not set(found.libraries) & (NOT_DECIDING | {PROJECT})
    assert not {name for name in found.libraries if name in sys.stdlib_module_names}
    for name in found.modules:
        importlib.import_module(name)


def test_stages_take_the_libraries_that_they_are_known_for() -> None:
    assert {"duckdb", "pyarrow"} <= set(code_of("extract").libraries)
    assert {"sklearn", "hyperopt", "numpy", "skops"} <= set(code_of("train").libraries)
    assert "sklearn" not in code_of("extract").libraries
    assert "hyperopt" not in code_of("prepare").libraries
    assert "evidently" in code_of("explore", optional=True).libraries
    assert "evidently" not in code_of("explore").libraries
    assert code_of("explore").digest != code_of("explore", optional=True).digest


@pytest.mark.parametrize("stage", STAGES)
def test_packages_that_the_code_goes_through_do_nothing_themselves(stage: str) -> None:
    """``import a.b`` also runs ``a/__init__.py``, which the digest may leave out only if it does nothing but import."""
    found = code_of(stage)
    for parts in (name.split(".") for name in found.modules):
        for length in range(2, len(parts)):
            file = ROOT.joinpath(*parts[1:length], "__init__.py")
            if ".".join(parts[:length]) in found.modules or not file.exists():
                continue
            idle = ast.Expr | ast.Import | ast.ImportFrom | ast.Assign
            assert all(isinstance(node, idle) for node in ast.parse(file.read_text()).body), file


@pytest.mark.parametrize("stage", STAGES)
def test_no_module_of_a_stage_imports_ours_by_a_text(stage: str) -> None:
    """What ``import_module`` gets cannot be followed."""
    for name in code_of(stage).modules:
        file = Path(str(importlib.import_module(name).__file__))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
                assert PROJECT not in ast.unparse(node), f"{name}: {ast.unparse(node)}"


def test_the_digest_is_the_same_in_another_process() -> None:
    script = "from mlops_mlflow.lifecycle.cache.code import code_of; print(code_of('train').digest)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(mlops_mlflow.__file__).parents[1])},
    )
    assert done.stdout.strip() == code_of("train").digest
