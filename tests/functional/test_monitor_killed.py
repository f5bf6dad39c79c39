"""Monitoring that is killed again and again ends as one that nobody disturbed, without a doubled window or point.

``make soak`` kills at 50 moments; the suite at a few. The moments are drawn from a seed, which a failure names.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import mlops, start
from watched import WEEKS, Watched

KILLS = int(os.environ.get("MLOPS_SOAK_KILLS", "4"))
SEED = int(os.environ.get("MLOPS_SOAK_SEED", "0"))
FATAL = Path(__file__).parent / "fatal.py"
CALLS = ("2024-02-26", "2024-03-07", "2024-03-14")
"""Times at which it is called: one window that is over, then two looks and a first, then the rest."""
METRICS = ("rows", "roc_auc", "coverage", "health", "drift/plan")


@dataclass(frozen=True)
class Undisturbed:
    """What monitoring gives that runs through, how long a call takes (s), and how many requests it makes."""

    points: dict[str, list[tuple[int, int, float]]]
    health: dict[str, str]
    seconds: float


def points_of(watched: Watched) -> dict[str, list[tuple[int, int, float]]]:
    return {name: watched.points(name) for name in METRICS}


def health_of(watched: Watched) -> dict[str, str]:
    return {one.data.params["window"]: one.data.tags["mlops.health"] for one in watched.looks}


@pytest.fixture(scope="module")
def undisturbed(scored: Watched, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    copy = scored.copied(tmp_path_factory.mktemp("undisturbed"))
    began = time.monotonic()
    mlops("monitor", copy.folder, "--until", CALLS[0], cwd=copy.work, **copy.settings())
    seconds = time.monotonic() - began
    for until in CALLS[1:]:
        copy.monitor(until)
    return Undisturbed(points_of(copy), health_of(copy), seconds)


def killed(watched: Watched, until: str, draw: random.Random, seconds: float) -> str:
    """Start monitoring and kill it, at a time or at a request; what was done."""
    words = ["monitor", str(watched.folder), "--until", until]
    if draw.random() < 0.5:
        wait = draw.uniform(0.5, 1.0) * seconds
        process = start("mlops", *words, cwd=watched.work, **watched.settings())
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        told = f"after {wait:.2f} s"
    else:
        number, when = draw.randint(1, 60), draw.choice(["before", "after"])
        process = start(sys.executable, FATAL, str(number), when, *words, cwd=watched.work, **watched.settings())
        told = f"{when} request {number}"
    process.communicate(timeout=120)
    return f"{until} {told}: {process.returncode}"


def check_whole(watched: Watched, undisturbed: Undisturbed, done: list[str]) -> None:
    """What has to hold when it was let through at last."""
    assert points_of(watched) == undisturbed.points, done
    assert health_of(watched) == undisturbed.health, done
    looks = Counter((one.data.params["window"], one.data.tags["mlops.closed"]) for one in watched.looks)
    assert not [look for look, count in looks.items() if count > 1], done
    assert {window for window, _ in looks} == set(WEEKS[:3]), done
    assert watched.parent.info.status == "FINISHED", done
    assert {one.info.status for one in watched.runs("window")} <= {"FINISHED", "KILLED"}, done
    assert watched.version.tags["mlops.monitor_run"] == watched.parent.info.run_id, done
    assert watched.version.tags["mlops.health"] == watched.parent.data.tags["mlops.health"], done


@pytest.mark.timeout(3600)
def test_killed_monitoring_goes_on_and_ends_as_an_undisturbed_one(
    scored: Watched, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    draw, kills = random.Random(SEED), 0
    while kills < KILLS:
        watched, done = scored.copied(tmp_path / str(kills)), [f"seed {SEED}"]
        for until in CALLS:
            for _ in range(draw.randint(0, 2)):
                done.append(killed(watched, until, draw, undisturbed.seconds))
                kills += 1
            watched.monitor(until)
        check_whole(watched, undisturbed, done)
        print(f"{kills:3} kills  {'; '.join(done)}", flush=True)
        shutil.rmtree(watched.work)


@pytest.mark.parametrize("number", range(3))
def test_killed_after_its_last_window_the_next_call_still_tells(
    scored: Watched, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the end of the last look and what people see of it, there is nothing left that would be due."""
    from mlops_mlflow.lifecycle.operate import monitor
    from mlops_mlflow.lifecycle.operate.watch import Watch

    class DeathError(BaseException):
        """Ends a process at once, as far as one can tell from within."""

    def die(*given: object, **named: object) -> None:
        raise DeathError

    watched = scored.copied(tmp_path / "copy")
    with monkeypatch.context() as patch:
        place, name = [(Watch, "show"), (monitor, "standing"), (Watch, "tag")][number]
        patch.setattr(place, name, die)
        with pytest.raises(DeathError):
            watched.monitor("2024-03-14")
    assert len(watched.looks) == 3
    assert watched.monitor("2024-03-14").looked == ()
    assert watched.parent.info.status == "FINISHED"
    assert watched.parent.data.tags["mlops.health"] == watched.version.tags["mlops.health"]
    assert watched.parent.data.tags["mlops.told_health"]
    assert watched.parent.data.tags["mlflow.note.content"]
