"""The same use case on a local SQLite file and against a server on PostgreSQL."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sqlalchemy
import use_cases
from lifecycles import STAGES, Lifecycle, client, newest, store_of, tracking, versions
from mlflow_server import Server
from processes import mlops

from mlops_mlflow.core.monitoring.reference import ReferencePerformance

TIMING = ("seconds", "latency_p95_ms")
PASSWORD = "sesame-7f3a9"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Lifecycle:
    folder = tmp_path_factory.mktemp("local")
    mlops("run", use_cases.breast_cancer(folder), cwd=folder)
    return newest(store_of(folder), "breast_cancer")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> Lifecycle:
    folder = tmp_path_factory.mktemp("remote")
    mlops("run", use_cases.breast_cancer(folder), cwd=folder, MLFLOW_TRACKING_URI=postgresql_server.uri)
    assert [path.name for path in folder.iterdir()] == ["breast_cancer"], "everything goes through the server"
    return newest(postgresql_server.uri, "breast_cancer")


def untimed(lifecycle: Lifecycle) -> dict[tuple[str, str], float]:
    return {
        (place, name): figure
        for place, run in lifecycle.runs.items()
        for name, figure in run.data.metrics.items()
        if not name.endswith(TIMING)
    }


def findings(lifecycle: Lifecycle) -> list[Any]:
    found = lifecycle.verdict()["findings"]
    timed = {"figure", "interval", "reason"}
    return [
        {name: value for name, value in one.items() if one["subject"] != TIMING[1] or name not in timed}
        for one in found
    ]


def test_both_stores_hold_the_same_figures(local: Lifecycle, remote: Lifecycle) -> None:
    figures, others = untimed(local), untimed(remote)
    assert len(figures) > 100
    # A model's files name the place where they are kept, so its size differs by some bytes.
    sizes = [figures.pop(key) - others.pop(key) for key in list(figures) if key[1] == "model_size_mb"]
    assert max(map(abs, sizes)) < 0.001
    assert figures == pytest.approx(others, rel=0, abs=1e-12)


def test_both_stores_hold_the_same_verdict_findings_and_run_tree(local: Lifecycle, remote: Lifecycle) -> None:
    assert local.runs.keys() == remote.runs.keys()
    assert {run.info.status for run in [*local.runs.values(), *remote.runs.values()]} == {"FINISHED"}
    assert local.run.data.tags["mlops.verdict"] == remote.run.data.tags["mlops.verdict"] == "passed"
    assert findings(local) == findings(remote)


@pytest.mark.parametrize("where", ["local", "remote"])
def test_the_version_is_in_staging_and_called_challenger(where: str, request: pytest.FixtureRequest) -> None:
    lifecycle: Lifecycle = request.getfixturevalue(where)
    (version,) = versions(lifecycle.uri, "breast_cancer")
    assert version.current_stage == "Staging"
    assert client(lifecycle.uri).get_model_version_by_alias("breast_cancer", "challenger").version == version.version
    assert lifecycle.run.data.tags["mlops.version"] == str(version.version)
    assert version.run_id == lifecycle.run.info.run_id


@pytest.mark.parametrize("where", ["local", "remote"])
def test_cards_of_stages_and_model_can_be_read(where: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    lifecycle: Lifecycle = request.getfixturevalue(where)
    for stage in STAGES:
        assert not lifecycle.stages[stage].data.tags.get("mlops.card_error")
        assert "<html" in lifecycle.artifact(stage, "card.html"), stage
    with tracking(lifecycle.uri):
        model = Path(mlflow.artifacts.download_artifacts("models:/breast_cancer@challenger", dst_path=str(tmp_path)))
    assert "<html" in (model / "model_card.html").read_text()
    assert {"model_card.json", "reference_profile.json", "split.json", "requirements.txt"} <= {
        path.name for path in model.iterdir()
    }
    reference = ReferencePerformance.from_dict(json.loads((model / "reference_performance.json").read_text()))
    figures = lifecycle.stages["validate"].data.metrics
    assert reference.figures["roc_auc"].figure == pytest.approx(figures["roc_auc"])


@pytest.fixture(scope="module")
def from_database(
    tmp_path_factory: pytest.TempPathFactory, sqlite_server: Server, postgresql_url: str
) -> tuple[Lifecycle, str]:
    """A lifecycle whose tickets come out of a database; and everything that it printed."""
    tickets, customers = use_cases.ticket_tables(1200)
    engine = sqlalchemy.create_engine(postgresql_url)
    tickets.to_sql("tickets", engine, index=False)
    customers.to_sql("customers", engine, index=False)
    engine.dispose()
    url = postgresql_url.replace("suite@", "suite:${TICKETS_PASSWORD}@")
    query = "select * from tickets where opened >= :since and opened < :until"
    sources = {"tickets": {"sql": url, "query": query}, "customers": {"sql": url, "table": "customers"}}
    folder = tmp_path_factory.mktemp("database")
    ended = mlops(
        "run",
        use_cases.tickets(folder, sources=sources),
        cwd=folder,
        MLFLOW_TRACKING_URI=sqlite_server.uri,
        TICKETS_PASSWORD=PASSWORD,
    )
    return newest(sqlite_server.uri, "tickets"), str(ended)


def everything_kept(server: Server) -> bytes:
    """Every byte of a server's database and artifacts; archives opened."""
    files = [Path(server.store.removeprefix("sqlite:///")), *server.artifacts.rglob("*")]
    kept = []
    for file in (one for one in files if one.is_file()):
        kept.append(file.read_bytes())
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                kept += [archive.read(name) for name in archive.namelist()]
    return b"\n".join(kept)


@pytest.mark.postgresql
def test_a_database_as_source_is_named_and_its_password_is_kept_nowhere(
    from_database: tuple[Lifecycle, str], sqlite_server: Server
) -> None:
    lifecycle, printed = from_database
    sources = [one.dataset.source for one in lifecycle.stages["extract"].inputs.dataset_inputs]
    assert any("postgresql+psycopg2://suite@127.0.0.1" in source for source in sources)
    kept = everything_kept(sqlite_server)
    assert b"postgresql+psycopg2://suite@127.0.0.1" in kept, "the search reads what it should"
    assert b"${TICKETS_PASSWORD}" in kept, "the use case is kept as it was written"
    assert PASSWORD.encode() not in kept
    assert PASSWORD not in printed


@pytest.mark.postgresql
def test_a_database_that_refuses_says_so_without_the_password(
    from_database: tuple[Lifecycle, str], sqlite_server: Server, postgresql_url: str, tmp_path: Path
) -> None:
    url = postgresql_url.replace("suite@", "nobody:${TICKETS_PASSWORD}@")
    source = {"tickets": {"sql": url, "table": "tickets"}}
    use_case = use_cases.tickets(tmp_path, use_case="closed", sources=source, sql="select * from tickets")
    ended = mlops(
        "run",
        use_case,
        "--stage",
        "extract",
        cwd=tmp_path,
        code=2,
        MLFLOW_TRACKING_URI=sqlite_server.uri,
        TICKETS_PASSWORD=PASSWORD,
    )
    assert "nobody" in ended.err
    assert "Traceback" not in ended.err
    assert "nobody" in newest(sqlite_server.uri, "closed").artifact("extract", "card.html")
    assert PASSWORD not in str(ended)
    assert PASSWORD.encode() not in everything_kept(sqlite_server)
