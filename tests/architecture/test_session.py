"""A session of the suite with a test that did not run has not passed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PASSES = "def test_passes(): assert True\n"
SKIPPED = "import pytest\n\ndef test_needs_a_service(): pytest.skip('no such service here')\n"
EXPECTED = "import pytest\n\n@pytest.mark.xfail\ndef test_known(): assert False\n"


def session(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run what is in a folder under the suite's own hooks."""
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "--rootdir", folder, *words]
    given = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_a_skipped_test_fails_the_session_and_is_listed_at_the_end(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(PASSES + SKIPPED)
    done = session(tmp_path, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    end = done.stdout.partition("NOT RUN")[2]
    assert "test_some.py::test_needs_a_service: Skipped: no such service here" in end
    assert "1 tests did not run" in end


def test_a_session_in_which_everything_ran_passes(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(PASSES + EXPECTED)
    done = session(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT RUN" not in done.stdout
