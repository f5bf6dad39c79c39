"""A past stretch of time played again in a store of its own: scored and monitored week by week."""

from __future__ import annotations

from pathlib import Path

import pytest
from lifecycles import client
from processes import Ended, mlops
from watched import tickets

SINCE, UNTIL = "2024-02-19", "2024-03-18"
WEEKS = ["2024-W08", "2024-W09", "2024-W10", "2024-W11"]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replay")


@pytest.fixture(scope="module")
def done(work: Path) -> Ended:
    policy = work / "policy.yaml"
    policy.write_text("name: Bank\npeople: {ann: []}\nroles: {}\nother_models: refuse\n")
    return replay(work, tickets(work), MLOPS_POLICY=str(policy), MLOPS_NOTIFY="json://127.0.0.1:9")


def replay(work: Path, use_case: Path, *words: str, code: int = 0, **more: str) -> Ended:
    asked = words or ("--since", SINCE, "--until", UNTIL)
    return mlops("replay", use_case, *asked, "--store", "store", cwd=work, code=code, **more)


def test_it_prints_a_line_for_each_window_with_its_health(done: Ended) -> None:
    rows = [line.split(" | ") for line in done.out.splitlines() if line.startswith("| 2024")]
    assert [row[0].strip("| ") for row in rows] == WEEKS
    assert all(row[2] == "100%" for row in rows)
    healths = {row[0].strip("| "): row[-1].strip(" |") for row in rows}
    assert healths["2024-W11"] == "alarm", "its outcomes are reversed"
    assert "alarm" not in {healths["2024-W08"], healths["2024-W09"]}


def test_every_run_is_marked_and_the_approval_is_shown_as_scripted(done: Ended, work: Path) -> None:
    assert "in Production by scripted approvals" in done.err
    of = client(f"sqlite:///{work / 'store' / 'mlflow.db'}")
    runs = of.search_runs([one.experiment_id for one in of.search_experiments()], max_results=1000)
    assert runs
    assert {run.data.tags.get("mlops.replay") for run in runs if "mlops.kind" in run.data.tags} == {"yes"}
    history = mlops(
        "history", "tickets", "--all", cwd=work, MLFLOW_TRACKING_URI=f"sqlite:///{work / 'store' / 'mlflow.db'}"
    ).out
    assert "script of a replay, no person" in history
    assert "a replay: nobody decided this" in history


def test_nothing_leaves_the_store(done: Ended, work: Path) -> None:
    assert "told" not in done.err
    assert sorted(path.name for path in work.iterdir()) == ["policy.yaml", "store", "tickets"]
    parent = [
        run
        for run in client(f"sqlite:///{work / 'store' / 'mlflow.db'}").search_runs(["1"], max_results=1000)
        if run.data.tags.get("mlops.kind") == "monitor"
    ]
    assert [run.data.tags.get("mlops.notified", "nobody to tell") for run in parent] == ["nobody to tell"]


def test_called_again_it_does_nothing_twice(done: Ended, work: Path) -> None:
    again = replay(work, work / "tickets")
    assert again.out == done.out
    assert "score " not in again.err
    of = client(f"sqlite:///{work / 'store' / 'mlflow.db'}")
    (experiment,) = [one for one in of.search_experiments() if one.name == "tickets"]
    windows = of.search_runs([experiment.experiment_id], "tags.`mlops.kind` = 'window'", max_results=1000)
    closed = [run.data.params["window"] for run in windows if run.data.tags["mlops.closed"] == "yes"]
    assert sorted(closed) == WEEKS


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "2024-03-18", "--until", "2024-02-19"), "a replay ends after it began"),
        (("--since", "monday", "--until", "2024-02-19"), "a time cannot be read"),
    ],
)
def test_a_time_that_cannot_be_is_told(done: Ended, work: Path, words: tuple[str, ...], says: str) -> None:
    assert done.code == 0
    assert says in replay(work, work / "tickets", *words, code=2).err
