"""A registry of many models and records: decisions, status, verification, and what MLflow's own calls take in it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from benchmarks.registry_database import ANN, EVIDENCE, MODELS, RECORDS, VERSIONS, database, name_of
from benchmarks.report import Figure
from benchmarks.timing import fresh, say
from mlops_mlflow.core.policy.evidence import Evidence

CALLS = 40
"""Of each kind and on each side, in one repeat; each is of another model, so that nothing is warm."""


def measure(*, repeats: int, quick: bool) -> list[Figure]:  # noqa: ARG001  # as every benchmark is called
    """On a copy, for MLflow's calls write."""
    path = fresh("registry") / "registry.db"
    shutil.copyfile(database(), path)
    address = f"sqlite:///{path}"
    return [*_looks(address, repeats), _verification(address, repeats), *_overhead(address, repeats)]


def _looks(address: str, repeats: int) -> list[Figure]:
    from mlops_mlflow.core.policy.document import DEFAULT
    from mlops_mlflow.governance.database.registry import open_registry
    from mlops_mlflow.governance.desk.desk import Desk
    from mlops_mlflow.governance.desk.standing import standing

    registry = open_registry(address)
    desk = Desk(registry, DEFAULT, ANN, _given)
    say("decisions")
    decisions = [_seconds(partial(desk.look, name, str(VERSIONS), "Production")) for name in _names(CALLS * repeats)]
    say("status")
    statuses = []
    for name in _names(repeats):
        began = time.perf_counter()
        opened = open_registry(address)
        standing(Desk(opened, DEFAULT, ANN, desk.evidence), name)
        statuses.append(time.perf_counter() - began)
        opened.store.engine.dispose()
    return [
        Figure("decision_ms", 1000 * median(decisions), "read a model, decide about a version", "ms", "<= 50"),
        Figure("status_seconds", median(statuses), "open the registry, status of a model", "s", "<= 1"),
    ]


def _given(*_: object) -> Evidence:
    """Reading evidence is reading artifacts, which is not what is measured."""
    return EVIDENCE


def _verification(address: str, repeats: int) -> Figure:
    from mlops_mlflow.governance.audit import verify
    from mlops_mlflow.governance.database.registry import open_registry

    registry, seconds = open_registry(address), []
    for repeat in range(repeats):
        say(f"verification, {repeat + 1}/{repeats}")
        began = time.perf_counter()
        report = verify(registry)
        seconds.append(time.perf_counter() - began)
        if report.head is None or report.head.sequence != RECORDS or report.unexplained:
            raise RuntimeError(f"not what was to be measured: {report.broken or report.unexplained[:3]}")
    what = f"follow {RECORDS:,} records, compare {MODELS:,} models"
    return Figure("verify_seconds", median(seconds), what, "s", "<= 10")


def _overhead(address: str, repeats: int) -> list[Figure]:
    """Ordinary calls, in turns: through the store with the policy inside, and through MLflow's own."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from mlops_mlflow.governance.database.policy_store import PolicyStore

    ours, stock = PolicyStore(f"mlops+{address}"), SqlAlchemyStore(address)
    found, totals = [], [0.0, 0.0]
    for what, call in _calls().items():
        say(what)
        sides: tuple[list[float], list[float]] = ([], [])
        for turn, name in enumerate(_names(CALLS * repeats)):
            order = ((0, ours), (1, stock)) if turn % 2 else ((1, stock), (0, ours))
            for side, store in order:
                sides[side].append(_seconds(partial(call, store, name)))
        middles = [median(each) for each in sides]
        totals = [total + one for total, one in zip(totals, middles, strict=True)]
        found.append(Figure(f"overhead_{what}", middles[0] / middles[1], f"{what}, of MLflow's own time"))
    target = Figure("store_overhead", totals[0] / totals[1], "one of each of these calls", "", "<= 1.1")
    return [target, *found]


def _calls() -> dict[str, Callable[[Any, str], object]]:
    from mlflow.entities.model_registry import ModelVersionTag

    return {
        "get_model_version": lambda store, name: store.get_model_version(name, "7"),
        "search_model_versions": lambda store, name: store.search_model_versions(f"name = '{name}'", max_results=100),
        "set_model_version_tag": lambda store, name: store.set_model_version_tag(
            name, "7", ModelVersionTag("seen", str(time.perf_counter_ns()))
        ),
        "create_model_version": lambda store, name: store.create_model_version(name, "file:///model", "a" * 32),
    }


def _names(count: int) -> list[str]:
    """Of models far from each other."""
    return [name_of(number * 619 % MODELS) for number in range(count)]


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
