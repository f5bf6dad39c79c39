"""What is in Production is compared with, fairly or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import use_cases
from lifecycles import Lifecycle, newest, put_into_production, store_of, versions
from processes import Ended, mlops

SUBJECT = "roc_auc against the champion"
FIRST = ("--until", "2024-02-10")  # 40 days, of which the last 8 are for the test
OLDER = ("--until", "2024-01-25")  # their test rows are among those that the champion was trained on


@dataclass(frozen=True)
class Desk:
    """A use case with a champion."""

    folder: Path
    use_case: Path

    @property
    def store(self) -> str:
        return store_of(self.folder)

    def run(self, *words: str, code: int) -> tuple[Lifecycle, Ended]:
        ended = mlops("run", self.use_case, *words, cwd=self.folder, code=code)
        return newest(self.store, "tickets"), ended


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    made = Desk(folder, use_cases.tickets(folder))
    lifecycle, _ = made.run(*FIRST, code=0)
    assert finding(lifecycle)["reason"].startswith("nothing is in Production yet")
    put_into_production(made.store, "tickets", "1")
    return made


def finding(lifecycle: Lifecycle) -> dict[str, Any]:
    return next(one for one in lifecycle.verdict()["findings"] if one["subject"] == SUBJECT)


def test_the_challenger_is_compared_with_the_champion_on_the_same_rows(desk: Desk) -> None:
    lifecycle, _ = desk.run(code=0)
    figures, found = lifecycle.stages["validate"].data.metrics, finding(lifecycle)
    assert found["outcome"] == "passed"
    assert found["rows"] == lifecycle.stages["prepare"].data.metrics["rows_test"] == 240
    assert figures["champion_roc_auc"] != figures["roc_auc"], "another model, trained on fewer rows"
    assert found["figure"] == pytest.approx(figures["roc_auc"] - figures["champion_roc_auc"])
    stages = {version.version: version.current_stage for version in versions(desk.store, "tickets")}
    assert list(stages.values()) == ["Production", "Staging"]


def test_a_champion_that_was_trained_on_the_test_rows_leaves_the_verdict_unknown(desk: Desk) -> None:
    before = versions(desk.store, "tickets")
    lifecycle, ended = desk.run(*OLDER, code=1)
    found = finding(lifecycle)
    assert found["outcome"] == "unknown"
    assert "new to the champion" in found["reason"]
    assert lifecycle.run.data.tags["mlops.verdict"] == "unknown"
    assert "UNKNOWN" in ended.out
    assert len(versions(desk.store, "tickets")) == len(before)


def test_a_champion_that_cannot_predict_leaves_the_verdict_unknown(desk: Desk) -> None:
    before = versions(desk.store, "tickets")
    without = use_cases.TICKETS_SQL.replace("t.words, ", "")
    (desk.use_case / "extract.sql").write_text(without)
    lifecycle, _ = desk.run(code=1)
    found = finding(lifecycle)
    assert found["outcome"] == "unknown"
    assert "cannot predict these rows" in found["reason"]
    assert "words" in found["reason"]
    assert len(versions(desk.store, "tickets")) == len(before)
