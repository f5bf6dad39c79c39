"""``mlops row`` as people call it: after real lifecycles, of each kind of target, by a server and by a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import use_cases
from lifecycles import client, store_of
from mlflow_server import Server
from processes import Ended, mlops


@dataclass(frozen=True)
class Desk:
    """A use case whose lifecycles are on a server."""

    folder: Path
    use_case: Path
    uri: str

    def __call__(self, *words: str, code: int = 0) -> Ended:
        return mlops(*words, cwd=self.folder, code=code, MLFLOW_TRACKING_URI=self.uri)

    def runs(self) -> int:
        of = client(self.uri)
        return len(of.search_runs([one.experiment_id for one in of.search_experiments()]))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_server: Server) -> Desk:
    folder = tmp_path_factory.mktemp("followed")
    made = Desk(folder, use_cases.tickets(folder, use_case="followed"), sqlite_server.uri)
    made("run", str(made.use_case))
    return made


def key_of(desk: Desk, number: int) -> str:
    lines = (desk.use_case / "data" / "tickets.csv").read_text().splitlines()
    return lines[1 + number].split(",")[lines[0].split(",").index("ticket_id")]


def test_a_row_is_followed_from_its_sources_to_its_worth(desk: Desk, tmp_path: Path) -> None:
    before = desk.runs()
    page = tmp_path / "cards" / "row.html"
    key = key_of(desk, 1190)
    said = desk("row", str(desk.use_case), key, "--html", str(page)).out
    answer = said.splitlines()[0]
    assert re.fullmatch(
        r"escalated: predicted (yes|no) \(probability( of yes)? [\d.]+, threshold [\d.]+\); what happened: (yes|no); "
        r"worth (\+50|−10|0) EUR\. (Most of it|The largest part) came from \w+ \([+−][\d.]+\)\.",
        answer,
    )
    assert "tickets (data/tickets.csv), customers (data/customers.csv), joined by extract.sql" in said
    assert "row 1,190 of 1,200, counted from 0; part: test" in said
    assert "version 1, of the lifecycle" in said
    assert re.search(r"hours_left +[\d.]+ +above about \d+% +derived", said)
    assert said.splitlines()[-1] == f"card       {page}"
    shown = page.read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert answer in shown
    assert f"ticket_id {key}" in shown
    assert desk.runs() == before, "it only reads"


def test_contributions_add_up(desk: Desk) -> None:
    said = desk("row", str(desk.use_case), key_of(desk, 1190)).out
    number = r"([+−-]?[\d.]+)"
    found = re.search(rf"{number} on average of 400 train rows, moved by {number} to {number}", said)
    assert found is not None
    average, moved, prediction = (float(one.replace("−", "-")) for one in found.groups())
    parts = [float(one) for one in re.findall(r"([+-][\d.]+) ± ", said)]
    assert len(parts) >= 5
    assert sum(parts) == pytest.approx(moved, abs=1e-3)
    assert average + moved == pytest.approx(prediction, abs=1e-3)


def test_a_train_row_is_warned_of_and_a_validation_row_is_not(desk: Desk) -> None:
    assert "! It is one of the train rows." in desk("row", str(desk.use_case), key_of(desk, 5)).out
    assert "· It is one of the validation rows." in desk("row", str(desk.use_case), key_of(desk, 800)).out


def test_an_older_model_is_shown_as_it_was(desk: Desk) -> None:
    key = key_of(desk, 1190)
    first = desk("row", str(desk.use_case), key).out
    features = desk.use_case / "features.py"
    features.write_text(use_cases.TICKETS_FEATURES.replace("hours_left", "hours_to_go").replace("3600", "1800"))
    assert desk("row", str(desk.use_case), key).out == first, "the model is of the file as it was"
    desk("run", str(desk.use_case))
    newest = desk("row", str(desk.use_case), key).out
    assert "version 2, of the lifecycle" in newest
    assert "hours_to_go" in newest
    assert "hours_left" not in newest
    features.write_text("this is no Python")
    assert desk("row", str(desk.use_case), key, "--version", "1").out == first
    assert desk("row", str(desk.use_case), key).out == newest


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (
            use_cases.wine,
            r"vineyard: predicted (north|middle|south) \(probability [\d.]+\); what happened: \w+\. .*",
        ),
        (use_cases.diabetes, r"progression: predicted [\d.]+; what happened: [\d.]+\. .*"),
    ],
    ids=["classes", "numbers"],
)
def test_other_targets_are_explained_and_rows_without_a_key_are_counted(
    make: object, answer: str, tmp_path: Path
) -> None:
    use_case = make(tmp_path)  # type: ignore[operator]
    mlops("run", use_case, cwd=tmp_path)
    page = tmp_path / "row.html"
    said = mlops("row", use_case, "17", "--html", page, cwd=tmp_path).out
    assert re.fullmatch(answer, said.splitlines()[0])
    assert "row 17 of " in said
    assert "moved by" in said
    assert "<html" in page.read_text(encoding="utf-8")
    refused = mlops("row", use_case, "100000", cwd=tmp_path, code=2)
    assert "there is no row 100000" in refused.err
    experiments = {one.name for one in client(store_of(tmp_path)).search_experiments()}
    assert experiments == {"Default", "mlops.audit", use_case.name}
