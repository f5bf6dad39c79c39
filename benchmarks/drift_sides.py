"""The sides of the benchmark ``drift``, each in a process of its own; figures are one JSON object as the last line.

usage: python -m benchmarks.drift_sides write OUT.parquet ROWS SEED [moved]
       python -m benchmarks.drift_sides refer FILE.parquet OUT.json
       python -m benchmarks.drift_sides ours PROFILE.json FILE.parquet TIMES
       python -m benchmarks.drift_sides evidently REFERENCE.parquet CURRENT.parquet
       python -m benchmarks.drift_sides look USE_CASE UNTIL WINDOW...
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import click

BATCH = 100_000


def write(out: str, rows: str, seed: str, *moved: str) -> dict[str, Any]:
    """Twenty columns of mixed kinds, in batches, so that making them needs little memory."""
    import numpy as np
    import pyarrow.parquet as pq

    from benchmarks import alarms

    def batch(first: int) -> Any:
        made = alarms.drawn(np.random.default_rng((int(seed), first)), min(BATCH, int(rows) - first))
        return alarms.arrow(alarms.moved(made) if moved else made)

    with pq.ParquetWriter(out, batch(0).schema) as writer:
        for first in range(0, int(rows), BATCH):
            writer.write_table(batch(first))
    return {}


def refer(file: str, out: str) -> dict[str, Any]:
    """The profile that a version carries."""
    from mlops_mlflow.engines.profile import profile

    Path(out).write_text(json.dumps(profile(Path(file), target=None, event_time=None).to_dict()), encoding="utf-8")
    return {}


def ours(known: str, file: str, times: str) -> dict[str, Any]:
    """From the stored profile and the window's file, listed so many times, to what is found."""
    import duckdb  # noqa: F401  # neither side's imports count
    from scipy import special  # noqa: F401

    from mlops_mlflow.core.monitoring.drift import drift_signals
    from mlops_mlflow.core.monitoring.feed import feed_signals
    from mlops_mlflow.core.profiles import TableProfile
    from mlops_mlflow.core.usecase.data import Contract
    from mlops_mlflow.engines.profile import profile

    began = time.perf_counter()
    reference = TableProfile.from_dict(json.loads(Path(known).read_text(encoding="utf-8")))
    window = profile([Path(file)] * int(times), target=None, event_time=None, reference=reference)
    names = [column.name for column in reference.columns]
    signals = drift_signals(reference, window, importances=dict.fromkeys(names, 1.0), minimum_rows=1)
    signals += feed_signals(reference, window, columns=names, contract=Contract(), minimum_rows=1)
    flagged = sorted({one.subject for one in signals if one.health in ("warning", "alarm")})
    return {"seconds": time.perf_counter() - began, "rows": window.rows, "flagged": flagged}


def evidently(reference: str, current: str) -> dict[str, Any]:
    """Its drift preset on frames in memory."""
    warnings.simplefilter("ignore")
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    frames = [pd.read_parquet(path) for path in (current, reference)]
    kinds = frames[0].dtypes
    numbers = [str(name) for name in kinds.index if kinds[name].kind in "fi"]
    levels = [str(name) for name in kinds.index if name not in numbers]
    frames = [frame.astype(dict.fromkeys(levels, str)) for frame in frames]  # of truth values it knows no drift
    began = time.perf_counter()
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=levels)
    found = Report([DataDriftPreset()]).run(*(Dataset.from_pandas(one, data_definition=definition) for one in frames))
    seconds = time.perf_counter() - began
    measured = [one for one in found.dict()["metrics"] if "column" in one["config"]]
    # Above a thousand rows of the reference all of its methods are distances.
    flagged = sorted(one["config"]["column"] for one in measured if one["value"] >= one["config"]["threshold"])
    return {"seconds": seconds, "rows": len(frames[0]), "flagged": flagged}


def look(use_case: str, until: str, *windows: str) -> dict[str, Any]:
    """Windows looked at again, one after the other; seconds and health of each."""
    warnings.simplefilter("ignore")
    from mlops_mlflow.lifecycle.display import Silent
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.operate import monitor

    folder, whole, seconds = load_folder(Path(use_case)), monitor.look, list[float]()

    def timed(*asked: Any, **more: Any) -> Any:
        began = time.perf_counter()
        try:
            return whole(*asked, **more)
        finally:
            seconds.append(time.perf_counter() - began)

    monitor.look = timed
    found = [monitor.monitor(folder, monitor.Asked(until, window), display=Silent()) for window in windows]
    return {"seconds": seconds, "health": [one.looked[0].health for one in found]}


if __name__ == "__main__":
    sides = {one.__name__: one for one in (write, refer, ours, evidently, look)}
    click.echo(json.dumps(sides[sys.argv[1]](*sys.argv[2:])))
