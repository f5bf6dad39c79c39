"""Runs of processes that are gone are ended; those of living ones, here or elsewhere, are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import mlops_mlflow
from mlops_mlflow.tracking import process
from mlops_mlflow.tracking.process import (
    ALIVE,
    PROCESS,
    SILENT_SECONDS,
    end_dead_runs,
    sign_of_life,
    signs,
    this_process,
)
from mlops_mlflow.tracking.tracker import KIND, Tracker, open_tracker

NOW = 1_800_000_000.0
ELSEWHERE = "0f0f0f0f-boot/4026531836 4242 777"

WORKER = """
import sys, time
from mlops_mlflow.tracking.process import sign_of_life, signs
from mlops_mlflow.tracking.tracker import open_tracker

tracker = open_tracker("words", sys.argv[1])
lifecycle = tracker.create_run("lifecycle", {"mlops.kind": "lifecycle", **signs()})
stage = tracker.create_run("train", {"mlops.kind": "stage"}, lifecycle)
trial = tracker.create_run("logistic-000", {"mlops.kind": "trial"}, stage)
done = tracker.create_run("extract", {"mlops.kind": "stage"}, lifecycle)
tracker.end_run(done, "FINISHED")
with sign_of_life(tracker, lifecycle):
    print("working", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def tracker(tracking_uri: str) -> Tracker:
    return open_tracker("words", tracking_uri)


@pytest.fixture
def begun(tracker: Tracker) -> Callable[..., str]:
    """Begin a run of a process."""

    def begin(of: str, *, alive: float | None = None, kind: str = "lifecycle", parent: str | None = None) -> str:
        tags = {PROCESS: of, KIND: kind, **({} if alive is None else {ALIVE: f"{alive:.0f}"})}
        return tracker.create_run(kind, tags, parent)

    return begin


def status(tracker: Tracker, run_id: str) -> str:
    return str(tracker.client.get_run(run_id).info.status)


def here(number: int, start: str = "1") -> str:
    """A process of this machine."""
    return f"{this_process().partition(' ')[0]} {number} {start}"


def free_number() -> int:
    """A process number that no process has."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_a_killed_process_leaves_runs_that_the_next_one_ends(tracker: Tracker, tracking_uri: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(mlops_mlflow.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, tracking_uri], stdout=subprocess.PIPE, text=True, env=environment
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "working\n"
        runs = {run.info.run_name: run.info.run_id for run in tracker.client.search_runs([tracker.experiment_id])}
        assert end_dead_runs(tracker) == [], "it lives"
        assert {name: status(tracker, run_id) for name, run_id in runs.items()} == {
            "lifecycle": "RUNNING",
            "train": "RUNNING",
            "logistic-000": "RUNNING",
            "extract": "FINISHED",
        }
        worker.send_signal(signal.SIGSTOP)
        assert end_dead_runs(tracker) == [], "it is stopped, not dead"
        worker.kill()
        time.sleep(0.2)
        assert end_dead_runs(tracker) == [runs["lifecycle"]], "dead, though nobody has waited for it yet"
    assert {name: status(tracker, run_id) for name, run_id in runs.items()} == {
        "lifecycle": "KILLED",
        "train": "KILLED",
        "logistic-000": "KILLED",
        "extract": "FINISHED",
    }
    ended = tracker.client.get_run(runs["train"])
    assert "ended without a word" in ended.data.tags["mlops.error"]
    assert ended.info.end_time is not None
    assert end_dead_runs(tracker) == [], "once"


def test_every_run_says_whose_it_is(tracker: Tracker) -> None:
    tags = tracker.client.get_run(tracker.create_run("any", {})).data.tags
    assert tags[PROCESS] == this_process()
    assert this_process().split()[1] == str(os.getpid())


def test_a_lifecycle_begins_with_a_sign_of_life() -> None:
    assert signs(NOW) == {PROCESS: this_process(), ALIVE: "1800000000"}
    assert abs(float(signs()[ALIVE]) - time.time()) < 5


def test_runs_of_this_process_are_never_ended(tracker: Tracker) -> None:
    run_id = tracker.create_run("mine", {KIND: "lifecycle", ALIVE: "0"})
    assert end_dead_runs(tracker, time.time() + 10 * SILENT_SECONDS) == []
    assert status(tracker, run_id) == "RUNNING"


def test_a_number_that_nobody_has_is_dead(tracker: Tracker, begun: Callable[..., str]) -> None:
    run_id = begun(here(free_number()), alive=time.time())
    assert end_dead_runs(tracker) == [run_id], "a fresh sign of life does not help: it was killed since"
    assert status(tracker, run_id) == "KILLED"


def test_a_number_that_somebody_else_has_now_is_dead(tracker: Tracker, begun: Callable[..., str]) -> None:
    """Numbers are given again; the time of the start is not."""
    run_id = begun(here(os.getppid(), start="1"), alive=time.time())
    assert end_dead_runs(tracker) == [run_id]


def test_another_living_process_of_this_machine_is_left_alone_however_silent(
    tracker: Tracker, begun: Callable[..., str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        run_id = begun(here(other.pid, process._start(other.pid)), alive=0)
        assert end_dead_runs(tracker) == []
        assert status(tracker, run_id) == "RUNNING"
        assert other.stdin is not None
        other.stdin.close()


@pytest.mark.parametrize(
    ("silent_for", "dead"), [(0, False), (SILENT_SECONDS - 2, False), (SILENT_SECONDS + 2, True), (86_400, True)]
)
def test_processes_of_other_machines_are_judged_by_their_sign_of_life(
    tracker: Tracker, begun: Callable[..., str], silent_for: float, dead: bool
) -> None:
    lifecycle = begun(ELSEWHERE, alive=NOW - silent_for)
    stage = begun(ELSEWHERE, kind="stage", parent=lifecycle)
    assert end_dead_runs(tracker, NOW) == ([lifecycle] if dead else [])
    expected = "KILLED" if dead else "RUNNING"
    assert [status(tracker, run_id) for run_id in (lifecycle, stage)] == [expected, expected]


def test_the_sign_of_the_lifecycle_counts_for_all_runs_of_its_process(
    tracker: Tracker, begun: Callable[..., str]
) -> None:
    """A stage that has worked for an hour shows no sign of its own."""
    begun(ELSEWHERE, alive=NOW - 60)
    stage = begun(ELSEWHERE, kind="stage")
    assert end_dead_runs(tracker, NOW) == []
    assert status(tracker, stage) == "RUNNING"


def test_without_any_sign_the_beginning_counts(tracker: Tracker, begun: Callable[..., str]) -> None:
    stage = begun(ELSEWHERE, kind="stage")
    assert end_dead_runs(tracker, time.time() + SILENT_SECONDS - 30) == []
    assert end_dead_runs(tracker, time.time() + SILENT_SECONDS + 30) == []
    assert status(tracker, stage) == "KILLED", "it is no lifecycle, but ended all the same"


def test_processes_are_judged_one_by_one(tracker: Tracker, begun: Callable[..., str]) -> None:
    alive, silent = begun(ELSEWHERE, alive=NOW), begun(ELSEWHERE.replace("4242", "4243"), alive=NOW - 86_400)
    assert end_dead_runs(tracker, NOW) == [silent]
    assert status(tracker, alive) == "RUNNING"


def test_runs_of_other_programs_are_not_touched(tracker: Tracker) -> None:
    """Somebody's notebook logs into the same experiment."""
    run_id = tracker.client.create_run(tracker.experiment_id).info.run_id
    assert end_dead_runs(tracker, time.time() + 86_400) == []
    assert status(tracker, run_id) == "RUNNING"


def test_runs_of_other_use_cases_are_not_touched(
    tracker: Tracker, tracking_uri: str, begun: Callable[..., str]
) -> None:
    other = open_tracker("letters", tracking_uri)
    run_id = other.create_run("lifecycle", {PROCESS: ELSEWHERE, ALIVE: "0"})
    assert end_dead_runs(tracker) == []
    assert status(tracker, run_id) == "RUNNING"


def test_ended_runs_stay_as_they_ended(tracker: Tracker, begun: Callable[..., str]) -> None:
    run_id = begun(here(free_number()), alive=0)
    tracker.end_run(run_id, "FAILED")
    assert end_dead_runs(tracker) == []
    assert status(tracker, run_id) == "FAILED"


@pytest.mark.parametrize("mark", ["", "x", "x y", "a b c d e"])
def test_a_mark_that_cannot_be_read_stops_nobody(tracker: Tracker, begun: Callable[..., str], mark: str) -> None:
    """Another version of ours may have written it."""
    run_id = begun(mark or " ", alive=time.time())
    end_dead_runs(tracker)
    assert status(tracker, run_id) in {"RUNNING", "KILLED"}


def test_a_run_that_cannot_be_ended_does_not_stop_the_others(
    tracker: Tracker, begun: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have deleted it a moment ago."""
    from mlflow.exceptions import MlflowException

    first, second = (begun(ELSEWHERE.replace("4242", number), alive=0) for number in ("1", "2"))
    honest = tracker.client.set_terminated

    def refuse(run_id: str, *args: object) -> None:
        if run_id == first:
            raise MlflowException("gone")
        honest(run_id, *args)

    monkeypatch.setattr(tracker.client, "set_terminated", refuse)
    assert end_dead_runs(tracker) == [second]


# --- the sign itself ---


def test_a_working_run_shows_signs_of_life_and_stops_when_the_work_does(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SIGN_SECONDS", 0.02)
    run_id = tracker.create_run("lifecycle", {ALIVE: "0"})
    with sign_of_life(tracker, run_id):
        deadline = time.time() + 10
        while (shown := tracker.client.get_run(run_id).data.tags[ALIVE]) == "0" and time.time() < deadline:
            time.sleep(0.02)
        assert abs(float(shown) - time.time()) < 15
    time.sleep(0.3)
    tracker.client.set_tag(run_id, ALIVE, "1")
    time.sleep(0.3)
    assert tracker.client.get_run(run_id).data.tags[ALIVE] == "1"


def test_a_server_that_has_gone_does_not_stop_the_signs(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SIGN_SECONDS", 0.01)
    calls: list[str] = []

    def refuse(*args: object) -> None:
        calls.append("")
        raise ConnectionError

    monkeypatch.setattr(tracker.client, "set_tag", refuse)
    with sign_of_life(tracker, "any"):
        deadline = time.time() + 5
        while len(calls) < 3 and time.time() < deadline:
            time.sleep(0.01)
    assert len(calls) >= 3


def test_the_signs_stop_when_the_work_fails(tracker: Tracker) -> None:
    import threading

    with pytest.raises(RuntimeError, match="no"), sign_of_life(tracker, "any"):
        raise RuntimeError("no")
    deadline = time.time() + 5
    while any(one.name == "mlops-sign-of-life" for one in threading.enumerate()) and time.time() < deadline:
        time.sleep(0.01)
    assert not any(one.name == "mlops-sign-of-life" for one in threading.enumerate())


# --- who lives ---


def test_a_process_lives_until_it_ends_and_a_corpse_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        first = process._start(child.pid)
        assert first
        assert process._start(child.pid) == first
        child.kill()
        deadline = time.time() + 10
        while process._start(child.pid) and time.time() < deadline:
            time.sleep(0.01)
        assert process._start(child.pid) == "", "nobody has waited for it, so its number is still taken"
    assert process._start(child.pid) == ""


def test_a_process_with_an_odd_name_is_read_right(tmp_path: Path) -> None:
    """Its name stands in brackets before the rest, and may hold brackets and spaces."""
    program = tmp_path / "a) Z (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"]) as child:
        time.sleep(0.1)
        assert process._start(child.pid).isdigit()
        child.kill()
