"""Two processes that start the same work at once do it once, or twice with the same result, never half."""

from __future__ import annotations

import shutil
from pathlib import Path

import use_cases
from lifecycles import STAGES, client, store_of, versions
from processes import mlops, start


def test_two_lifecycles_at_once_end_with_one_result_and_one_version(tmp_path: Path, migrated_store: Path) -> None:
    folder = use_cases.tickets(tmp_path)
    shutil.copyfile(migrated_store, tmp_path / "mlflow.db")
    both = [start("mlops", "run", folder, cwd=tmp_path) for _ in range(2)]
    ended = [(*process.communicate(timeout=240), process.returncode) for process in both]
    assert [code for _, _, code in ended] == [0, 0], ended

    of = client(store_of(tmp_path))
    experiment = of.get_experiment_by_name("tickets")
    assert experiment is not None
    runs = of.search_runs([experiment.experiment_id], max_results=1000)
    assert {run.info.status for run in runs} == {"FINISHED"}
    for stage in STAGES:
        keys = {
            run.data.tags["mlops.key"]
            for run in runs
            if run.data.tags.get("mlops.stage") == stage and run.data.tags["mlops.kind"] == "stage"
        }
        assert len(keys) == 1, stage
    lifecycles = [run for run in runs if run.data.tags["mlops.kind"] == "lifecycle"]
    first, second = (
        {name: figure for name, figure in run.data.metrics.items() if "latency" not in name and "seconds" not in name}
        for run in lifecycles
    )
    assert {name for name in first if first[name] != second[name]} <= {"model_size_mb"}
    (version,) = versions(store_of(tmp_path), "tickets")
    assert version.current_stage == "Staging"
    assert {run.data.tags["mlops.version"] for run in lifecycles} == {str(version.version)}

    again = mlops("run", folder, cwd=tmp_path)
    assert again.err.count("reused") == len(STAGES)
    assert len(versions(store_of(tmp_path), "tickets")) == 1
