"""Whatever stops a lifecycle, the truth about it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import use_cases
from lifecycles import client, newest, store_of
from mlflow_server import Server
from processes import PROJECT, mlops, start

from mlops_mlflow import UseCase
from mlops_mlflow.tracking.tracker import Tracker

ON_AND_ON = """
import random, signal, sys, threading, time
from mlops_mlflow.tracking.interrupt import interrupt
from mlops_mlflow.tracking.tracker import open_tracker

tracker = open_tracker("on_and_on", sys.argv[1])
signal.signal(signal.SIGINT, interrupt)
slowest = 0.0
for _ in range(40):
    try:
        threading.Timer(random.uniform(0.0, 0.06), signal.raise_signal, [signal.SIGINT]).start()
        while True:
            run_id = tracker.create_run("one", {})
            tracker.end_run(run_id, "FINISHED")
    except KeyboardInterrupt:
        began = time.monotonic()
        tracker.end_run(run_id, "KILLED")
        slowest = max(slowest, time.monotonic() - began)
print(slowest)
"""

MANY = {"trials": 5000, "folds": 2}


def wait_for_trials(uri: str, process: subprocess.Popen[str]) -> None:
    """Until some trials have begun; a process that ends before that, or takes too long, fails the test."""
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        found = client(uri).get_experiment_by_name("breast_cancer")
        if found and len(client(uri).search_runs([found.experiment_id], "tags.`mlops.kind` = 'trial'")) >= 3:
            return
        time.sleep(0.2)
    process.kill()
    raise AssertionError(f"no trials: {process.communicate()}")


@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]],
    ids=["Ctrl-C", "SIGTERM", "both"],
)
def test_a_signal_marks_everything_that_was_running_as_killed(numbers: list[signal.Signals], tmp_path: Path) -> None:
    store = store_of(tmp_path)
    mlops("run", use_cases.breast_cancer(tmp_path), "--stage", "design", cwd=tmp_path)  # makes the database
    process = start("mlops", "run", use_cases.breast_cancer(tmp_path, tuning=MANY), cwd=tmp_path)
    wait_for_trials(store, process)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.02)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "interrupted" in err
    assert "Traceback" not in err
    lifecycle = newest(store, "breast_cancer")
    statuses = {place: run.info.status for place, run in lifecycle.runs.items()}
    assert statuses.pop("") == "KILLED"
    assert statuses.pop("train") == "KILLED"
    trials = [statuses.pop(f"train/{name}") for name in lifecycle.children["train"]]
    assert "RUNNING" not in trials
    assert set(trials) <= {"FINISHED", "KILLED"}
    assert set(statuses) == {"design", "extract", "explore", "prepare"}
    assert set(statuses.values()) == {"FINISHED"}


def test_a_database_that_was_being_written_to_can_be_written_to_after_a_signal(tmp_path: Path) -> None:
    """One of six signals left a lock behind for which the next writer waited 20 seconds, in vain."""
    process = start(sys.executable, "-c", ON_AND_ON, store_of(tmp_path), cwd=tmp_path)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "locked" not in err
    assert float(out) < 10


def test_an_interrupted_launcher_leaves_no_run_that_seems_to_work(sqlite_server: Server, tmp_path: Path) -> None:
    """Ctrl-C reaches ``mlflow run`` and its child; and ``mlflow run`` then ends its child once more."""
    use_case = use_cases.breast_cancer(tmp_path, tuning=MANY)
    process = start(
        *("mlflow", "run", PROJECT, "--env-manager", "local", f"-Puse_case={use_case}"),
        cwd=tmp_path,
        MLFLOW_TRACKING_URI=sqlite_server.uri,
    )
    wait_for_trials(sqlite_server.uri, process)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    lifecycle = newest(sqlite_server.uri, "breast_cancer")
    assert lifecycle.run.info.status == "FAILED", "MLflow's launcher says so of whatever it interrupts"
    assert lifecycle.stages["train"].info.status == "KILLED"
    assert "RUNNING" not in {run.info.status for run in lifecycle.runs.values()}


BROKEN = '''\
"""Features of a ticket."""

import pandas as pd


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Fail."""
    raise KeyError("hours_worked")
'''


def test_a_failure_in_the_middle_is_told_once_and_marked_where_it_happened(tmp_path: Path) -> None:
    ended = mlops("run", use_cases.tickets(tmp_path, features=BROKEN), cwd=tmp_path, code=2)
    assert ended.err.count("error: ") == 1
    assert "hours_worked" in ended.err
    assert "features.py" in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""
    lifecycle = newest(store_of(tmp_path), "tickets")
    statuses = {place: run.info.status for place, run in lifecycle.runs.items()}
    assert statuses == {
        "": "FAILED",
        "design": "FINISHED",
        "extract": "FINISHED",
        "explore": "FINISHED",
        "prepare": "FAILED",
    }
    assert "hours_worked" in lifecycle.artifact("prepare", "card.html")
    assert "hours_worked" in lifecycle.stages["prepare"].data.tags["mlops.error"]


def test_a_server_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    use_case = use_cases.breast_cancer(tmp_path)
    ended = mlops("run", use_case, cwd=tmp_path, code=2, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert "cannot be reached" in ended.err
    assert "Traceback" not in ended.err
    assert time.monotonic() - began < 30


def test_a_trial_is_killed_although_nobody_was_told_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may have begun a run when the interrupt comes before its answer."""
    begin = Tracker.create_run

    def interrupted(self: Tracker, name: str, *words: Any) -> str:
        run_id = begin(self, name, *words)
        if name == "tree-000":
            raise KeyboardInterrupt
        return run_id

    monkeypatch.setattr(Tracker, "create_run", interrupted)
    use_case = UseCase(use_cases.breast_cancer(tmp_path), tracking_uri=store_of(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        use_case.train()
    use_case.close()
    lifecycle = newest(store_of(tmp_path), "breast_cancer")
    assert lifecycle.children["train"]["tree-000"].info.status == "KILLED"
    assert lifecycle.children["train"]["logistic-000"].info.status == "FINISHED"
    assert lifecycle.stages["train"].info.status == lifecycle.run.info.status == "KILLED"
