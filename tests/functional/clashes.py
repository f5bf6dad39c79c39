"""Processes that move versions of one model, and what has to hold whatever becomes of them.

The organisation of these tests asks for no approvals, and evidence never changes: every legal transition is allowed, so
that as many as possible happen at once.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import mlflow
import sqlalchemy
from mlflow.exceptions import MlflowException

from mlops_mlflow.core.ledger.chain import Head, walk
from mlops_mlflow.core.ledger.record import Actor
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.evidence import PARTS, Evidence
from mlops_mlflow.governance.database import policy_store
from mlops_mlflow.governance.database.registry import DatabaseRegistry, open_registry
from mlops_mlflow.governance.desk import arrivals
from mlops_mlflow.governance.desk.arrivals import Arrival, enter
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.desk.transitions import move
from mlops_mlflow.governance.shelf import Shelf

MODEL, VERSIONS = "flights", 5
POLICY = "version: 1\nname: no approvals\n"
TARGETS = ("Production", "Production", "Production", "Staging", "None")
"""Whichever is asked for, one version stays in Production: it only leaves in exchange for another."""


def unchanging(shelf: Shelf, version: str, rules: object) -> Evidence:
    return Evidence(dict.fromkeys(PARTS, "as ever"), {"verdict": "passed", "judged": 0})


def desk_on(registry: DatabaseRegistry) -> Desk:
    return Desk(registry, Policy(name="no approvals"), Actor("ann"), unchanging)


def put_versions(address: str) -> DatabaseRegistry:
    """All versions have been in Production; the last one still is."""
    registry, client = open_registry(address), mlflow.MlflowClient(address, registry_uri=address)
    client.create_registered_model(MODEL)
    for number in map(str, range(1, VERSIONS + 1)):
        client.create_model_version(MODEL, f"file:///m-{number}")
        enter(desk_on(registry), MODEL, number, Arrival({}, "as ever"))
        move(desk_on(registry), MODEL, number, "Production")
    check(registry)
    return registry


def check(registry: DatabaseRegistry) -> Shelf:
    """What every moment has to show: one version in Production, alias and tag in step, nothing the ledger denies."""
    shelf = registry.shelf(MODEL)
    in_production = [one.number for one in shelf.in_stage("Production")]
    in_staging = [one.number for one in shelf.in_stage("Staging")]
    assert len(in_production) == 1, shelf
    assert shelf.aliases.get("champion") == in_production[0], shelf
    assert [shelf.aliases[name] for name in ("challenger",) if name in shelf.aliases] == in_staging, shelf
    for number, version in shelf.versions.items():
        assert version.registry_stage == version.tags["mlops.registry_stage"] == shelf.history.stage_of(number), shelf
    return shelf


def check_all(registry: DatabaseRegistry) -> Counter[str]:
    """The whole chain, and that each of its records left one version in Production; records by action."""
    assert isinstance(walk(registry.stored()), Head)
    history = check(registry).history
    stages: dict[str, str] = {}
    for one in history.moves:
        assert stages.get(one.version, "None") == one.begin, one
        stages[one.version] = one.to
        last_of_its_record = one is [each for each in history.moves if each.sequence == one.sequence][-1]
        if last_of_its_record and "Production" in {each.to for each in history.moves[: history.moves.index(one) + 1]}:
            assert list(stages.values()).count("Production") == 1, one
    return Counter(_action(one.text) for one in registry.stored())


def _action(text: bytes) -> str:
    return str(json.loads(text)["action"])


@contextmanager
def processes(folder: Path) -> Iterator[ForkServerContext]:
    """Processes that begin with everything imported and nothing open, under the policy without approvals."""
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    os.environ["MLOPS_POLICY"] = str(folder / "policy.yaml")
    context = multiprocessing.get_context("forkserver")
    # What this module imports: it takes seconds. The module itself is not on the path of that process.
    context.set_forkserver_preload([policy_store.__name__, arrivals.__name__, "mlflow"])
    try:
        yield context
    finally:
        del os.environ["MLOPS_POLICY"]


def client_of(address: str, name: str, folder: Path) -> mlflow.MlflowClient:
    """MLflow's own client in this process, for somebody, behind the policy."""
    os.environ.update({"LOGNAME": name, "MLOPS_POLICY": str(folder / "policy.yaml")})
    policy_store.evidence_reader = lambda tracker: unchanging  # type: ignore[assignment]
    warnings.simplefilter("ignore", FutureWarning)  # MLflow on registry stages
    client = mlflow.MlflowClient(address, registry_uri=f"mlops+{address}")
    client.get_registered_model(MODEL)
    return client


def ask_often(address: str, folder: Path, seed: int, times: int, barrier: Barrier, answers: Any) -> None:
    """A process that asks for one transition after another; what it was told goes into a queue."""
    client, draw = client_of(address, f"worker {seed}", folder), random.Random(seed)
    barrier.wait()
    told = []
    for _ in range(times):
        version, to = str(draw.randint(1, VERSIONS)), draw.choice(TARGETS)
        try:
            moved = client.transition_model_version_stage(MODEL, version, to)
            told.append("done" if str(moved.version) == version else f"moved {moved.version}")
        except MlflowException as error:
            told.append(error.error_code)
        except Exception as error:  # noqa: BLE001  # the test tells it
            told.append(repr(error))
    answers.put(told)


def swap_until_killed(address: str, folder: Path, seed: int, ready: Any, statement: int | None) -> None:
    """A process that swaps the champion again and again; at a statement to the database it kills itself."""
    client, draw = client_of(address, f"doomed {seed}", folder), random.Random(seed)
    if statement is not None:
        _die_at(statement)
    ready.set()
    while True:
        version = str(draw.randint(1, VERSIONS))
        try:
            client.transition_model_version_stage(MODEL, version, draw.choice(TARGETS))
        except MlflowException as error:
            if error.error_code != "PERMISSION_DENIED":
                raise


def _die_at(number: int) -> None:
    """Of statements and commits, before or after which is drawn by whether the number is odd."""
    seen = 0

    def count(*_: Any, **__: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for event in ("after_cursor_execute" if number % 2 else "before_cursor_execute", "commit"):
        sqlalchemy.event.listen(sqlalchemy.Engine, event, count)


def end(process: BaseProcess) -> None:
    """Wait for a process; one that hangs is killed."""
    process.join(120)
    if process.is_alive():
        process.kill()
        process.join()
        raise TimeoutError("a process went on for two minutes")
