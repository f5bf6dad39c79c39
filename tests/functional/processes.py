"""Commands as people start them: real processes with a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- standard output\n{self.out}\n--- standard error\n{self.err}"


def environment(**more: str) -> dict[str, str]:
    """This process's environment without MLflow's settings, this interpreter's commands first in PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MLFLOW_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**kept, "PATH": f"{BIN}{os.pathsep}{kept['PATH']}", **more}


def start(*command: str | Path, cwd: Path, **more: str) -> subprocess.Popen[str]:
    """Begin a command in a process group of its own."""
    return subprocess.Popen(
        list(map(str, command)),
        cwd=cwd,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def run(*command: str | Path, cwd: Path, code: int | None = 0, timeout: float = 240, **more: str) -> Ended:
    """Run a command to its end.

    Args:
        command: Words of the command line.
        cwd: Working directory.
        code: The exit code it must have; None takes any.
        timeout: Seconds.
        more: Environment variables.
    """
    process = start(*command, cwd=cwd, **more)
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    ended = Ended(process.returncode, out, err)
    assert code is None or ended.code == code, f"{' '.join(map(str, command))}: expected {code}, {ended}"
    return ended


def mlops(*words: str | Path, cwd: Path, code: int | None = 0, **more: str) -> Ended:
    """Run ``mlops``."""
    return run("mlops", *words, cwd=cwd, code=code, **more)
