"""A small inference log for tests; as a script, a job that is killed by its own hand at its n-th statement.

usage: python inference_logs.py FOLDER STATEMENT; prints how many statements there were when it survives
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_mlflow.engines import inference_log
from mlops_mlflow.engines.inference_log import LogWriter, Origin, Selected, select_window

LOGGED = datetime(2014, 1, 1, 12, tzinfo=UTC)
EARLY, LATE = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def origin(logged_at: datetime = LOGGED, *, version: str = "1", role: Any = "batch", model: str = "flights") -> Origin:
    return Origin(model, version, role, logged_at)


def put(
    folder: Path,
    job: str,
    times: Sequence[str | None],
    *,
    values: Sequence[float] | None = None,
    first: int = 0,
    origin: Origin = origin(),  # noqa: B008 - it is frozen
    **more: Any,
) -> None:
    """Log rows of a regression with one input ``x``; values are 0, 1, 2, ... when left out."""
    rows = np.arange(first, first + len(times))
    moments = np.array([time or "NaT" for time in times], dtype="datetime64[us]")
    frame = pd.DataFrame({"x": np.asarray(rows if values is None else values, dtype=float)})
    with LogWriter(folder, job, origin, inputs={"x": pa.float64()}, **more) as log:
        log.write(rows, frame, event_times=moments, predictions=frame["x"] * 10)


def window(folder: Path, begin: datetime = EARLY, end: datetime = LATE, **more: Any) -> Selected:
    asked = {"model": "flights", "version": "1", "out": folder.parent / "window.parquet", **more}
    return select_window(folder, begin=begin, end=end, **asked)


def table(selected: Selected) -> Any:
    return pq.ParquetFile(selected.path).read()


def values(selected: Selected, column: str = "in.x") -> list[Any]:
    """Of one column; a window without a row may lack it."""
    return [row[column] for row in table(selected).select([column]).to_pylist()] if selected.rows else []


def hidden(folder: Path) -> list[str]:
    """Files that readers do not look at."""
    return sorted(path.name for path in folder.rglob("*") if path.name.startswith(".") and path.is_file())


def days(count: int) -> list[str]:
    return [f"2013-07-{day:02}T08:00" for day in range(1, count + 1)]


def _killed_at(statement: int) -> Any:
    """A trace function for the log's own statements and those of the atomic files below it."""
    own = (str(Path(inference_log.__file__).parent), str(Path(inference_log.__file__).parents[1] / "atomic.py"))
    passed = 0

    def line(frame: Any, event: str, argument: Any) -> Any:
        nonlocal passed
        if event == "line":
            passed += 1
            if passed == statement:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: Any, event: str, argument: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(own) else None

    sys.settrace(call)
    return lambda: passed


if __name__ == "__main__":
    counted = _killed_at(int(sys.argv[2]))
    put(Path(sys.argv[1]), "job", days(3), values=[100, 101, 102])
    sys.settrace(None)
    print(counted())
