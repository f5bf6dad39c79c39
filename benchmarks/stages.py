"""Each stage as a run of MLflow, less the same call of the stage's module alone, in one process."""

from __future__ import annotations

import contextlib
import importlib
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.plain_logging import log_plainly
from benchmarks.report import Figure
from benchmarks.timing import fresh, say


@dataclass(frozen=True)
class Times:
    """Seconds of one stage.

    Attributes:
        whole: As a run: its inputs, its work, its records, its card.
        alone: Its module's work, the records only listed.
        plain: Logging the same records as directly as MLflow allows.
    """

    whole: float
    alone: float
    plain: float

    @property
    def over(self) -> float:
        """What the run costs beyond a plain script that does the same work and logs the same records."""
        return self.whole - self.alone - self.plain


def measure(*, repeats: int) -> list[Figure]:
    """The lifecycle of the use case that `mlops init` makes, thrown away the first time, when libraries are loaded."""
    from mlops_mlflow.lifecycle.scaffold import create_use_case

    folder = fresh("stages")
    create_use_case("small", folder)
    samples = []
    for repeat in range(repeats + 1):
        say(f"stages of a small use case, {f'{repeat}/{repeats}' if repeat else 'warming'}")
        samples.append(lifecycle(folder / "small", f"stages/store-{repeat}"))
    return figures(samples[1:])


def figures(samples: list[dict[str, Times]]) -> list[Figure]:
    """Largest and mean of the stages' medians, each stage's, and the floor."""

    def of(stage: str, name: str) -> float:
        return median(getattr(one[stage], name) for one in samples)

    over = {stage: of(stage, "over") for stage in samples[0]}
    work, logging = (sum(of(stage, name) for stage in over) for name in ("alone", "plain"))
    whole = sum(of(stage, "whole") for stage in over)
    found = [
        Figure("seconds_per_stage", max(over.values()), "beyond a plain script, the worst stage", "s", "< 0.3 s"),
        Figure("seconds_per_stage_mean", mean(over.values()), "the same, mean of the stages", "s"),
        Figure("floor_ratio", whole / (work + logging), "all stages / a plain script of the same", "x"),
    ]
    for stage, seconds in over.items():
        told = f"  {stage}: beyond {of(stage, 'alone'):.2f} s of work and {of(stage, 'plain'):.2f} s of plain logging"
        found.append(Figure(f"seconds_{stage}", seconds, told, "s"))
    return found


def lifecycle(use_case: Path, name: str) -> dict[str, Times]:
    """Times of every stage, on a fresh store, so that nothing can be reused."""
    from mlops_mlflow.lifecycle.plan import STAGES

    with opened(use_case, name) as session:
        return {stage: _times(session, stage) for stage in STAGES}


@contextlib.contextmanager
def opened(use_case: Path, name: str) -> Iterator[Any]:
    """A lifecycle with a SQLite store of its own in a folder of that name; artifacts go there, too."""
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.plan import MAIN
    from mlops_mlflow.lifecycle.session import open_session

    store, here = fresh(name), Path.cwd()
    os.chdir(store)
    try:
        session = open_session(load_folder(use_case), target=MAIN, tracking_uri=f"sqlite:///{store / 'mlflow.db'}")
        try:
            with session.working():
                yield session
        finally:
            session.close()
    finally:
        os.chdir(here)


def _times(session: Any, stage: str) -> Times:
    from mlops_mlflow.lifecycle.execute import run_stages
    from mlops_mlflow.lifecycle.wiring import WIRING

    module = importlib.import_module(f"mlops_mlflow.stages.{stage}")
    records: list[Any] = []
    inputs = WIRING[stage](session)  # before the run, which may leave something to reuse
    with warnings.catch_warnings(record=True):  # what the libraries say is no part of the figures
        alone = seconds(lambda: module.run(inputs, records.append))
        whole = seconds(lambda: run_stages(session, stage))
        plain = seconds(lambda: log_plainly(session.tracker.client, session.tracker.experiment_id, records))
    return Times(whole, alone, plain)


def seconds(work: Any) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
