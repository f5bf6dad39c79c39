"""Processes under a stopwatch, and the folders in which they work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

HERE = Path(__file__).resolve().parent
WORK = HERE / ".work"
MLOPS = (sys.executable, "-m", "mlops_mlflow.cli", "run")
MLFLOW_RUN = (sys.executable, "-m", "mlflow", "run", "--env-manager", "local")
_OURS_TO_SET = ("MLFLOW_", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Measured:
    """What one process took.

    Attributes:
        seconds: By the clock on the wall.
        cpu_seconds: Of it and its children, user and system.
        peak_mb: Largest resident memory of it or one of its children, 10^6 bytes.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def run(command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a process to its end, its output in ``output.log`` of its folder.

    Linux counts the memory of the process that started it to a child's peak; so whoever wants the peak must be small.

    Raises:
        RuntimeError: It failed; the end of its output is in the message.
    """
    log = folder / "output.log"
    with log.open("w", encoding="utf-8") as output:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  # commands of ours
            command, cwd=folder, env=environment or clean_environment(folder), stdout=output, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        told = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return Measured(seconds, used.ru_utime + used.ru_stime, peak)


def clean_environment(folder: Path, *, first_on_path: Path | None = None, **more: str) -> dict[str, str]:
    """The environment without what would change a measurement: settings of MLflow, and switched-off bytecode.

    Args:
        folder: Gets the SQLite store.
        first_on_path: Folder of programs; that of this Python when left out.
        more: Variables to set.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS_TO_SET)}
    programs = first_on_path or Path(sysconfig.get_path("scripts"))
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}
    return kept | store | {"PATH": f"{programs}{os.pathsep}{kept.get('PATH', os.defpath)}"} | more


def fresh(name: str, *sources: Path) -> Path:
    """An empty folder of this name, with the sources' files in it; what an earlier run left there is deleted."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    return folder


def say(text: str) -> None:
    """Tell on the error stream what is being measured: it takes minutes."""
    click.echo(text, err=True)
