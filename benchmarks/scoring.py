"""A batch scored by `mlops score`, beside the plain script: read with pandas, predict, write."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.report import Figure, ratio
from benchmarks.timing import HERE, fresh, run, say

ROWS, KNOWN = 1_000_000, 50_000
MANY = 4 * ROWS
SCORE = (sys.executable, "-m", "mlops_mlflow.cli", "score", ".", "--version", "1", "--output", "scored.parquet")


def measure(*, repeats: int, quick: bool) -> list[Figure]:
    """Memory first, in fresh processes, while this one is small; then both sides in turns, libraries loaded."""
    folder = _trained()
    batch = _orders(folder, ROWS)
    peaks = [] if quick else [_peak(folder, batch), _peak(folder, _orders(folder, MANY))]
    ours, plain = _in_turns(folder, batch, repeats)
    found = [
        Figure("ratio", ratio(ours, plain), "`mlops score` / plain script, 1,000,000 x 20 rows", "x", "<= 1.3"),
        Figure("rows_per_second", ROWS / median(ours), "rows a second"),
        Figure("seconds", median(ours), "`mlops score`: its run, contract, output, inference log", "s"),
        Figure("plain_seconds", median(plain), "plain: load, read, predict, write", "s"),
    ]
    if not quick:
        growth = "peak memory for 4,000,000 rows / for 1,000,000"
        found += [
            Figure("peak_mb", peaks[0], "peak memory of the fresh process", "MB"),
            Figure("peak_mb_four_million", peaks[1], "the same for 4,000,000 rows", "MB"),
            Figure("peak_growth", peaks[1] / peaks[0], growth, "x", "<= 1.1"),
        ]
    return found


def _trained() -> Path:
    """A folder of the use case with its first version."""
    folder = fresh("scoring", HERE / "orders")
    _orders(folder, KNOWN, "orders.parquet", "known")
    say("training")
    run((sys.executable, "-m", "mlops_mlflow.cli", "run", "."), folder=folder)
    return folder


def _orders(folder: Path, rows: int, name: str = "", *words: str) -> Path:
    path = folder / (name or f"batch-{rows}.parquet")
    say(f"writing {rows:,} rows")
    run((sys.executable, str(HERE / "orders_table.py"), path.name, str(rows), *words), folder=folder)
    return path


def _peak(folder: Path, batch: Path) -> float:
    say(f"memory: {batch.name}")
    return run((*SCORE, "--input", batch.name), folder=folder).peak_mb


def _in_turns(folder: Path, batch: Path, repeats: int) -> tuple[list[float], list[float]]:
    from mlops_mlflow.lifecycle.display import Silent
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.operate.score import Asked, score

    here, use_case = Path.cwd(), load_folder(folder)
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"
    sides: tuple[list[float], list[float]] = ([], [])
    calls: tuple[Callable[[], object], ...] = (
        lambda: score(use_case, Asked(batch.name, "scored.parquet", "1"), display=Silent()),
        lambda: _plain(batch),
    )
    try:
        with warnings.catch_warnings(record=True):  # what the libraries say is no part of the figures
            for repeat in range(repeats + 1):
                say(f"both sides, {f'{repeat}/{repeats}' if repeat else 'warming'}")
                for side, call in zip(sides, calls, strict=True):
                    began = time.perf_counter()
                    call()
                    side.append(time.perf_counter() - began)
    finally:
        os.chdir(here)
        del os.environ["MLFLOW_TRACKING_URI"]
    return sides[0][1:], sides[1][1:]


def _plain(batch: Path) -> None:
    """What a short script does: no check, no log, no run."""
    import mlflow.sklearn
    import pandas as pd

    model = mlflow.sklearn.load_model("models:/orders/1")
    rows = pd.read_parquet(batch)
    probability = model.predict_proba(rows)[:, 1]
    decided = (probability >= model.threshold).astype(int)
    rows.assign(prediction=decided, probability=probability).to_parquet("plain.parquet", index=False)
