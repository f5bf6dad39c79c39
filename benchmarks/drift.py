"""Drift of a window of a million rows against a stored profile, beside Evidently's preset; a week of flights."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import Figure, ratio
from benchmarks.timing import HERE, clean_environment, fresh, run, say

ROWS, TIMES = 1_000_000, 100
MILLION = 1_000_000
WEEKS = ("2013-07-01", "2013-07-29", "2013-08-05", "2013-W27", "2013-W28", "2013-W29", "2013-W30")
"""Begin and end of a replay, the day on which its weeks are looked at again, and the weeks."""


@dataclass(frozen=True)
class Side:
    """What a process says of itself, and its peak memory."""

    seconds: float
    rows: int
    flagged: frozenset[str]
    peak_mb: float


def measure(*, repeats: int, quick: bool) -> list[Figure]:
    """Evidently once, as it takes a minute; ours several times, once with a hundred times the rows, and on flights."""
    folder = fresh("drift")
    say("writing rows")
    _asked(folder, "write", "reference.parquet", ROWS, 1)
    _asked(folder, "write", "window.parquet", ROWS, 2, "moved")
    _asked(folder, "refer", "reference.parquet", "profile.json")
    say("ours")
    ours = [_side(folder, "ours", "profile.json", "window.parquet", 1) for _ in range(repeats)]
    many = None
    if not quick:
        say(f"ours, {TIMES} million rows")
        many = _side(folder, "ours", "profile.json", "window.parquet", TIMES)
    say("Evidently")
    peer = _side(folder, "evidently", "reference.parquet", "window.parquet")
    return [*figures(ours, many, peer), *([] if quick else [_weekly(folder)])]


def _weekly(folder: Path) -> Figure:
    """Weeks of flights that do not alarm, looked at again by a process that has looked at one."""
    say("weeks of flights")
    flights, store = HERE.parent / "projects" / "flight_delays", folder / "replay"
    environment = clean_environment(folder, PYTHONPATH=str(HERE.parent))
    asked = ("replay", str(flights), "--since", WEEKS[0], "--until", WEEKS[1], "--store", str(store))
    run((sys.executable, "-m", "mlops_mlflow.cli", *asked), folder=folder, environment=environment)
    environment |= {"MLOPS_INFERENCE_LOG": str(store / "inference_log")}
    told, _ = _asked(store, "look", flights, WEEKS[2], *WEEKS[3:], environment=environment)
    quiet = [seconds for seconds, health in zip(told["seconds"], told["health"], strict=True) if health != "alarm"]
    return Figure("window_seconds", median(quiet[1:]), "a week of flights, process running, no alarm", "s", "< 1")


def figures(ours: list[Side], many: Side | None, peer: Side) -> list[Figure]:
    """Of one million rows on both sides, and of many on ours."""
    seconds = [one.seconds for one in ours]
    found = [
        Figure("ratio", ratio([peer.seconds], seconds), "Evidently's preset / ours, 1,000,000 x 20", "x", "≥ 50"),
        Figure("peak_mb", max(one.peak_mb for one in ours), "peak memory of our fresh process", "MB", "< 600"),
        Figure("seconds", sorted(seconds)[len(seconds) // 2], "ours: file and stored profile to findings", "s"),
        Figure("peer_seconds", peer.seconds, "Evidently: frames to metrics", "s"),
        Figure("peer_peak_mb", peer.peak_mb, "peak memory of Evidently's process", "MB"),
        Figure(
            "same_flagged", float(all(one.flagged == peer.flagged for one in ours)), "same columns flagged", "", "1"
        ),
        Figure("flagged", len(peer.flagged), "columns flagged by Evidently, of 3 shifted"),
    ]
    if many is not None:
        each = many.seconds / many.rows * MILLION
        growth = each / ratio(seconds, [one.rows / MILLION for one in ours])
        found += [
            Figure("seconds_per_million_rows", each, f"ours, {many.rows:,} rows: a million of them", "s"),
            Figure("growth", growth, "the same, beside one million alone", "x", "≤ 1.2"),
            Figure("peak_mb_many", many.peak_mb, f"peak memory, {many.rows:,} rows", "MB"),
        ]
    return found


def _side(folder: Path, *asked: object) -> Side:
    told, peak = _asked(folder, *asked)
    return Side(told["seconds"], told["rows"], frozenset(told["flagged"]), peak)


def _asked(folder: Path, *asked: object, environment: Mapping[str, str] | None = None) -> tuple[dict[str, Any], float]:
    """What a side's last line says, and the peak of its memory."""
    environment = {**(environment or {}), **clean_environment(folder, PYTHONPATH=str(HERE.parent))}
    command = (sys.executable, "-m", "benchmarks.drift_sides", *map(str, asked))
    used = run(command, folder=folder, environment=environment)
    return json.loads((folder / "output.log").read_text(encoding="utf-8").splitlines()[-1]), used.peak_mb
