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


def register(tracker: Tracker, *, result: str = "", stage: bool = True, verdict: str = "passed") -> Version:
    run_id = tracker.create_run("validate", {})
    model = tracker.client.create_logged_model(tracker.experiment_id, name="chosen", source_run_id=run_id)
    tracker.client.finalize_logged_model(model.model_id, "READY")
    return register_version(
        tracker,
        "churn",
        result=result or run_id,
        model_id=model.model_id,
        run_id=run_id,
        tags={"mlops.verdict": verdict},
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


def stages(tracker: Tracker) -> dict[int, str]:
    return {one.version: one.current_stage for one in tracker.client.search_model_versions("name = 'churn'")}


def test_a_result_has_one_version_however_often_it_is_found(tracker: Tracker) -> None:
    first = register(tracker, result="one")
    again = register(tracker, result="one", verdict="passed again")
    assert (again.number, again.registry_stage) == (first.number, "Staging")
    assert stages(tracker) == {1: "Staging"}
    assert tracker.client.get_model_version("churn", "1").tags["mlops.verdict"] == "passed again"


def test_a_result_that_was_superseded_comes_back_to_staging(tracker: Tracker) -> None:
    register(tracker, result="one")
    register(tracker, result="two")
    back = register(tracker, result="one")
    assert (back.number, stages(tracker)) == ("1", {1: "Staging", 2: "Archived"})
    assert tracker.client.get_model_version_by_alias("churn", "challenger").version == 1
    assert register(tracker, result="two").number == "2"


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")  # registry stages, which people move by hand here
@pytest.mark.parametrize("stage", ["Archived", "Production"])
def test_a_version_that_people_have_moved_stays_there(tracker: Tracker, stage: str) -> None:
    register(tracker, result="one")
    tracker.client.transition_model_version_stage("churn", "1", stage)
    assert register(tracker, result="one").registry_stage == stage
    assert stages(tracker) == {1: stage}


@pytest.mark.parametrize("undone", ["transition", "alias"])
def test_what_a_killed_registration_left_undone_is_done(tracker: Tracker, undone: str) -> None:
    register(tracker, result="one", stage=undone == "alias")
    if undone == "alias":
        tracker.client.delete_registered_model_alias("churn", "challenger")
    assert register(tracker, result="one").registry_stage == "Staging"
    assert tracker.client.get_model_version_by_alias("churn", "challenger").version == 1


def test_a_result_whose_model_is_gone_is_registered_anew(tracker: Tracker) -> None:
    first = register(tracker, result="one")
    tracker.client.delete_logged_model(first.source.rpartition("/")[2])
    assert register(tracker, result="one").number == "2"


class Hurried:
    """A registry in which another process registers the same result just before us."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker, self._client, self._done = tracker, tracker.client, False

    def __getattr__(self, name: str) -> Any:
        if name == "create_model_version" and not self._done:
            self._done = True
            register(self._tracker, result="one", stage=False)
        return getattr(self._client, name)


def test_two_processes_that_find_the_same_at_once_make_one_version(tracker: Tracker) -> None:
    hurried = Tracker(Hurried(tracker), tracker.uri, tracker.experiment_id)
    assert register(hurried, result="one").number == "1"
    assert stages(tracker) == {1: "Staging"}
