"""One job on both sides: MLflow Recipes, the peer, and ours; with the launcher and the floors beside them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.report import Figure, ratio
from benchmarks.timing import HERE, MLFLOW_RUN, MLOPS, WORK, Measured, clean_environment, fresh, run, say

Samples = dict[str, list[Measured]]


def measure(*, repeats: int, quick: bool) -> list[Figure]:  # noqa: ARG001  # every benchmark is asked the same way
    """Run every side as often as asked, in turn, and compare medians."""
    WORK.mkdir(exist_ok=True)
    data, peer = flights(), peer_environment()
    sides = {"peer": lambda: _peer(peer, data), "ours": lambda: _ours(data), "launcher": lambda: _launcher(data)}
    sides |= {"launcher_floor": _launcher_floor, "plain": lambda: _plain(data)}
    for name in ("ours", "launcher_floor", "plain"):
        say(f"warming {name}: bytecode of what it imports is written")
        list(sides[name]())
    samples: Samples = defaultdict(list)
    for repeat in range(repeats):
        order = list(sides) if repeat % 2 == 0 else list(reversed(sides))
        for side in order:
            for name, one in sides[side]():
                samples[name].append(one)
                say(f"{repeat + 1}/{repeats}  {name:16} {one.seconds:6.1f} s  {one.cpu_seconds:6.1f} s of CPU")
    return figures(samples)


def figures(samples: Samples) -> list[Figure]:
    """Ratios, and the medians behind them."""
    seconds = {name: [one.seconds for one in found] for name, found in samples.items()}
    cpu = {name: [one.cpu_seconds for one in found] for name, found in samples.items()}
    found = [
        Figure("cold_ratio", ratio(seconds["peer_cold"], seconds["ours_cold"]), "peer cold / ours cold", "x", "≥ 8"),
        Figure("cold_cpu_ratio", ratio(cpu["peer_cold"], cpu["ours_cold"]), "the same in time of CPU", "x"),
        Figure(
            "cached_ratio",
            ratio(seconds["peer_cached"], seconds["ours_cached"]),
            "peer cached / ours cached",
            "x",
            "≥ 1",
        ),
        Figure(
            "launcher_cold_ratio",
            ratio(seconds["peer_cold"], seconds["launcher_cold"]),
            "peer cold / `mlflow run .` cold",
            "x",
            "≥ 5",
        ),
        Figure(
            "launcher_cached_over_floor_seconds",
            median(seconds["launcher_cached"]) - median(seconds["launcher_floor"]),
            "`mlflow run .` cached, above `mlflow run` of `import mlflow`",
            "s",
            "≤ 1 s",
        ),
        Figure("floor_ratio", ratio(seconds["ours_cold"], seconds["plain"]), "ours cold / plain script", "x"),
    ]
    for name in samples:
        told = name.replace("_", " ")
        found.append(Figure(f"{name}_seconds", median(seconds[name]), told, "s"))
        found.append(Figure(f"{name}_cpu_seconds", median(cpu[name]), f"{told}, user + system", "s"))
    return found


def flights() -> Path:
    """The table that all sides read, written once."""
    path = WORK / "flights.parquet"
    if not path.exists():
        say("writing the flights table")
        part = path.with_suffix(".part")  # so that what was interrupted is not taken for the whole
        _call(sys.executable, HERE / "flights_table.py", part)
        part.rename(path)
    return path


def peer_environment() -> Path:
    """The peer's own Python, made once: it needs an MLflow that ours is newer than."""
    venv = WORK / "peer-venv"
    done = venv / "complete"
    if not done.exists():
        say("making the peer's environment")
        shutil.rmtree(venv, ignore_errors=True)
        _call(sys.executable, "-m", "venv", venv)
        _call(
            venv / "bin" / "pip", "--disable-pip-version-check", "-q", "install", "-r", HERE / "peer/requirements.txt"
        )
        # So that no figure holds the compiling. Some packages carry files that no Python compiles.
        subprocess.run([venv / "bin/python", "-m", "compileall", "-q", venv / "lib"], check=False, capture_output=True)  # noqa: S603
        done.touch()
    return venv


def _peer(venv: Path, data: Path) -> Iterator[tuple[str, Measured]]:
    folder = fresh("peer", HERE / "peer")
    (folder / "data").mkdir()
    shutil.copy(data, folder / "data")
    environment = clean_environment(
        folder,
        first_on_path=venv / "bin",
        MLFLOW_RECIPES_EXECUTION_DIRECTORY=str(folder / ".recipes"),
        GIT_PYTHON_REFRESH="quiet",
        BROWSER="true",  # it would open its card
    )
    for state in ("cold", "cached"):
        command = (str(venv / "bin/mlflow"), "recipes", "run", "--profile", "local")
        yield f"peer_{state}", run(command, folder=folder, environment=environment)


def _ours(data: Path) -> Iterator[tuple[str, Measured]]:
    folder = fresh("ours", HERE / "flights", data)
    for state in ("cold", "cached"):
        yield f"ours_{state}", run((*MLOPS, "."), folder=folder)


def _launcher(data: Path) -> Iterator[tuple[str, Measured]]:
    folder = fresh("launcher", HERE / "flights", data)
    for state in ("cold", "cached"):
        yield f"launcher_{state}", run((*MLFLOW_RUN, "."), folder=folder)


def _launcher_floor() -> Iterator[tuple[str, Measured]]:
    folder = fresh("floor", HERE / "floor")
    run((*MLFLOW_RUN, "."), folder=folder)  # makes the store: the cached launcher, which stands beside it, has one
    yield "launcher_floor", run((*MLFLOW_RUN, "."), folder=folder)


def _plain(data: Path) -> Iterator[tuple[str, Measured]]:
    folder = fresh("plain")
    # As `mlops` sets it: with the default a fit beside other work takes many times as long, and a floor must be low.
    environment = clean_environment(folder, GOMP_SPINCOUNT="1000")
    yield "plain", run((sys.executable, str(HERE / "plain.py"), str(data)), folder=folder, environment=environment)


def _call(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # commands of ours
