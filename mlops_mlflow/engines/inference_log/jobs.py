"""A job of many files becomes visible all at once, whenever its process is killed.

Files are written as ``date=D/.<job>-<n>.parquet.<attempt>.pending``, which no reader looks at. Then one file
``_commits/<job>.json`` that lists them is put there in one step: from now on the job has these files and no others.
What is left is tidying: the files get their names, those of an earlier attempt of the same job are removed, and so is
the list. Who is killed meanwhile leaves the list, and the next writer goes on where it stopped. A lock keeps readers
and writers from seeing files move; it is the operating system's, so that it goes with the process.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from mlops_mlflow.core.errors import StorageError
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.inference_log.format import date_folder, day_of, job_of

COMMITS = "_commits"
DEAD_AFTER = 86_400
"""Seconds without a new file after which an attempt that was not committed is taken for dead."""
_PENDING = re.compile(
    r"\.{1,2}(?P<file>[^.].*-\d+\.parquet)\.(?P<attempt>[0-9a-f]{8})\.pending(?P<part>\.[0-9a-f]{8}\.part)?", re.DOTALL
)


@dataclass(frozen=True)
class Commit:
    """The files of a job that is on its way to be visible.

    Attributes:
        job: Its name, escaped.
        pending: The files as they were written, relative to the log's folder.
    """

    job: str
    pending: tuple[str, ...]


def pending_path(folder: Path, day: np.datetime64, file: str, attempt: str) -> Path:
    """Where an attempt (8 hexadecimal digits) writes a file until it is committed."""
    return folder / date_folder(day) / f".{file}.{attempt}.pending"


def commit(folder: Path, job: str, pending: Sequence[Path]) -> None:
    """Make these the files of a job, all at once.

    Raises:
        StorageError: The disk is full or refuses, or a file is gone; nothing has become visible.
    """
    marker = folder / COMMITS / f"{job}.json"
    with _told(folder), locked(folder, shared=False):
        for path in pending:
            path.stat()
        told = {"job": job, "pending": [path.relative_to(folder).as_posix() for path in pending]}
        with replacing(marker, "the commit of a job to the inference log") as part:
            part.write_text(json.dumps(told), encoding="utf-8")
        # The job is visible from here on, and the next writer tidies up what a disk refuses now.
        with suppress(OSError):
            _roll_forward(folder)


def discard(folder: Path, job: str, pending: Sequence[Path]) -> None:
    """Delete what an attempt wrote, but not what is committed: an interruption may come right after that."""
    if not (folder / COMMITS / f"{job}.json").exists():
        for path in pending:
            with suppress(OSError):  # an earlier error is the one to tell, and `recover` comes by later
                path.unlink(missing_ok=True)


def recover(folder: Path) -> None:
    """Finish the jobs that were killed after their commit, and delete what others left that are surely dead.

    Raises:
        StorageError: The folder may not be written to.
    """
    with _told(folder), locked(folder, shared=False):
        _roll_forward(folder)
        attempts: dict[tuple[str | None, str], list[Path]] = defaultdict(list)
        for _, day in days(folder):
            for path in day.iterdir():
                if found := _PENDING.fullmatch(path.name):
                    attempts[job_of(found["file"]), found["attempt"]].append(path)
        for paths in attempts.values():
            if max(map(_written, paths)) < time.time() - DEAD_AFTER:
                for path in paths:
                    path.unlink(missing_ok=True)


def expire(folder: Path, before: date) -> int:
    """Remove the files of all days before this one; files that are not of the log stay.

    Returns:
        How many files were removed.

    Raises:
        StorageError: The folder may not be written to.
    """
    removed = 0
    with _told(folder), locked(folder, shared=False):
        _roll_forward(folder)
        for day, path in days(folder):
            if day < np.datetime64(before, "D"):
                for file in _files(path):
                    if job_of(file.name) is not None:
                        file.unlink()
                        removed += 1
                with suppress(OSError):  # something else is in there
                    path.rmdir()
    return removed


def visible(folder: Path, first: np.datetime64, last: np.datetime64) -> tuple[list[Path], list[Path]]:
    """Files of the days from ``first`` to ``last``, as all commits say; to be called while the log is locked.

    Returns:
        The files, and what in ``_commits`` is no commit.
    """
    commits, foreign = _commits(folder)
    moving = {one.job for one in commits}
    found = [
        file
        for day, path in days(folder)
        if first <= day <= last
        for file in _files(path)
        if job_of(file.name) not in moving
    ]
    for pending in (folder / name for one in commits for name in one.pending):
        day = day_of(pending.parent.name)
        if day is not None and first <= day <= last:
            found.append(pending if pending.exists() else _final(pending))
    return sorted(found), foreign


def days(folder: Path) -> Iterator[tuple[np.datetime64, Path]]:
    """Each day that the log has a folder of."""
    if folder.is_dir():
        for name in sorted(os.listdir(folder)):
            day = day_of(name)
            if day is not None:
                yield day, folder / name


@contextmanager
def locked(folder: Path, *, shared: bool) -> Iterator[None]:
    """Keep others from moving files (``shared``: for readers), or from looking, too (for writers).

    Where no writer has ever been, there is nothing to lock for a reader, who may not be allowed to write.
    """
    path = folder / COMMITS / "lock"
    if not shared:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = os.open(path, os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        if not shared:
            raise
        yield
        return
    try:
        fcntl.flock(held, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _roll_forward(folder: Path) -> None:
    for one in _commits(folder)[0]:
        files = [folder / name for name in one.pending]
        for pending in files:
            with suppress(FileNotFoundError):  # it has its name since before the kill
                pending.rename(_final(pending))
        kept = {_final(pending) for pending in files}
        for _, day in days(folder):
            for file in _files(day):
                if job_of(file.name) == one.job and file not in kept:
                    file.unlink()
        (folder / COMMITS / f"{one.job}.json").unlink()


def _commits(folder: Path) -> tuple[list[Commit], list[Path]]:
    found, foreign = [], []
    for path in sorted((folder / COMMITS).glob("[!.]*.json")):
        one = _commit(path)
        found.extend([one] if one else [])
        foreign.extend([] if one else [path])
    return found, foreign


def _commit(path: Path) -> Commit | None:
    """What a list says; None where it is none of this log: files are moved by its names, so that they are checked."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        pending = tuple(told["pending"])
        wholly = all(_is_pending(name, told["job"]) for name in pending)
    except (ValueError, KeyError, TypeError):
        return None
    return Commit(told["job"], pending) if wholly and path.name == f"{told['job']}.json" else None


def _is_pending(name: str, job: str) -> bool:
    day, _, file = name.partition("/")
    found = _PENDING.fullmatch(file)
    return day_of(day) is not None and found is not None and job_of(found["file"]) == job


def _final(pending: Path) -> Path:
    found = _PENDING.fullmatch(pending.name)
    if found is None:
        raise ValueError(f"{pending.name} is no name of a file to be committed")
    return pending.with_name(found["file"])


def _files(day: Path) -> list[Path]:
    """What a folder shows; by custom, what begins with a dot or an underscore is not meant for readers."""
    return [day / name for name in sorted(os.listdir(day)) if not name.startswith((".", "_"))]


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # an attempt that moves its files is alive
        return time.time()


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"the inference log {folder} cannot be changed: {error.strerror}",
            expected="a folder that may be written to",
            got=str(error.filename or folder),
            hint="free space there, or mend who may write, and run it again; what was committed is whole",
        ) from error
