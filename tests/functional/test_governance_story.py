"""Two versions on their way to Production and back, by several people, on both databases: all places tell the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import use_cases
import yaml
from browser import MODE, require_chromium, visiting
from lifecycles import client, store_of, versions
from mlflow_server import running_server
from postgresql import running_postgresql
from processes import Ended, mlops, run

NAME = "breast_cancer"
RULES = {"Production": {"approvals": {"business": 1, "compliance": 1}, "approval_lapse": "P30D"}}


@dataclass(frozen=True)
class Office:
    """People around one registry.

    Attributes:
        folder: Where commands run.
        use_case: The use case.
        uri: Of the tracking database.
    """

    folder: Path
    use_case: Path
    uri: str

    def says(self, person: str, *words: str | Path, code: int = 0) -> Ended:
        return mlops(*words, cwd=self.folder, code=code, MLFLOW_TRACKING_URI=self.uri, LOGNAME=person)

    def states(self) -> dict[int, str]:
        return {int(one.version): one.current_stage for one in versions(self.uri, NAME)}

    def aliases(self) -> dict[str, int]:
        return {name: int(number) for name, number in client(self.uri).get_registered_model(NAME).aliases.items()}

    def new_seed(self, seed: int) -> None:
        file = self.use_case / "usecase.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump(document | {"seed": seed}, sort_keys=False), encoding="utf-8")

    def request_by(self, person: str, *words: str) -> str:
        """Ask for Production: the request's name."""
        told = self.says(person, "request", NAME, "--comment", "better on every slice", *words)
        return told.out.split()[0]


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=str,
)
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp(request.param)
    use_case = use_cases.breast_cancer(folder, governance=RULES)
    if request.param == "sqlite":
        yield Office(folder, use_case, store_of(folder))
        return
    with running_postgresql(folder) as uri:
        yield Office(folder, use_case, uri)


@pytest.fixture(scope="module")
def story(office: Office) -> dict[str, Ended]:
    """What happened, in order; the last words of each step."""
    told = {"first run": office.says("ann", "run", office.use_case)}
    first = office.request_by("ann")
    told["own approval"] = office.says("ann", "approve", first, "--role", "business", code=1)
    told["business"] = office.says("bob", "approve", first, "--role", "business", "--comment", "worth it")
    told["too early"] = office.says("ann", "request", NAME)
    told["compliance"] = office.says("cat", "approve", first, "--role", "compliance")
    told["legal"] = office.says("cat", "approve", first, "--role", "legal")
    told["first moved"] = office.says("ann", "request", NAME)
    assert office.states() == {1: "Production"}
    office.new_seed(5)
    told["second run"] = office.says("ann", "run", office.use_case)
    assert office.states() == {1: "Production", 2: "Staging"}
    second = office.request_by("ann")
    told["status"] = office.says("eve", "status", NAME)
    for person, role in (("bob", "business"), ("cat", "compliance")):
        office.says(person, "approve", second, "--role", role)
    told["second moved"] = office.says("dan", "approve", second, "--role", "legal", "--apply")
    assert office.states() == {1: "Archived", 2: "Production"}
    assert office.aliases() == {"champion": 2}
    told["rollback"] = office.says("dan", "rollback", NAME, "--reason", "recall fell on Monday")
    return told


def test_the_registry_shows_the_first_version_in_production_again(office: Office, story: dict[str, Ended]) -> None:
    assert "moved      breast_cancer version 1: Archived -> Production" in story["rollback"].out
    assert office.states() == {1: "Production", 2: "Archived"}
    assert office.aliases() == {"champion": 1}
    tags = {int(one.version): one.tags["mlops.registry_stage"] for one in versions(office.uri, NAME)}
    assert tags == office.states()


def test_nobody_approves_their_own_work_and_nothing_moves_too_early(story: dict[str, Ended]) -> None:
    assert "ann may not approve R3: it is their own work" in story["own approval"].err
    assert "asked by ann on" in story["too early"].out
    assert "already" in story["too early"].out
    assert "mlops approve R3 --role compliance" in story["too early"].out
    assert "Staging -> Production" in story["first moved"].out


def test_status_says_who_is_where_and_who_can_unblock_the_next_step(office: Office, story: dict[str, Ended]) -> None:
    asked = story["status"].out
    assert "Production  version 1    @champion" in asked
    assert "Staging     version 2    @challenger" in asked
    assert "asked by ann" in asked
    assert "--role compliance" in asked
    now = office.says("eve", "status", NAME).out
    assert "Production  version 1    @champion" in now
    assert "by dan" in now


def test_history_answers_which_version_and_who_said_so(office: Office, story: dict[str, Ended]) -> None:
    *told, _, footnote = office.says("eve", "history", NAME).out.splitlines()
    assert [(line.split()[4], line.split()[5], line.split()[7]) for line in told] == [
        ("1", "None", "Staging"),
        ("1", "Staging", "Production"),
        ("2", "None", "Staging"),
        ("2", "Staging", "Production"),
        ("1", "Production", "Archived"),
        ("1", "Archived", "Production"),
        ("2", "Production", "Archived"),
    ]
    assert "identity not verified" in footnote
    now = office.says("eve", "history", NAME, "--at", "2099-01-01").out
    assert "Production  version 1" in now
    assert "rollback by dan" in now
    assert "nothing was in Production" in office.says("eve", "history", NAME, "--at", "2020-01-01").out


def test_the_policy_explains_every_rule(office: Office, story: dict[str, Ended]) -> None:
    told = office.says("eve", "policy", "explain", NAME, "2", "--to", "Production")
    assert "it was in Production before, by an allowed transition" in told.out
    refused = office.says("eve", "policy", "explain", NAME, "1", "--to", "Staging", code=1)
    assert "Production -> Staging is not one of the transitions" in refused.out


def test_the_ledger_is_whole_and_explains_the_registry(office: Office, story: dict[str, Ended]) -> None:
    assert office.says("eve", "audit", "verify").code == 0
    lines = [json.loads(line) for line in office.says("eve", "audit", "export").out.splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))


def test_a_plain_client_meets_the_policy_and_passes_once_it_is_approved(
    office: Office, story: dict[str, Ended]
) -> None:
    office.new_seed(6)
    office.says("ann", "run", office.use_case)
    move = (
        "import warnings, mlflow; warnings.simplefilter('ignore')\n"
        f"mlflow.MlflowClient().transition_model_version_stage('{NAME}', '3', 'Production')"
    )
    plain = {"MLFLOW_TRACKING_URI": office.uri, "MLFLOW_REGISTRY_URI": f"mlops+{office.uri}", "LOGNAME": "ann"}
    refused = run("python", "-c", move, cwd=office.folder, code=1, **plain)
    assert "PERMISSION_DENIED" in refused.err or "refused by" in refused.err
    assert "mlops request" in refused.err
    assert office.states()[3] == "Staging"
    asked = office.request_by("ann", "--version", "3")
    for person, role in (("bob", "business"), ("cat", "compliance"), ("dan", "legal")):
        office.says(person, "approve", asked, "--role", role)
    run("python", "-c", move, cwd=office.folder, **plain)
    assert office.states() == {1: "Archived", 2: "Archived", 3: "Production"}
    assert office.aliases() == {"champion": 3}
    page = client(office.uri).get_model_version(NAME, "3").description or ""
    assert page.startswith("**Production** since"), "MLflow's page follows a plain client, too"


@pytest.mark.browser
def test_mlflows_pages_tell_the_same(
    office: Office, story: dict[str, Ended], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    require_chromium()
    chosen = request.config.getoption("--pictures")
    pictures = Path(chosen) if chosen else None
    states, (champion,) = office.states(), office.aliases().values()
    with running_server(tmp_path, office.uri) as server, visiting(server.uri, pictures) as visitor:
        model = visitor.look("governed-model", f"/#/models/{NAME}?{MODE}", f"Version {champion}", "mlops status")
        version = visitor.look("governed-version", f"/#/models/{NAME}/versions/{champion}?{MODE}", "verdict: passed")
        audit = client(office.uri).get_experiment_by_name("mlops.audit")
        assert audit is not None
        runs = visitor.look("decisions", f"/#/experiments/{audit.experiment_id}/runs?{MODE}", "Run Name")
    assert f"version {champion}" in model
    assert "@ champion" in version or "champion" in version
    assert states[champion] == "Production"
    assert f"{NAME} 1: rollback Archived -> Production by dan" in runs
    assert f"{NAME} 3: transition Staging -> Production by ann" in runs
    assert f"{NAME} 1: refused approval" in runs
