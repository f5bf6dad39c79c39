from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_mlflow.core.errors import StorageError
from mlops_mlflow.lifecycle.display import Silent
from mlops_mlflow.lifecycle.operate.alone import alone

HOLD = """
import sys, time
from pathlib import Path
from mlops_mlflow.lifecycle.display import Silent
from mlops_mlflow.lifecycle.operate.alone import alone
with alone(Path(sys.argv[1]), "monitor", display=Silent()):
    print("has it", flush=True)
    time.sleep(float(sys.argv[2]))
"""


class Said(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def holder(folder: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "has it\n"
    return process


def test_one_waits_for_the_other_and_says_so(tmp_path: Path) -> None:
    said = Said()
    with holder(tmp_path, 0.7) as process:
        began = time.monotonic()
        with alone(tmp_path, "monitor", display=said):
            waited = time.monotonic() - began
        assert process.wait() == 0
    assert waited > 0.3
    assert said.lines == ["another process does `mlops monitor` here; waiting for it"]


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path, 600) as process:
        process.kill()
        process.wait()
    said = Said()
    with alone(tmp_path, "monitor", display=said):
        pass
    assert said.lines == []


def test_other_work_and_other_folders_do_not_wait(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    said = Said()
    with (
        alone(tmp_path, "monitor", display=said),
        alone(tmp_path, "score", display=said),
        alone(tmp_path / "other", "monitor", display=said),
    ):
        assert said.lines == []


def test_it_may_be_done_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path, "monitor", display=Silent()):
        raise ZeroDivisionError
    with alone(tmp_path, "monitor", display=Silent()):
        pass


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "missing"):
        with pytest.raises(StorageError, match="cannot be opened"), alone(tmp_path / place, "x", display=Silent()):
            pass
