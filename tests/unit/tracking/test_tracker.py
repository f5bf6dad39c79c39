"""Experiments and runs."""

from __future__ import annotations

import pytest

from mlops_mlflow.core.errors import TrackingError
from mlops_mlflow.tracking.tracker import ensure_experiment, open_tracker, without_password


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql+psycopg2://ann:s3cret@db/shop", "postgresql+psycopg2://ann@db/shop"),
        ("https://ann:p%40ss@mlflow.example.com", "https://ann@mlflow.example.com"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("sqlite:////tmp/mlflow.db", "sqlite:////tmp/mlflow.db"),
    ],
)
def test_a_uri_is_shown_without_its_password(uri: str, shown: str) -> None:
    assert without_password(uri) == shown


def test_runs_go_to_the_experiment_named_after_the_use_case(tracking_uri: str) -> None:
    tracker = open_tracker("churn", tracking_uri)
    assert tracker.client.get_experiment(tracker.experiment_id).name == "churn"


def test_an_experiment_that_the_launcher_chose_is_kept(tracking_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_tracker("churn", tracking_uri)
    other = ensure_experiment(first.client, "other")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", other)
    assert open_tracker("churn", tracking_uri).experiment_id == other


def test_an_experiment_that_was_deleted_comes_back(tracking_uri: str) -> None:
    tracker = open_tracker("churn", tracking_uri)
    tracker.client.delete_experiment(tracker.experiment_id)
    assert open_tracker("churn", tracker.uri).experiment_id == tracker.experiment_id


def test_a_server_that_does_not_answer_is_told_within_seconds() -> None:
    with pytest.raises(TrackingError, match="cannot be reached") as caught:
        open_tracker("churn", "http://ann:s3cret@127.0.0.1:9")
    assert "s3cret" not in str(caught.value)


def test_links_lead_into_the_mode_for_models(tracking_uri: str) -> None:
    tracker = open_tracker("churn", tracking_uri)
    assert tracker.page("abc") == f"/#/experiments/{tracker.experiment_id}/runs/abc?workflowType=machine_learning"
