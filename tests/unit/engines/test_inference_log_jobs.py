from __future__ import annotations

import errno
import itertools
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import inference_logs
import pandas as pd
import pyarrow.parquet as pq
import pytest
from inference_logs import days, hidden, origin, put, values, window

from mlops_mlflow.core.errors import StorageError
from mlops_mlflow.engines.inference_log import LogWriter, expire, jobs, recover

KILLS = 10
OLD, NEW = [0.0, 1.0, 2.0, 3.0, 4.0], [100.0, 101.0, 102.0]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def age(folder: Path, seconds: float) -> None:
    for path in folder.rglob(".*"):
        os.utime(path, (time.time() - seconds,) * 2)


def put_until(log: Path, statement: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, inference_logs.__file__, str(log), str(statement)], capture_output=True, text=True, check=False
    )


def test_a_job_is_one_file_a_day(log: Path) -> None:
    put(log, "job", [*days(2), *days(2)])
    assert sorted(path.relative_to(log).as_posix() for path in log.rglob("*.parquet")) == [
        "date=2013-07-01/job-0.parquet",
        "date=2013-07-02/job-1.parquet",
    ]
    assert not hidden(log)


def test_a_job_written_again_replaces_what_it_wrote_before_on_whatever_days(log: Path) -> None:
    put(log, "job", days(5))
    put(log, "job-1", days(1), values=[50], first=50)
    put(log, "job", days(2), values=[7, 8])
    assert sorted(values(window(log))) == [7, 8, 50]
    assert window(log).duplicates == 0


def test_an_empty_job_is_no_file_and_takes_back_what_it_wrote_before(log: Path) -> None:
    put(log, "job", [])
    assert window(log).rows == 0
    put(log, "job", days(1))
    put(log, "job", [])
    assert window(log).rows == 0
    assert not list(log.rglob("*.parquet"))


def test_a_job_that_fails_leaves_what_was_there(log: Path) -> None:
    put(log, "job", days(5))

    def fail() -> None:
        put(log, "job", days(3), classes=("a", "b"))  # numbers are no such classes

    with pytest.raises(ValueError, match="none of the classes"):
        fail()
    assert values(window(log)) == OLD
    assert not hidden(log)


def test_a_job_that_is_killed_at_any_statement_is_there_whole_or_not_at_all(log: Path, tmp_path: Path) -> None:
    put(log, "job", days(5))
    survived = put_until(Path(shutil.copytree(log, tmp_path / "copy")), 0)
    statements = int(survived.stdout)
    draw, seen = random.Random(7), []
    strata = [round(statements * kill / KILLS) for kill in range(KILLS + 1)]
    for first, last in itertools.pairwise(strata):
        shutil.rmtree(log)
        put(log, "job", days(5))

        killed = put_until(log, draw.randint(first + 1, last))

        assert killed.returncode == -9, killed.stderr
        found = values(window(log))
        assert found in (OLD, NEW)
        seen.append(found == NEW)
        recover(log)
        assert values(window(log)) == found, "recovering changes nothing that is seen"
        put(log, "job", days(3), values=NEW)
        assert values(window(log)) == NEW
        age(log, 2 * jobs.DEAD_AFTER)
        recover(log)
        assert not hidden(log)
        assert not list((log / jobs.COMMITS).glob("*.json"))
    assert seen == sorted(seen), "once it is there it stays"
    assert {True, False} == set(seen)


class Killed(BaseException):
    """Takes the place of a process's end: no handler of ours stops it."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let the n-th of the calls that move, remove or make files be the last."""
    rename, unlink = Path.rename, Path.unlink

    def at(number: int) -> None:
        left = number

        def counted(call: Any) -> Any:
            def tried(self: Path, *given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return call(self, *given, **named)

            return tried

        monkeypatch.setattr(Path, "rename", counted(rename))
        monkeypatch.setattr(Path, "unlink", counted(unlink))

    yield at
    monkeypatch.undo()


@pytest.mark.parametrize("moved", range(6))
def test_a_committed_job_is_seen_whole_between_any_two_moves_and_finished_by_the_next(
    log: Path, dying: Any, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(log, "job", days(5))
    with monkeypatch.context() as undone:
        undone.setattr(jobs, "_roll_forward", lambda folder: None)
        put(log, "job", days(3), values=NEW)  # killed right after its commit
    assert len(hidden(log)) == 3
    dying(moved)  # three files get their names, two are removed, and the list
    with pytest.raises(Killed):
        recover(log)
    monkeypatch.undo()

    assert values(window(log)) == NEW
    put(log, "another", [])
    assert values(window(log)) == NEW
    assert not hidden(log)
    assert len(list(log.rglob("*.parquet"))) == 3


def test_an_interruption_right_after_the_commit_leaves_the_job(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path) -> None:
        if list((folder / jobs.COMMITS).glob("*.json")):
            raise KeyboardInterrupt

    with monkeypatch.context() as undone:
        undone.setattr(jobs, "_roll_forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            put(log, "job", days(3))
    assert window(log).rows == 3


def test_recovering_never_touches_a_job_that_may_be_alive(log: Path) -> None:
    day = log / "date=2013-07-01"
    day.mkdir(parents=True)
    for attempt, days_old in (("aaaaaaaa", 3), ("bbbbbbbb", 3), ("bbbbbbbb", 0)):
        path = day / f".job-{days_old}.parquet.{attempt}.pending"
        path.write_text("")
        os.utime(path, (time.time() - days_old * jobs.DEAD_AFTER,) * 2)
    (day / "..job-1.parquet.aaaaaaaa.pending.01234567.part").write_text("")
    age(log, 0)
    os.utime(day / ".job-3.parquet.aaaaaaaa.pending", (0, 0))
    os.utime(day / "..job-1.parquet.aaaaaaaa.pending.01234567.part", (0, 0))
    os.utime(day / ".job-3.parquet.bbbbbbbb.pending", (0, 0))
    recover(log)
    assert hidden(log) == [".job-0.parquet.bbbbbbbb.pending", ".job-3.parquet.bbbbbbbb.pending"]


def test_of_two_at_work_on_the_same_job_the_one_that_ends_last_counts(log: Path) -> None:
    with LogWriter(log, "job", origin(), inputs={}) as first:
        first.write([7], pd.DataFrame(index=[0]), predictions=[7.0])
        put(log, "job", days(3), values=NEW)
        assert values(window(log)) == NEW
    assert values(window(log), "prediction") == [7.0]
    assert not hidden(log)


def test_a_job_whose_files_were_taken_for_dead_is_not_committed_in_part(log: Path) -> None:
    put(log, "job", days(5))

    def sleep_too_long() -> None:
        with LogWriter(log, "job", origin(), inputs={}) as slow:
            slow.write([0], pd.DataFrame(index=[0]))
            slow._flush()
            age(log, 2 * jobs.DEAD_AFTER)
            recover(log)

    with pytest.raises(StorageError, match="No such file"):
        sleep_too_long()
    assert values(window(log)) == OLD


def test_a_list_that_is_not_ours_moves_nothing_and_is_told(log: Path, tmp_path: Path) -> None:
    put(log, "job", days(1))
    outside = tmp_path / ".x-0.parquet.01234567.pending"
    outside.write_text("")
    for name, told in {
        "a": "{",
        "b": "[1]",
        "x": json.dumps({"job": "x", "pending": [f"../{outside.name}"]}),
        "c": json.dumps({"job": "job", "pending": []}),
        "y": json.dumps({"job": "y", "pending": [f"date=2013-07-01/.y/../../../{outside.name}"]}),
    }.items():
        (log / "_commits" / f"{name}.json").write_text(told)
    recover(log)
    assert outside.exists()
    found = window(log)
    assert found.rows == 1
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        (f"{name}.json", "not a list of committed files") for name in "abcxy"
    ]


def test_a_committed_file_that_is_gone_is_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as undone:
        undone.setattr(jobs, "_roll_forward", lambda folder: None)
        put(log, "job", days(2))
    next((log / "date=2013-07-01").iterdir()).unlink()
    found = window(log)
    assert found.rows == 1
    assert [one.path.name for one in found.skipped] == ["job-0.parquet"]


def test_retention_removes_whole_days_and_leaves_what_is_not_the_logs(log: Path) -> None:
    put(log, "job", days(4))
    foreign = log / "date=2013-07-01" / "notes.txt"
    foreign.write_text("keep")
    assert expire(log, date(2013, 7, 3)) == 2
    assert sorted(path.name for path in log.glob("date=*")) == ["date=2013-07-01", "date=2013-07-03", "date=2013-07-04"]
    assert foreign.read_text() == "keep"
    assert values(window(log)) == [2, 3]
    assert expire(log, date(2013, 7, 3)) == 0


def test_retention_also_reaches_a_job_that_was_killed_after_its_commit(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as undone:
        undone.setattr(jobs, "_roll_forward", lambda folder: None)
        put(log, "job", days(2))
    assert expire(log, date(2013, 7, 2)) == 1
    assert values(window(log)) == [1]


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_scored(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for change in (lambda path: put(path, "job", days(1)), recover, lambda path: expire(path, date(2020, 1, 1))):
        with pytest.raises(StorageError, match=r"the inference log .* cannot be changed"):
            change(tmp_path / "file" / "log")


@pytest.mark.parametrize("file", range(3))
def test_a_disk_that_gets_full_leaves_what_was_there(log: Path, monkeypatch: pytest.MonkeyPatch, file: int) -> None:
    put(log, "job", days(5))
    write, left = pq.ParquetWriter.write_table, file

    def full(self: Any, *given: Any, **named: Any) -> None:
        nonlocal left
        write(self, *given, **named)
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as undone:
        undone.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(StorageError, match="the disk is full"):
            put(log, "job", days(3), values=NEW)
    assert values(window(log)) == OLD
    assert not hidden(log)


def test_a_file_that_the_system_really_refuses_is_told(log: Path) -> None:
    put(log, "job", days(5))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(StorageError, match="could not be written"):
            put(log, "job", days(3), values=NEW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert values(window(log)) == OLD
    assert not hidden(log)


def test_a_list_that_cannot_be_written_makes_nothing_visible(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *given: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(log, "job", days(5))
    with monkeypatch.context() as undone:
        undone.setattr(Path, "write_text", full)
        with pytest.raises(StorageError, match=r"the commit of a job .* the disk is full"):
            put(log, "job", days(3), values=NEW)
    assert values(window(log)) == OLD
    assert not hidden(log)
