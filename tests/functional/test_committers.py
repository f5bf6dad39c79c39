"""A use case in a git repository: whoever approves a version reads who committed since the champion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import use_cases
import yaml
from lifecycles import newest, store_of, versions
from processes import Ended, mlops
from repositories import ALONE, Repository

NAME = "wine"
STRANGER = 'Żofia "O\'Neil" & 航班'
TAGS = ("mlops.git.commit", "mlops.git.dirty")


@dataclass(frozen=True)
class Office:
    """Version 1 was made by Anna Berg and serves; a stranger has committed since, and version 2 waits."""

    folder: Path
    repository: Repository
    commits: tuple[str, str]

    def says(self, person: str, *words: str | Path, code: int = 0) -> Ended:
        return office_says(self.folder, person, *words, code=code)


def office_says(folder: Path, person: str, *words: str | Path, code: int = 0) -> Ended:
    return mlops(*words, cwd=folder, code=code, MLFLOW_TRACKING_URI=store_of(folder), LOGNAME=person, **ALONE)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("office")
    repository = Repository.begin(folder / "repository")
    use_case = use_cases.wine(repository.folder)
    first = repository.commit(**{".gitignore": "__pycache__/\n"})
    office_says(folder, "ann", "run", use_case)
    asked = office_says(folder, "ann", "request", NAME).out
    assert f"commit     {first[:12]}\n" in asked
    assert "committed since" not in asked
    office_says(folder, "bob", "approve", asked.split()[0], "--apply")
    document = yaml.safe_load((use_case / "usecase.yaml").read_text(encoding="utf-8")) | {"seed": 5}
    repository.commit(STRANGER, committer="Bo", **{"wine__notes.md": "Bottles."})
    second = repository.commit(STRANGER, **{"wine__usecase.yaml": yaml.safe_dump(document, sort_keys=False)})
    office_says(folder, "ann", "run", use_case)
    return Office(folder, repository, (first, second))


def test_lifecycles_name_their_commit_and_stages_do_not(office: Office) -> None:
    found = newest(store_of(office.folder), NAME)
    assert [found.run.data.tags[tag] for tag in TAGS] == [office.commits[1], "false"]
    assert not any(tag in run.data.tags for run in found.stages.values() for tag in TAGS)


def test_who_approves_reads_who_committed_since_the_champion(office: Office) -> None:
    told = f"2 people committed since the champion (version 1): {STRANGER} (2), Bo (1)"
    asked = office.says("ann", "request", NAME).out
    assert told in asked
    assert told in office.says("bob", "policy", "explain", NAME, "2", code=1).out
    name = asked.split()[0]
    assert told in office.says("bob", "card", "--request", name).out
    page = (office.folder / f"request-{name}.html").read_text(encoding="utf-8")
    assert "committed since the champion (version 1): Żofia &quot;O&#x27;Neil&quot; &amp; 航班 (2), Bo (1)" in page
    assert all(one[:12] in page for one in office.commits)
    plain = json.loads(office.says("bob", "card", NAME, "--version", "2", "--json").out)
    assert plain["origin"]["commit"] == office.commits[1]
    assert plain["origin"]["since"]["commit"] == office.commits[0]


def test_a_commit_that_changes_no_result_runs_nothing_again_and_registers_nothing(office: Office) -> None:
    (office.repository.folder / "wine" / "README.md").write_text("New.", encoding="utf-8")
    before = newest(store_of(office.folder), NAME)
    office.says("ann", "run", office.repository.folder / "wine")
    after = newest(store_of(office.folder), NAME)
    assert after.run.data.tags["mlops.git.dirty"] == "true"
    assert {name: run.info.run_id for name, run in after.stages.items()} == {
        name: run.info.run_id for name, run in before.stages.items()
    }
    assert len(versions(store_of(office.folder), NAME)) == 2
    card = office.says("ann", "card", NAME, "--version", "2").out
    assert "not committed" not in card, "the version came from a clean commit"
