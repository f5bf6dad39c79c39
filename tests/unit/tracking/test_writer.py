"""The loop that writes records, on a real store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlops_mlflow.core.errors import CandidateError, StorageError
from mlops_mlflow.core.records import (
    Artifact,
    ChildEnd,
    ChildRun,
    Dataset,
    Metric,
    Model,
    ModelFile,
    Note,
    Param,
    Progress,
    Tag,
)
from mlops_mlflow.tracking.tracker import Tracker, open_tracker
from mlops_mlflow.tracking.writer import Library, Writer


class Counting:
    """MLflow's client, with its calls counted by name."""

    def __init__(self, client: MlflowClient) -> None:
        self.client, self.calls = client, []  # type: tuple[MlflowClient, list[str]]

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self.client, name)


@pytest.fixture
def tracker(tracking_uri: str) -> Tracker:
    return open_tracker("words", tracking_uri)


@pytest.fixture
def run_id(tracker: Tracker) -> str:
    return tracker.create_run("stage", {})


def write(tracker: Tracker, run_id: str, scratch: Path, *records: Any, status: Any = "FINISHED") -> Library:
    library, shown = Library(), []
    writer = Writer(
        tracker, run_id, tags={"mlops.use_case": "words"}, library=library, scratch=scratch, show=shown.append
    )
    for record in records:
        writer(record)
    writer.close(status)
    return library


def fitted() -> tuple[Any, pd.DataFrame]:
    from sklearn.linear_model import LogisticRegression

    table = pd.DataFrame({"x": np.linspace(0, 1, 20)})
    return LogisticRegression().fit(table, (table["x"] > 0.5).astype(int)), table


def test_params_metrics_tags_and_notes_arrive(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    write(tracker, run_id, tmp_path, Param("depth", 3), Metric("rmse", 1.5), Tag("mlops.word", "yes"), Note("**good**"))
    data = tracker.client.get_run(run_id).data
    assert data.params == {"depth": "3"}
    assert data.metrics == {"rmse": 1.5}
    assert data.tags["mlops.word"] == "yes"
    assert data.tags["mlflow.note.content"] == "**good**"


def test_a_thousand_metrics_and_hundreds_of_params_take_a_few_requests(
    tracker: Tracker, run_id: str, tmp_path: Path
) -> None:
    counting = Counting(tracker.client)
    records = [Metric(f"m{number}", number) for number in range(1500)] + [Param(f"p{n}", n) for n in range(250)]
    write(Tracker(counting, tracker.uri, tracker.experiment_id), run_id, tmp_path, *records)
    assert counting.calls == ["log_batch"] * 3
    data = tracker.client.get_run(run_id).data
    assert (len(data.metrics), len(data.params)) == (1500, 250)


def test_a_child_run_is_nested_tagged_and_ended(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    write(
        tracker,
        run_id,
        tmp_path,
        ChildRun("a", "trial a", {"k": "v"}),
        Metric("rmse", 2, run="a"),
        ChildEnd("a", "FAILED"),
    )
    found = tracker.client.search_runs([tracker.experiment_id])
    child = next(run for run in found if run.info.run_id != run_id)
    assert child.info.run_name == "trial a"
    assert child.info.status == "FAILED"
    assert child.data.metrics == {"rmse": 2}
    assert child.data.tags | {"mlflow.parentRunId": run_id, "mlops.use_case": "words", "k": "v"} == child.data.tags


def test_a_childs_figures_are_seen_before_the_stage_ends(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    writer = Writer(tracker, run_id, tags={}, library=Library(), scratch=tmp_path, show=lambda _: None)
    for record in (ChildRun("a", "a"), Metric("best", 1.0), ChildEnd("a")):
        writer(record)
    assert tracker.client.get_run(run_id).data.metrics == {"best": 1.0}


def test_children_that_are_open_when_a_stage_ends_get_its_status(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    write(tracker, run_id, tmp_path, ChildRun("a", "a"), status="KILLED")
    child = next(run for run in tracker.client.search_runs([tracker.experiment_id]) if run.info.run_id != run_id)
    assert child.info.status == "KILLED"


def test_artifacts_of_text_bytes_and_files_arrive(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    (tmp_path / "there.bin").write_bytes(b"\x00\x01")
    write(
        tracker,
        run_id,
        tmp_path,
        Artifact("a/text.txt", "grün"),
        Artifact("bytes.bin", b"\xff"),
        Artifact("file.bin", tmp_path / "there.bin"),
    )
    local = Path(tracker.client.download_artifacts(run_id, ""))
    assert (local / "a/text.txt").read_text(encoding="utf-8") == "grün"
    assert (local / "bytes.bin").read_bytes() == b"\xff"
    assert (local / "file.bin").read_bytes() == b"\x00\x01"
    assert (tmp_path / "there.bin").exists()


def test_metrics_are_linked_to_their_model_and_dataset(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    estimator, table = fitted()
    library = write(
        tracker,
        run_id,
        tmp_path,
        Dataset("words.test", "abc", "somewhere", "test", {"x": "DOUBLE"}, 20),
        Model("logistic", estimator, table, params={"C": 1.0}),
        Metric("roc_auc", 0.9, model="logistic", dataset="words.test"),
    )
    model = tracker.client.get_logged_model(library.models["logistic"])
    assert model.status == "READY"
    assert model.params == {"C": "1.0"}
    assert [(one.key, one.value, one.dataset_name) for one in model.metrics] == [("roc_auc", 0.9, "words.test")]
    inputs = tracker.client.get_run(run_id).inputs.dataset_inputs
    assert [(one.dataset.name, one.tags[0].value) for one in inputs] == [("words.test", "test")]


def test_a_file_can_join_a_model_that_was_logged(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    import mlflow

    estimator, table = fitted()
    library = write(
        tracker, run_id, tmp_path, Model("logistic", estimator, table), ModelFile("logistic", "model_card.json", "{}")
    )
    local = Path(mlflow.artifacts.download_artifacts(f"models:/{library.models['logistic']}", tracking_uri=tracker.uri))
    assert {"MLmodel", "model.skops", "model_card.json"} <= {file.name for file in local.iterdir()}


def test_a_model_of_unknown_types_is_refused_and_marked_as_failed(
    tracker: Tracker, run_id: str, tmp_path: Path
) -> None:
    from sklearn.preprocessing import FunctionTransformer

    estimator = FunctionTransformer(pd.DataFrame.abs)
    with pytest.raises(CandidateError, match="trusted_types") as caught:
        write(tracker, run_id, tmp_path, Model("odd", _with_predict(estimator), pd.DataFrame({"x": [1.0]})))
    assert "odd" in caught.value.what
    logged = tracker.client.search_logged_models([tracker.experiment_id])
    assert [model.status for model in logged] == ["FAILED"]


def _with_predict(transformer: Any) -> Any:
    from sklearn.dummy import DummyRegressor
    from sklearn.pipeline import make_pipeline

    return make_pipeline(transformer, DummyRegressor()).fit(pd.DataFrame({"x": [1.0, 2.0]}), [1.0, 2.0])


def test_a_full_disk_is_told_as_such(
    tracker: Tracker, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "card.html")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match="No space left"):
        write(tracker, run_id, tmp_path, Artifact("card.html", "text"))


def test_progress_is_shown_and_not_stored(tracker: Tracker, run_id: str, tmp_path: Path) -> None:
    shown: list[Progress] = []
    writer = Writer(tracker, run_id, tags={}, library=Library(), scratch=tmp_path, show=shown.append)
    writer(Progress(1, 3, "reading"))
    writer.close("FINISHED")
    assert shown == [Progress(1, 3, "reading")]
    assert not tracker.client.get_run(run_id).data.metrics
