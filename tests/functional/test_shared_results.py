"""Results on a server: shared by people, verified before they are trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
import use_cases
from lifecycles import STAGES, Lifecycle, newest, versions
from mlflow_server import Server
from processes import Ended, mlops


class Team:
    """People with a checkout each and one server."""

    def __init__(self, parent: Path, server: Server) -> None:
        self.parent, self.server = parent, server

    def checkout(self, person: str) -> Path:
        """The use case in a folder of this person's own."""
        return use_cases.tickets(self.parent / person, use_case="shared")

    def run(self, folder: Path, *words: str) -> tuple[Lifecycle, Ended]:
        ended = mlops("run", folder, *words, cwd=folder.parent, MLFLOW_TRACKING_URI=self.server.uri)
        return newest(self.server.uri, "shared"), ended

    def artifact(self, lifecycle: Lifecycle, stage: str, name: str) -> Path:
        """Where the server keeps an artifact."""
        (file,) = self.server.artifacts.rglob(f"{lifecycle.stages[stage].info.run_id}/artifacts/{name}")
        return file


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, sqlite_server: Server) -> Team:
    return Team(tmp_path_factory.mktemp("team"), sqlite_server)


@pytest.fixture(scope="module")
def first(team: Team) -> Lifecycle:
    return team.run(team.checkout("ann"))[0]


def test_what_one_person_ran_another_does_not_run_again(team: Team, first: Lifecycle) -> None:
    lifecycle, ended = team.run(team.checkout("bob"))
    assert ended.err.count("reused") == len(STAGES)
    assert {stage: run.info.run_id for stage, run in lifecycle.stages.items()} == {
        stage: run.info.run_id for stage, run in first.stages.items()
    }
    assert lifecycle.run.data.metrics.keys() == first.run.data.metrics.keys()
    assert len(versions(team.server.uri, "shared")) == 1


def test_what_is_missing_on_the_server_is_said_and_made_again(team: Team, first: Lifecycle) -> None:
    team.artifact(first, "prepare", "split.json").unlink()
    lifecycle, ended = team.run(team.checkout("cleo"))
    assert "prepare runs again: split.json of the run" in ended.err
    assert "is gone" in ended.err
    assert ended.err.count("reused") == len(STAGES) - 1
    assert lifecycle.run.data.metrics["roc_auc"] == first.run.data.metrics["roc_auc"]


def test_what_was_changed_on_the_server_is_noticed_when_it_is_fetched(team: Team, first: Lifecycle) -> None:
    """A server lists names and sizes; the digest is looked at before the file is used."""
    file = team.artifact(first, "extract", "dataset.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    folder = team.checkout("dora")
    (folder / "features.py").write_text(use_cases.TICKETS_FEATURES + "\nOTHER = 1\n", encoding="utf-8")
    lifecycle, ended = team.run(folder)
    assert "extract runs again: dataset.parquet of the run" in ended.err
    assert "is not what was written" in ended.err
    assert lifecycle.run.data.metrics["roc_auc"] == first.run.data.metrics["roc_auc"]
