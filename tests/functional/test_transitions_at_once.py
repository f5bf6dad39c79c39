"""Twenty processes that want different versions in Production at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from clashes import ask_often, check, check_all, end, processes, put_versions
from registry_databases import KINDS, new_database

from mlops_mlflow.governance.database.registry import DatabaseRegistry, open_registry

PROCESSES, TIMES = 20, 6


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_database(request) as made:
        yield made


class Watcher(threading.Thread):
    """Looks at the registry all the time."""

    def __init__(self, registry: DatabaseRegistry) -> None:
        super().__init__()
        self.registry, self.enough, self.errors, self.seen = registry, threading.Event(), list[Exception](), set[int]()

    def run(self) -> None:
        while not self.enough.wait(0.01):
            try:
                self.seen.add(len(check(self.registry).history.moves))
            except Exception as error:  # noqa: BLE001  # the test raises it
                self.errors.append(error)
            except AssertionError as error:
                self.errors.append(error)
                return


def test_every_moment_shows_one_champion_and_every_refusal_is_recorded(address: str, tmp_path: Path) -> None:
    registry = put_versions(address)
    before = check_all(registry)
    watcher = Watcher(open_registry(address))
    with processes(tmp_path) as context:
        barrier, answers = context.Barrier(PROCESSES + 1), context.Queue()
        workers = [
            context.Process(target=ask_often, args=(address, tmp_path, seed, TIMES, barrier, answers))
            for seed in range(PROCESSES)
        ]
        for worker in workers:
            worker.start()
        barrier.wait(120)
        watcher.start()
        told = Counter(answer for _ in workers for answer in answers.get(timeout=120))
        for worker in workers:
            end(worker)
    watcher.enough.set()
    watcher.join(60)

    assert watcher.errors == []
    assert len(watcher.seen) > 3, "it looked while things happened"
    assert set(told) == {"done", "PERMISSION_DENIED"}, told
    assert sum(told.values()) == PROCESSES * TIMES
    assert told["done"] > PROCESSES, "there was something to clash about"
    added = check_all(registry) - before
    assert added["transition"] + added["rollback"] == told["done"]
    assert added["refusal"] == told["PERMISSION_DENIED"]
    assert set(added) <= {"transition", "rollback", "refusal"}
