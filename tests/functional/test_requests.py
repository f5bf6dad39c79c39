"""How many requests go over the network, so that a slow way to the server does not multiply."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import use_cases
from mlflow_server import Server
from processes import run

COUNTED = Path(__file__).parent / "counted.py"
MOST = {"design": 12, "extract": 12, "explore": 10, "prepare": 13, "evaluate": 40, "validate": 22}
MOST_AROUND, MOST_REUSED = 140, 88
"""Registration reads its evidence back, verified; and a plain server keeps the ledger as runs."""
A_TRIAL, A_MODEL, MOST_BESIDE_TRIALS = 3, 12, 20
MODELS = 3
"""Two candidates and a baseline."""


def requests(folder: Path, server: Server, *words: str) -> dict[str, int]:
    out = folder.parent / "requests.json"
    run(sys.executable, COUNTED, out, "run", folder, *words, cwd=folder.parent, MLFLOW_TRACKING_URI=server.uri)
    found: dict[str, int] = json.loads(out.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> dict[str, dict[str, int]]:
    """Requests by stage: of a first lifecycle, of the same again, and of one with more trials and rows."""
    parent = tmp_path_factory.mktemp("counted")
    folder = use_cases.tickets(parent, use_case="counted", tuning={"trials": 2, "folds": 2})
    first, again = requests(folder, postgresql_server), requests(folder, postgresql_server)
    larger = use_cases.tickets(parent, use_case="larger", rows=2400, tuning={"trials": 12, "folds": 2})
    return {"first": first, "again": again, "larger": requests(larger, postgresql_server)}


@pytest.mark.parametrize("stage", MOST)
def test_a_stage_makes_few_requests_however_many_rows(stage: str, made: dict[str, dict[str, int]]) -> None:
    assert made["first"][stage] <= MOST[stage]
    assert made["larger"][stage] <= made["first"][stage] + 1


def test_a_trial_costs_three_requests_and_a_model_those_of_its_files(made: dict[str, dict[str, int]]) -> None:
    first, larger = made["first"]["train"], made["larger"]["train"]
    assert first <= MOST_BESIDE_TRIALS + A_TRIAL * 4 + A_MODEL * MODELS
    live = 10  # what is said of the trials while they run, every two seconds
    assert larger - first <= A_TRIAL * 20 + live


def test_what_is_reused_costs_a_few_questions_per_stage(made: dict[str, dict[str, int]]) -> None:
    assert made["first"]["around the stages"] <= MOST_AROUND
    assert set(made["again"]) == {"around the stages"}
    assert made["again"]["around the stages"] <= MOST_REUSED
