"""What a person sees in MLflow's UI after a lifecycle."""

from __future__ import annotations

from pathlib import Path

import pytest
import use_cases
from browser import require_chromium, tour, visiting
from lifecycles import STAGES, Lifecycle, newest
from mlflow_server import Server
from processes import PROJECT, mlops

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def lifecycle(
    sqlite_server: Server, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Lifecycle:
    """Of the flights where pictures are wanted, otherwise of a small use case."""
    require_chromium()
    folder = tmp_path_factory.mktemp("browser")
    pictures = request.config.getoption("--pictures")
    use_case = PROJECT / "projects" / "flight_delays" if pictures else use_cases.tickets(folder)
    mlops("run", use_case, cwd=folder, MLFLOW_TRACKING_URI=sqlite_server.uri)
    return newest(sqlite_server.uri, use_case.name)


@pytest.fixture(scope="module")
def seen(lifecycle: Lifecycle, request: pytest.FixtureRequest) -> dict[str, str]:
    pictures = request.config.getoption("--pictures")
    with visiting(lifecycle.uri, Path(pictures) if pictures else None) as visitor:
        return tour(visitor, lifecycle)


def test_the_list_of_runs_begins_with_the_lifecycle_and_opens_to_its_stages(
    lifecycle: Lifecycle, seen: dict[str, str]
) -> None:
    title = str(lifecycle.run.info.run_name)
    assert title in seen["runs"]
    assert "Model training" in seen["runs"]
    assert "validate" not in seen["runs"].partition("Run Name")[2], "folded"
    below = seen["nested"].partition("Run Name")[2]
    assert [name for name in below.split("\n") if name in {title, *STAGES}] == [title, *reversed(STAGES)]


def test_the_lifecycles_page_says_verdict_and_stages(lifecycle: Lifecycle, seen: dict[str, str]) -> None:
    assert "passed" in seen["lifecycle"]
    for stage in STAGES:
        assert stage in seen["lifecycle"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_card_is_shown_by_the_artifact_viewer(stage: str, lifecycle: Lifecycle, seen: dict[str, str]) -> None:
    assert str(lifecycle.run.data.tags["mlops.use_case"]) in seen[stage]
    assert len(seen[stage].split()) > 20


def test_candidates_are_compared_side_by_side(lifecycle: Lifecycle, seen: dict[str, str]) -> None:
    candidates = lifecycle.children["evaluate"]
    assert f"Comparing {len(candidates)} Runs from 1 Experiment" in seen["compare"]
    for name in (*candidates, "roc_auc", "value_per_row", "candidate"):
        assert name in seen["compare"]


def test_the_version_is_shown_in_staging_with_its_alias_and_verdict(lifecycle: Lifecycle, seen: dict[str, str]) -> None:
    assert "Staging" in seen["version"].partition("Stage")[2]
    assert "challenger" in seen["version"]
    assert "mlops.verdict" in seen["version"]
    assert "validate" in seen["version"].partition("Source Run")[2]
    assert f"Version {lifecycle.run.data.tags['mlops.version']}" in seen["versions"]
