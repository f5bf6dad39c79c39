"""Cards of a real model: what an approver reads, the model card of what serves, and both where runs are gone."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import use_cases
import yaml
from browser import require_chromium, visiting
from lifecycles import client, store_of, versions
from processes import Ended, mlops

from mlops_mlflow.governance.opening import open_registry

NAME = "breast_cancer"
RULES = {"Production": {"approvals": {"business": 1, "compliance": 1}}}


@dataclass(frozen=True)
class Office:
    """People around a model: version 1 serves, version 2 is asked for by ann and approved by bob."""

    folder: Path
    use_case: Path

    @property
    def uri(self) -> str:
        return store_of(self.folder)

    def says(self, person: str, *words: str | Path, code: int = 0) -> Ended:
        return mlops(*words, cwd=self.folder, code=code, MLFLOW_TRACKING_URI=self.uri, LOGNAME=person)

    def ask(self, *words: str) -> str:
        return self.says("ann", "request", NAME, "--comment", "better <b>everywhere</b>", *words).out.split()[0]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("cards")
    made = Office(folder, use_cases.breast_cancer(folder, governance=RULES))
    made.says("ann", "run", made.use_case)
    first = made.ask()
    made.says("bob", "approve", first, "--role", "business")
    made.says("cat", "approve", first, "--role", "compliance")
    made.says("dan", "approve", first, "--role", "legal", "--apply")
    file = made.use_case / "usecase.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8")) | {"seed": 5}
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    made.says("ann", "run", made.use_case)
    return made


@pytest.fixture(scope="module")
def asked(office: Office) -> str:
    name = office.ask()
    office.says("bob", "approve", name, "--role", "business")
    return name


def test_an_approver_reads_what_is_asked_and_the_command_works_as_it_stands(office: Office, asked: str) -> None:
    ended = office.says("cat", "card", NAME, "--request", asked)
    assert "Version 2 may go to Production once compliance" in ended.out
    assert "roc_auc" in ended.out
    assert "vs champion" in ended.out
    page = (office.folder / f"request-{asked}.html").read_text(encoding="utf-8")
    assert "better &lt;b&gt;everywhere&lt;/b&gt;" in page
    assert "What changed since the champion" in page
    plain = json.loads(office.says("cat", "card", "--request", asked, "--json").out)
    assert (plain["version"], plain["champion"], plain["allowed"]) == ("2", "1", False)
    assert plain["approvals"][0]["evidence"] == plain["evidence"]["digest"]
    command = next(line.split() for line in ended.out.splitlines() if f"approve {asked} --role compliance" in line)
    evidence = command[command.index("--evidence") + 1]
    assert plain["evidence"]["digest"].startswith(evidence)
    office.says("cat", "approve", asked, "--role", "compliance", "--evidence", evidence)
    assert "once legal" in office.says("dan", "card", NAME, "--request", asked).out


def test_the_model_card_says_who_let_it_serve(office: Office, asked: str) -> None:
    ended = office.says("eve", "card", NAME, "--version", "1", "--html", "one.html")
    assert "approved by bob as business, cat as compliance and dan as legal" in ended.out
    assert (office.folder / "one.html").exists()
    text = office.says("eve", "card", office.use_case, "--version", "1", "--markdown").out
    assert text.startswith("# Model card · breast\\_cancer\n")
    assert "| dan | legal | wording of the letter |" in text
    plain = json.loads(office.says("eve", "card", NAME, "--json").out)
    assert plain["version"] == "2", "what is in Staging is what people read about"
    assert [one["stage"] for one in plain["registry_stages"]][-1] == "Staging"
    assert plain["dependencies"]


def test_nothing_is_recorded_by_reading(office: Office, asked: str) -> None:
    before = list(open_registry(office.uri).stored())
    runs = len(client(office.uri).search_runs(["1"]))
    office.says("eve", "card", NAME)
    office.says("eve", "card", "--request", asked)
    assert list(open_registry(office.uri).stored()) == before
    assert len(client(office.uri).search_runs(["1"])) == runs


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("--request", "R999"), "there is no request R999", 2),
        (("--request", "R1"), "record of another kind", 2),
        (("--request", "seventeen"), "is not the name of a request", 2),
        (("--version", "9"), "has no version 9", 2),
        (("--markdown", "--json"), "not both", 2),
    ],
)
def test_what_cannot_be_shown_is_said(office: Office, words: tuple[str, ...], told: str, code: int) -> None:
    assert told in office.says("eve", "card", NAME, *words, code=code).err


def test_a_request_of_another_model_is_not_this_ones(office: Office, asked: str) -> None:
    ended = office.says("eve", "card", "another", "--request", asked, code=2)
    assert f"{asked} is not about another" in ended.err
    assert f"mlops card {NAME} --request {asked}" in ended.err


@pytest.mark.browser
def test_the_pages_show_the_answer(office: Office, asked: str, request: pytest.FixtureRequest) -> None:
    require_chromium()
    office.says("cat", "card", NAME, "--request", asked)
    office.says("cat", "card", NAME, "--version", "1")
    pictures = request.config.getoption("--pictures")
    with visiting("file://", Path(pictures) if pictures else None) as visitor:
        asks = visitor.look("request_card", str(office.folder / f"request-{asked}.html"), "Who has to agree")
        assert "legal" in asks
        serves = visitor.look("model_card", str(office.folder / "model-card.html"), "Where it has been")
        assert "Version 1 is in Production" in serves
        for scheme in ("light", "dark"):
            visitor.tab.emulate_media(color_scheme=scheme)
            assert visitor.tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_where_runs_are_gone_the_cards_say_so(office: Office, asked: str, tmp_path: Path) -> None:
    """The last test of this file: the runs are gone then."""
    (first, _) = versions(office.uri, NAME)
    judged = first.tags["mlops.validate_run"]
    client(office.uri).delete_run(judged)
    told = office.says("eve", "card", NAME, "--version", "1").out
    assert f"the run {judged[:8]} was deleted" in told
    assert "Of the champion: " in office.says("eve", "card", "--request", asked).out
    shutil.rmtree(office.folder / "mlruns")
    lost = office.says("eve", "card", "--request", asked)
    assert "cannot be shown" in lost.out
    assert "refused" in lost.out
