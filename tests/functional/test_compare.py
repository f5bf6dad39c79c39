"""Two models side by side, as a person does it: change something, run again, ask which is better."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import use_cases
from browser import require_chromium, visiting
from lifecycles import client, put_into_production, store_of, versions
from processes import Ended, mlops

from mlops_mlflow.learning.kept import from_parquet

FIRST = ("--until", "2024-02-10")  # 40 days, of which the last 8 are for the test


@dataclass(frozen=True)
class Desk:
    """A use case with a champion, and a newer lifecycle on more rows with a feature of another name."""

    folder: Path
    use_case: Path

    @property
    def store(self) -> str:
        return store_of(self.folder)

    def compare(self, *words: str, code: int = 0) -> Ended:
        return mlops("compare", self.use_case, *words, cwd=self.folder, code=code)

    def artifact(self, run_id: str, path: str) -> Path:
        return Path(client(self.store).download_artifacts(run_id, path, str(self.folder)))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("compare")
    made = Desk(folder, use_cases.tickets(folder))
    mlops("run", made.use_case, *FIRST, cwd=folder)
    put_into_production(made.store, "tickets", versions(made.store, "tickets")[0].version)
    (made.use_case / "features.py").write_text(use_cases.TICKETS_FEATURES.replace("hours_left", "time_left"))
    mlops("run", made.use_case, cwd=folder)
    return made


def newest(desk: Desk) -> dict[str, str]:
    """Tags of the newest lifecycle, with its id."""
    found = client(desk.store).get_experiment_by_name("tickets")
    assert found is not None
    condition = "tags.`mlops.kind` = 'lifecycle'"
    run = client(desk.store).search_runs(
        [found.experiment_id], condition, order_by=["attributes.start_time DESC"], max_results=1
    )[0]
    return {**run.data.tags, "run_id": run.info.run_id}


def test_the_newest_is_compared_with_the_champion_on_rows_new_to_both(desk: Desk) -> None:
    before = len(client(desk.store).search_runs(["1"]))
    ended = desk.compare()
    answer = ended.out.strip().splitlines()[0]
    assert f"(run {newest(desk)['run_id'][:8]}) " in answer
    assert "version 1" in answer
    assert "95 % interval" in answer
    assert answer.endswith("on the same 240 test rows")
    assert "features.py differs" in ended.out
    assert "dataset" in ended.out
    assert len(client(desk.store).search_runs(["1"])) == before, "comparing makes no runs"
    page = (desk.folder / "comparison.html").read_text()
    assert "time_left" in page
    assert "plan = small" in page


def test_the_difference_is_the_one_that_validate_judged_by(desk: Desk) -> None:
    import json

    verdict = json.loads(desk.artifact(newest(desk)["mlops.run.validate"], "verdict.json").read_text())
    found = next(one for one in verdict["findings"] if one["subject"] == "roc_auc against the champion")
    interval = verdict["intervals"]["roc_auc"]
    line = next(line for line in desk.compare().out.splitlines() if line.split()[:1] == ["roc_auc"])
    shown = line.replace("\u2212", "-")
    for exact, digits in ((found["figure"], 2), (found["interval"]["low"], 2), (interval["low"], 3)):
        assert f"{float(f'{exact:.{digits}g}'):.12g}" in shown


def test_predictions_are_kept_of_every_candidate_and_of_the_champion(desk: Desk) -> None:
    tags = newest(desk)
    evaluated = from_parquet(desk.artifact(tags["mlops.run.evaluate"], "predictions.parquet"))
    validated = from_parquet(desk.artifact(tags["mlops.run.validate"], "predictions.parquet"))
    assert {one.name for one in evaluated} == {"logistic", "tree", "baseline"}
    assert [one.role for one in validated] == ["chosen", "baseline", "champion"]
    assert validated[2].name == "1"
    assert not set(evaluated[0].rows) & set(validated[0].rows)


def test_candidates_of_one_lifecycle_are_compared_on_its_validation_rows(desk: Desk) -> None:
    evaluate = newest(desk)["mlops.run.evaluate"]
    ended = desk.compare(evaluate, "--html", "candidates.html")
    answer = ended.out.strip().splitlines()[0]
    assert "of 3" in answer
    assert "on the same 240 validation rows" in answer
    assert "DecisionTreeClassifier" in ended.out
    assert (desk.folder / "candidates.html").exists()


def test_what_has_not_run_can_not_be_compared(desk: Desk, tmp_path: Path) -> None:
    shutil.copytree(desk.use_case, tmp_path / "tickets")
    ended = mlops("compare", tmp_path / "tickets", cwd=tmp_path, code=2)
    assert "nothing of tickets has run here" in ended.err
    assert [file.name for file in tmp_path.iterdir()] == ["tickets"], "no database, no page"


@pytest.mark.browser
def test_the_page_shows_the_answer(desk: Desk, request: pytest.FixtureRequest) -> None:
    require_chromium()
    desk.compare()
    pictures = request.config.getoption("--pictures")
    with visiting("file://", Path(pictures) if pictures else None) as visitor:
        seen = visitor.look("comparison", str(desk.folder / "comparison.html"), "What differs")
    for awaited in ("version 1", "What to do", "no difference", "By slice", "logistic"):
        assert awaited in seen
