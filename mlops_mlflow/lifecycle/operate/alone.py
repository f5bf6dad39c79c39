"""One process at a time for work that must not be done twice."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_mlflow.core.errors import StorageError
from mlops_mlflow.lifecycle.display import Display


@contextmanager
def alone(folder: Path, what: str, *, display: Display) -> Iterator[None]:
    """Wait until no other process is at this work; the lock goes with the process that has it.

    Args:
        folder: That all these processes share.
        what: The work; the name of the lock's file, too.
        display: Says that one waits.

    Raises:
        StorageError: The folder may not be written to.
    """
    path = folder / f".{what}.lock"
    try:
        file = path.open("a")
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened: {error.strerror or error}",
            expected="a folder of the inference log that may be written to",
            got=str(folder),
            hint="mend who may write there; a lock keeps two processes from doing the same",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            display.say(f"another process does `mlops {what}` here; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
