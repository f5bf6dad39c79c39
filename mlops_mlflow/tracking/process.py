"""Which process a run belongs to, whether it still lives, and the end of runs whose process does not.

A process that is killed cannot say so. Each run carries where its process is (this kernel's boot and process space),
its number and its start, by which any other process of the same machine can tell; and a lifecycle's run a sign of life,
by which those of other machines can.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.tracking.errors import translated

if TYPE_CHECKING:
    from mlops_mlflow.tracking.tracker import Tracker

PROCESS, ALIVE = "mlops.process", "mlops.alive"
SIGN_SECONDS = 60.0
SILENT_SECONDS = 300.0
ENDED = "its process ended without a word, as one that is killed does; what it had finished is used again"


@functools.cache
def this_process() -> str:
    """Place, number and start of this process."""
    return f"{_place()} {os.getpid()} {_start(os.getpid())}"


def signs(now: float | None = None) -> dict[str, str]:
    """Tags of a run that begins."""
    return {PROCESS: this_process(), ALIVE: f"{time.time() if now is None else now:.0f}"}


@contextlib.contextmanager
def sign_of_life(tracker: Tracker, run_id: str) -> Iterator[None]:
    """Let a run show every minute that its process still works."""
    done = threading.Event()

    def show() -> None:
        while not done.wait(SIGN_SECONDS):
            with contextlib.suppress(Exception):  # the work itself meets a server that has gone, and says so
                tracker.client.set_tag(run_id, ALIVE, f"{time.time():.0f}")

    thread = threading.Thread(target=show, daemon=True, name="mlops-sign-of-life")
    thread.start()
    try:
        yield
    finally:
        done.set()


def end_dead_runs(tracker: Tracker, now: float | None = None) -> list[str]:
    """Mark runs of the experiment as KILLED that seem to work, but whose process is gone.

    Args:
        tracker: The use case's experiment.
        now: Seconds since 1970.

    Returns:
        The lifecycles' runs among them.
    """
    running = _running(tracker)
    alive = {process: lives(process, _seen(runs), now or time.time()) for process, runs in running.items()}
    dead = [run for process, runs in running.items() if not alive[process] for run in runs]
    ended = []
    for run in dead:
        with contextlib.suppress(MlopsError), translated("end a run of a killed process", uri=tracker.shown_uri):
            tracker.client.set_tag(run.info.run_id, "mlops.error", ENDED)
            tracker.client.set_terminated(run.info.run_id, "KILLED")
            if run.data.tags.get("mlops.kind") == "lifecycle":
                ended.append(run.info.run_id)
    return ended


def _running(tracker: Tracker) -> dict[str, list[Any]]:
    """Runs of ours that are marked as running, by process."""
    wanted = f"attributes.status = 'RUNNING' and tags.`{PROCESS}` != '{this_process()}'"
    with translated("look for runs that were killed", uri=tracker.shown_uri):
        runs = tracker.client.search_runs([tracker.experiment_id], wanted, max_results=1000)
    found: dict[str, list[Any]] = {}
    for run in runs:
        found.setdefault(run.data.tags[PROCESS], []).append(run)
    return found


def lives(process: str, seen: float, now: float) -> bool:
    """Whether a process still works: for certain on this machine, and by its last sign of life on another.

    Args:
        process: As ``this_process`` tells.
        seen: When it last showed that it does; seconds since 1970.
        now: In the same count.
    """
    place, _, rest = process.partition(" ")
    if place == _place():
        number, _, start = rest.partition(" ")
        return _start(int(number)) == start
    return now - seen < SILENT_SECONDS


def _seen(runs: list[Any]) -> float:
    return max(float(run.data.tags.get(ALIVE, run.info.start_time / 1000)) for run in runs)


@functools.cache
def _place() -> str:
    """What makes a process number unambiguous: the boot of the kernel, and the space of process numbers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return platform.node() or "unknown"


def _start(number: int) -> str:
    """When a process began, in the kernel's own count; empty for one that does not live."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
        state, *fields = text.rpartition(")")[2].split()
        return "" if state in "ZX" else fields[18]
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return ""
    try:  # a system without /proc
        os.kill(number, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "lives"
