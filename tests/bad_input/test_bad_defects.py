"""What nobody foresaw: a short message, the evidence on the run, and the exit code that says so."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mlops_mlflow.lifecycle import main


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


@pytest.fixture
def explore() -> Any:
    """The module of a stage; the package of that name holds its functions."""
    importlib.import_module("mlops_mlflow.stages.explore")
    return sys.modules["mlops_mlflow.stages.explore.run"]


@pytest.mark.parametrize("error", [RuntimeError("boom"), AssertionError(), KeyError("a\nb")], ids=repr)
def test_a_defect_names_the_run_that_holds_the_traceback(
    use_case: Any,
    refuse: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    explore: Any,
    shell: Any,
    tmp_path: Path,
    error: Exception,
) -> None:
    monkeypatch.setattr(explore, "observe", raising(error))

    ended = refuse("explore", "a defect of mlops-mlflow", type(error).__name__, code=3)

    run = shell.runs("stage")[-1]
    assert f"`traceback.txt` of the run {run.info.run_id}" in ended.message
    trace = shell.artifact(run, "traceback.txt", tmp_path)
    assert trace.startswith("Traceback")
    assert "in fail" in trace
    assert "in fail" in shell.artifact(run, "card.html", tmp_path)


def test_a_defect_outside_the_stages_is_kept_with_the_lifecycle(
    use_case: Any, shell: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(main, "run_stages", raising(RuntimeError("boom")))

    ended = shell("run", "uc")

    (run,) = shell.runs("lifecycle")
    assert (ended.code, run.info.status) == (3, "FAILED")
    assert run.info.run_id in ended.message
    assert "Traceback" not in ended.err
    assert "boom" in shell.artifact(run, "traceback.txt", tmp_path)


def test_a_defect_before_there_is_a_run_says_where(use_case: Any, shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_mlflow.lifecycle.folder.load_folder", raising(TypeError("boom")))

    ended = shell("run", "uc")

    assert ended.code == 3
    assert "TypeError: boom" in ended.message
    assert f"{Path(__file__).name}:" in ended.message
    assert "Traceback" not in ended.err


def test_a_card_that_cannot_be_drawn_fails_nothing(use_case: Any, shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    design = importlib.import_module("mlops_mlflow.stages.design")
    monkeypatch.setattr(design, "card", raising(ZeroDivisionError("no picture")))

    assert shell("run", "uc", "--stage", "design").code == 0

    (run,) = shell.runs("stage")
    assert run.info.status == "FINISHED"
    assert "no picture" in run.data.tags["mlops.card_error"]


@pytest.mark.parametrize("how", ["key", "signal"])
def test_an_interrupted_lifecycle_is_killed(
    use_case: Any, shell: Any, monkeypatch: pytest.MonkeyPatch, explore: Any, how: str
) -> None:
    def interrupt(*_: object) -> None:
        if how == "key":
            raise KeyboardInterrupt
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(explore, "observe", interrupt)

    ended = shell("run", "uc")

    assert ended.code == 130
    assert "interrupted" in ended.err
    assert "Traceback" not in ended.err
    assert shell.statuses() == {"design": "FINISHED", "extract": "FINISHED", "explore": "KILLED"}
    assert [one.info.status for one in shell.runs("lifecycle")] == ["KILLED"]


def test_a_refused_verdict_is_no_error_and_exit_code_1(use_case: Any, shell: Any) -> None:
    use_case.save(success=[{"metric": "roc_auc", "at_least": 0.9999}])

    ended = shell("run", "uc")

    assert ended.code == 1
    assert "error" not in ended.err
    assert shell.registered() == 0
    assert [one.info.status for one in shell.runs("lifecycle")] == ["FINISHED"]
