"""A process that is killed during a transition leaves the whole of it, or nothing, and the next call works.

``make soak`` kills at 50 moments; the suite at a few. The moments are drawn from a seed, which a failure names.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clashes import MODEL, check, check_all, desk_on, end, processes, put_versions, swap_until_killed
from registry_databases import KINDS, new_database

from mlops_mlflow.governance.desk.transitions import move

KILLS = int(os.environ.get("MLOPS_SOAK_KILLS", "4"))
SEED = int(os.environ.get("MLOPS_SOAK_SEED", "0"))
STATEMENTS = 120
"""About as many as three transitions make."""


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with new_database(request) as made:
        yield made


@pytest.mark.timeout(1800)
def test_a_killed_transition_is_whole_or_not_there(address: str, tmp_path: Path) -> None:
    registry, draw, done = put_versions(address), random.Random(SEED), [f"seed {SEED}"]
    told = 0
    with processes(tmp_path) as context:
        for kill in range(KILLS):
            ready = context.Event()
            statement = draw.randint(1, STATEMENTS) if kill % 2 else None
            wait = draw.uniform(0, 0.5)
            done.append(f"at statement {statement}" if statement else f"after {wait:.3f} s")
            process = context.Process(target=swap_until_killed, args=(address, tmp_path, kill, ready, statement))
            process.start()
            assert ready.wait(120), done
            if statement is None:
                time.sleep(wait)
                process.kill()
            end(process)
            assert process.exitcode == -9, done
            cut_off = registry.interrupted()
            assert len(cut_off) <= 1, done
            told += len(cut_off)
            for one in cut_off:
                assert (one.model, one.actor) == (MODEL, f"doomed {kill}"), done
                assert not [record for record in registry.stored() if json.loads(record.text)["time"] > one.began], done
            assert registry.interrupted() == ()
            archived = check(registry).in_stage("Archived")
            check_all(registry)

            began = time.monotonic()
            move(desk_on(registry), MODEL, archived[0].number, "Production")
            assert time.monotonic() - began < 5, done
            assert check(registry).aliases["champion"] == archived[0].number
    assert told or KILLS < 20, "none of many moments was within a change"
    print("; ".join(done), f"{told} were within a change", flush=True)
