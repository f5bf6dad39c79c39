"""Pages with examples say what running them says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from mlops_mlflow.core.usecase.reference import reference
from mlops_mlflow.lifecycle.scaffold import create_use_case

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def test_the_notebook_page_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracking_uri: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)
    create_use_case("churn", tmp_path)
    names: dict[str, Any] = {}
    blocks = BLOCK.findall((DOCS / "notebook.md").read_text(encoding="utf-8"))
    assert len(blocks) == 7
    for code, shown in blocks:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(code, names)
        assert same(said.getvalue().split(), shown.split()), f"{code}\n{said.getvalue()}"


def same(said: list[str], shown: list[str]) -> bool:
    """Words are equal; figures may differ in the last digit shown, which hangs on the machine's arithmetic."""

    def alike(left: str, right: str) -> bool:
        try:
            return left == right or abs(float(left) - float(right)) <= 0.02
        except ValueError:
            return False

    return len(said) == len(shown) and all(map(alike, said, shown))


def test_the_reference_page_is_made_of_the_models() -> None:
    page = (DOCS / "usecase.md").read_text(encoding="utf-8")
    assert page == reference(), "run `mlops schema --markdown > docs/usecase.md`"
