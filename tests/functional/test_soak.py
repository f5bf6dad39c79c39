"""A lifecycle that is killed again and again ends as one that nobody disturbed.

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
import use_cases
from lifecycles import Lifecycle, client, newest, store_of, versions
from processes import Ended, mlops, start

KILLS = int(os.environ.get("MLOPS_SOAK_KILLS", "4"))
SEED = int(os.environ.get("MLOPS_SOAK_SEED", "0"))
FATAL = Path(__file__).parent / "fatal.py"
MEASURED = ("latency", "seconds", "size_mb")
"""Figures of the machine, which differ from run to run."""


@dataclass(frozen=True)
class Undisturbed:
    """What a lifecycle gives that runs through, how long it takes (s), and how many requests it makes at least."""

    folder: Path
    seconds: float
    result: dict[str, object]


def result_of(lifecycle: Lifecycle) -> dict[str, object]:
    """What must not depend on how often a lifecycle was interrupted."""
    found: dict[str, object] = {"chosen": lifecycle.run.data.params["chosen"]}
    for name, run in lifecycle.runs.items():
        if "/" in name:
            continue
        figures = {**run.data.metrics, **{f"param {key}": value for key, value in run.data.params.items()}}
        found |= {f"{name} {key}": value for key, value in figures.items() if not any(part in key for part in MEASURED)}
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, migrated_store: Path) -> Undisturbed:
    parent = tmp_path_factory.mktemp("undisturbed")
    folder = use_cases.tickets(parent, tuning={"trials": 3, "folds": 2})
    shutil.copyfile(migrated_store, parent / "mlflow.db")
    began = time.monotonic()
    mlops("run", folder, cwd=parent)
    seconds = time.monotonic() - began
    return Undisturbed(folder, seconds, result_of(newest(store_of(parent), "tickets")))


def killed(work: Path, folder: Path, draw: random.Random, seconds: float) -> str:
    """Start the lifecycle and kill it, at a time or at a request; what was done."""
    if draw.random() < 0.5:
        wait = draw.uniform(0.3, seconds)
        process = start("mlops", "run", folder, cwd=work)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        told = f"after {wait:.2f} s"
    else:
        number, when = draw.randint(1, 110), draw.choice(["before", "after"])
        process = start(sys.executable, FATAL, str(number), when, "run", folder, cwd=work)
        told = f"{when} request {number}"
    process.communicate(timeout=120)
    return f"{told}: {process.returncode}"


def check_between(work: Path, done: list[str]) -> None:
    """What has to hold at every moment, also right after a kill."""
    found = versions(store_of(work), "tickets")
    results = Counter(version.tags["mlops.result_key"] for version in found)
    assert not [result for result, count in results.items() if count > 1], done


def check_whole(work: Path, undisturbed: Undisturbed, ended: Ended, done: list[str]) -> None:
    """What has to hold when the lifecycle was let through at last."""
    uri = store_of(work)
    lifecycle = newest(uri, "tickets")
    assert result_of(lifecycle) == undisturbed.result, (done, ended)
    (version,) = versions(uri, "tickets")
    assert version.current_stage == "Staging", done
    of = client(uri)
    assert of.get_model_version_by_alias("tickets", "challenger").version == version.version, done
    runs = of.search_runs([lifecycle.run.info.experiment_id], max_results=1000)
    assert {run.info.status for run in runs} <= {"FINISHED", "KILLED"}, done
    unfinished = [run for run in lifecycle.stages.values() if run.info.status != "FINISHED"]
    assert not unfinished, done


@pytest.mark.timeout(3600)
def test_a_killed_lifecycle_ends_as_an_undisturbed_one(
    tmp_path: Path, undisturbed: Undisturbed, migrated_store: Path
) -> None:
    draw, kills = random.Random(SEED), 0
    while kills < KILLS:
        work = tmp_path / str(kills)
        work.mkdir()
        shutil.copyfile(migrated_store, work / "mlflow.db")
        done = [f"seed {SEED}"]
        for _ in range(draw.randint(1, 3)):
            done.append(killed(work, undisturbed.folder, draw, undisturbed.seconds))
            check_between(work, done)
            kills += 1
        check_whole(work, undisturbed, mlops("run", undisturbed.folder, cwd=work), done)
        print(f"{kills:3} kills  {'; '.join(done)}", flush=True)
        shutil.rmtree(work)
