"""``mlflow run``: the launcher's run, the use case's experiment, entry points, environments."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import use_cases
from lifecycles import PARENT, client, newest, store_of, versions
from mlflow_server import Server
from processes import PROJECT, mlops, run

LOCAL = ("--env-manager", "local")


def launched(uri: str, experiment: str) -> set[str]:
    """Ids of the runs that ``mlflow run`` began."""
    found = client(uri).get_experiment_by_name(experiment)
    assert found is not None
    runs = client(uri).search_runs([found.experiment_id], max_results=1000)
    return {one.info.run_id for one in runs if "mlflow.project.entryPoint" in one.data.tags}


def test_the_root_project_runs_any_use_case_in_that_use_cases_experiment(sqlite_server: Server, tmp_path: Path) -> None:
    use_case = use_cases.breast_cancer(tmp_path, use_case="from_root")
    ended = run(
        *("mlflow", "run", PROJECT, *LOCAL, "-P", f"use_case={use_case}"),
        cwd=tmp_path,
        MLFLOW_TRACKING_URI=sqlite_server.uri,
    )
    assert "PASSED" in ended.out + ended.err
    lifecycle = newest(sqlite_server.uri, "from_root")
    assert launched(sqlite_server.uri, "from_root") == {lifecycle.run.info.run_id}, "one run, not one beside another"
    assert lifecycle.run.info.status == "FINISHED"
    assert {one.data.tags[PARENT] for one in lifecycle.stages.values()} == {lifecycle.run.info.run_id}
    assert lifecycle.run.data.tags["mlflow.source.type"] == "PROJECT"
    assert versions(sqlite_server.uri, "from_root")[0].current_stage == "Staging"
    assert client(sqlite_server.uri).search_runs(["0"]) == []


def test_a_new_use_case_runs_at_once_as_its_own_project(tmp_path: Path) -> None:
    mlops("init", "churn", cwd=tmp_path)
    folder = tmp_path / "churn"
    run("mlflow", "run", ".", *LOCAL, cwd=folder)
    lifecycle = newest(store_of(folder), "churn")
    assert launched(store_of(folder), "churn") == {lifecycle.run.info.run_id}
    assert {one.info.status for one in lifecycle.runs.values()} == {"FINISHED"}
    assert versions(store_of(folder), "churn")[0].current_stage == "Staging"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A use case's folder that is a project by itself."""
    mlops("init", "churn", cwd=tmp_path)
    return tmp_path / "churn"


def test_a_stage_alone_runs_what_it_needs_first(project: Path, tmp_path: Path) -> None:
    ended = run("mlflow", "run", project, *LOCAL, "-e", "explore", cwd=tmp_path)
    assert [line.split()[1] for line in ended.err.splitlines() if line[:1] == "✓"] == ["design", "extract", "explore"]
    lifecycle = newest(f"sqlite:///{tmp_path / 'mlflow.db'}", "churn")
    assert list(lifecycle.stages) == ["design", "extract", "explore"]
    assert lifecycle.run.data.tags["mlops.target"] == "explore"
    assert lifecycle.run.info.status == "FINISHED"


def test_an_experiment_that_was_asked_for_gets_the_stages(project: Path, tmp_path: Path) -> None:
    run("mlflow", "run", project, *LOCAL, "-e", "design", "--experiment-name", "other", cwd=tmp_path)
    store = store_of(tmp_path)
    lifecycle = newest(store, "other")
    assert list(lifecycle.stages) == ["design"]
    assert launched(store, "other") == {lifecycle.run.info.run_id}
    assert client(store).get_experiment_by_name("churn") is None


def test_what_is_refused_fails_the_launchers_command_and_says_why(sqlite_server: Server, tmp_path: Path) -> None:
    use_case = use_cases.refused(tmp_path, use_case="refused_launch")
    ended = run(
        *("mlflow", "run", PROJECT, *LOCAL, "-P", f"use_case={use_case}"),
        cwd=tmp_path,
        code=1,
        MLFLOW_TRACKING_URI=sqlite_server.uri,
    )
    assert "FAILED: logistic, judged on test rows" in ended.out
    lifecycle = newest(sqlite_server.uri, "refused_launch")
    assert lifecycle.run.data.tags["mlops.verdict"] == "failed"


def test_a_mistake_in_the_file_fails_the_launchers_run(project: Path, tmp_path: Path) -> None:
    file = project / "usecase.yaml"
    file.write_text(file.read_text().replace("split: {by: time", "split: {by: tme"))
    ended = run("mlflow", "run", project, *LOCAL, "-e", "design", cwd=tmp_path, code=1)
    assert "usecase.yaml" in ended.err
    assert "tme" in ended.err
    found = client(store_of(tmp_path)).get_experiment_by_name("churn")
    assert found is not None
    (begun,) = client(store_of(tmp_path)).search_runs([found.experiment_id])
    assert begun.info.status == "FAILED"


@pytest.mark.slow
def test_the_root_project_brings_its_own_environment_with_uv(sqlite_server: Server, tmp_path: Path) -> None:
    use_case = use_cases.breast_cancer(tmp_path, use_case="with_uv")
    environments = tmp_path / "environments"
    run(
        *("mlflow", "run", PROJECT, "--env-manager", "uv", "-e", "design", "-P", f"use_case={use_case}"),
        cwd=tmp_path,
        timeout=600,
        MLFLOW_TRACKING_URI=sqlite_server.uri,
        MLFLOW_ENV_ROOT=str(environments),
    )
    assert any(environments.rglob("mlops")), "the command of the new environment"
    lifecycle = newest(sqlite_server.uri, "with_uv")
    assert lifecycle.stages["design"].info.status == "FINISHED"
    shutil.rmtree(environments)


def test_promote_is_a_request_whose_run_says_so(project: Path, tmp_path: Path) -> None:
    store = store_of(tmp_path)
    run("mlflow", "run", project, *LOCAL, cwd=tmp_path)
    run("mlflow", "run", project, *LOCAL, "-e", "promote", "-P", "to=Production", cwd=tmp_path)
    found = client(store).get_experiment_by_name("churn")
    assert found is not None
    asked = [
        one
        for one in client(store).search_runs([found.experiment_id])
        if one.data.tags.get("mlflow.project.entryPoint") == "promote"
    ]
    (launched_run,) = asked
    assert launched_run.info.run_name.startswith("churn 1: request Staging -> Production by ")
    assert "mlops.audit" in launched_run.data.tags["mlflow.note.content"]
    told = mlops("status", "churn", cwd=tmp_path).out
    assert "version 1 to Production, asked by" in told
    assert versions(store, "churn")[0].current_stage == "Staging"
