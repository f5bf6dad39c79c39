"""Registration: all of it or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.governance.registry import Version, champion, transition
from mlops_mlflow.governance.registry import register as register_version
from mlops_mlflow.tracking.tracker import Tracker, open_tracker


@pytest.fixture
def tracker(tracking_uri: str) -> Tracker:
    return open_tracker("churn", tracking_uri)


def register(tracker: Tracker, *, stage: bool = True) -> Version:
    run_id = tracker.create_run("validate", {})
    model = tracker.client.create_logged_model(tracker.experiment_id, name="chosen", source_run_id=run_id)
    tracker.client.finalize_logged_model(model.model_id, "READY")
    return register_version(
        tracker,
        "churn",
        model_id=model.model_id,
        run_id=run_id,
        tags={"mlops.verdict": "passed"},
        description="why",
        stage=stage,
    )


class Refusing:
    """A registry that answers one call as a server without permission does."""

    def __init__(self, client: Any, call: str) -> None:
        self._client, self._call = client, call

    def __getattr__(self, name: str) -> Any:
        if name != self._call:
            return getattr(self._client, name)

        def refuse(*_: Any, **__: Any) -> None:
            raise MlflowException("Permission denied", error_code=7)

        return refuse


def test_a_version_goes_to_staging_with_its_alias_and_tags(tracker: Tracker) -> None:
    version = register(tracker)
    assert (version.number, version.registry_stage) == ("1", "Staging")
    found = tracker.client.get_model_version_by_alias("churn", "challenger")
    assert (found.version, found.current_stage, found.tags["mlops.verdict"], found.description) == (
        1, "Staging", "passed", "why",
    )  # fmt: skip


def test_the_version_that_was_in_staging_is_archived(tracker: Tracker) -> None:
    register(tracker)
    register(tracker)
    stages = {one.version: one.current_stage for one in tracker.client.search_model_versions("name = 'churn'")}
    assert stages == {1: "Archived", 2: "Staging"}


@pytest.mark.parametrize(
    "call", ["create_model_version", "transition_model_version_stage", "set_registered_model_alias"]
)
def test_what_a_refusing_registry_had_taken_is_taken_back(tracker: Tracker, call: str) -> None:
    refusing = Tracker(Refusing(tracker.client, call), tracker.uri, tracker.experiment_id)
    with pytest.raises(RegistryError, match="Permission denied"):
        register(refusing)
    assert tracker.client.search_registered_models() == []


def test_a_refusal_leaves_earlier_versions_alone(tracker: Tracker) -> None:
    register(tracker)
    refusing = Tracker(Refusing(tracker.client, "set_registered_model_alias"), tracker.uri, tracker.experiment_id)
    with pytest.raises(RegistryError):
        register(refusing)
    versions = tracker.client.search_model_versions("name = 'churn'")
    assert [(one.version, one.current_stage) for one in versions] == [(1, "Staging")]
    assert tracker.client.get_model_version_by_alias("churn", "challenger").version == 1


def test_there_is_no_champion_before_production(tracker: Tracker) -> None:
    assert champion(tracker, "churn") is None
    register(tracker)
    assert champion(tracker, "churn") is None


def test_an_illegal_transition_is_refused_with_the_legal_ones(tracker: Tracker) -> None:
    version = register(tracker)
    with pytest.raises(RegistryError, match="cannot go from Staging to Archived"):
        transition(tracker, version, "Archived")


def test_a_version_that_waits_for_an_approval_stays_out_of_staging(tracker: Tracker) -> None:
    first = register(tracker)
    waiting = register(tracker, stage=False)
    assert waiting.registry_stage == "None"
    assert tracker.client.get_model_version_by_alias("churn", "challenger").version == int(first.number)
