from __future__ import annotations

import itertools
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inference_logs import LOGGED, origin, values, window

from mlops_mlflow.engines.inference_log import LogWriter

BEGIN, HOURS = datetime(2013, 12, 30, tzinfo=UTC), 24 * 5
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MOMENT = (
    st.none() | st.integers(0, HOURS * 3_600_000_000 - 1) | st.integers(0, HOURS - 1).map(lambda h: h * 3_600_000_000)
)
ROWS = st.lists(st.tuples(MOMENT, st.integers(0, 3)), max_size=30)


def moments(rows: list[int | None]) -> np.ndarray:
    begin = np.datetime64(BEGIN.replace(tzinfo=None), "us")
    return np.array([np.datetime64("NaT", "us") if row is None else begin + np.timedelta64(row, "us") for row in rows])


@QUICK
@given(
    rows=ROWS,
    cuts=st.lists(st.integers(1, HOURS - 1) | st.sampled_from([24, 48, 72]), max_size=6),
    again=st.sets(st.integers(0, 3)),
)
def test_whatever_is_written_is_read_once_however_it_is_divided_into_jobs_and_windows(
    tmp_path: Path, rows: list[tuple[int | None, int]], cuts: list[int], again: set[int]
) -> None:
    log = tmp_path / "log"
    shutil.rmtree(log, ignore_errors=True)
    times = moments([time for time, _ in rows]).astype("datetime64[us]")
    jobs = np.array([job for _, job in rows], dtype=int)
    # Some jobs are run again, under the same name; some of their rows come in under another one, too.
    for name, job, hours in [
        *((f"{job}", job, 0) for job in range(4)),
        *((f"{job}", job, 0) for job in again),
        *((f"{job} again", job, 1) for job in again),
    ]:
        mine = np.flatnonzero((jobs == job) & ((hours == 0) | ~np.isnat(times)))
        by = origin(LOGGED + timedelta(hours=hours))
        with LogWriter(log, name, by, inputs={"x": pa.float64()}, request=f"{job}") as file:
            for some in np.array_split(mine, 2):
                file.write(some, pd.DataFrame({"x": some + 1000.0 * hours}), event_times=times[some])

    ends = [0, *sorted(set(cuts)), HOURS]
    windows = [
        (one := window(log, BEGIN + timedelta(hours=begin), BEGIN + timedelta(hours=end)), values(one))
        for begin, end in itertools.pairwise(ends)
    ]

    newest = [n + (1000.0 if jobs[n] in again and not np.isnat(times[n]) else 0.0) for n in range(len(rows))]
    read = [value for _, found in windows for value in found]
    assert sorted(read) == sorted(newest)
    assert sum(one.rows for one, _ in windows) == len(rows)
    assert sum(one.duplicates for one, _ in windows) == sum(value >= 1000 for value in newest)
