"""Registration: all of it or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.record import Actor
from mlops_mlflow.core.policy.document import DEFAULT, Policy, StageRules
from mlops_mlflow.core.policy.evidence import PARTS, Evidence
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.governance.database.registry import DatabaseChange
from mlops_mlflow.governance.desk.arrivals import Arrival, Entered
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.evidence import NO_CHAMPION
from mlops_mlflow.governance.opening import open_registry
from mlops_mlflow.governance.registration import Find, champion
from mlops_mlflow.governance.registration import register as register_version
from mlops_mlflow.governance.shelf import Shelf, Version
from mlops_mlflow.tracking.tracker import Tracker, open_tracker


@pytest.fixture
def tracker(tracking_uri: str) -> Tracker:
    return open_tracker("churn", tracking_uri)


def evidence(_: Shelf, __: str, rules: Rules) -> Evidence:
    parts = {part: part for part in PARTS} | {"policy": rules.digest, "champion": NO_CHAMPION}
    return Evidence(parts, {"verdict": "passed", "judged": 0, "metrics": {}})


def enter(tracker: Tracker, *, result: str = "", verdict: str = "passed", policy: Policy = DEFAULT) -> Entered:
    run_id = tracker.create_run("validate", {})
    model = tracker.client.create_logged_model(tracker.experiment_id, name="chosen", source_run_id=run_id)
    tracker.client.finalize_logged_model(model.model_id, "READY")
    found = Find(result or run_id, model.model_id, run_id, {"mlops.verdict": verdict}, "why")
    desk = Desk(open_registry(tracker.uri), policy, Actor("anna"), evidence)
    return register_version(tracker, desk, "churn", found, Arrival({}, NO_CHAMPION))


def register(tracker: Tracker, *, result: str = "", verdict: str = "passed") -> Version:
    return enter(tracker, result=result, verdict=verdict).version


CAREFUL = Policy(name="careful", unlisted_roles="anybody", Staging=StageRules(approvals={"legal": 1}))


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


def test_what_a_refusing_registry_had_taken_is_taken_back(tracker: Tracker) -> None:
    refusing = Tracker(Refusing(tracker.client, "create_model_version"), tracker.uri, tracker.experiment_id)
    with pytest.raises(RegistryError, match="Permission denied"):
        register(refusing)
    assert tracker.client.search_registered_models() == []


@pytest.mark.parametrize("call", ["record", "move", "alias"])
def test_a_registration_that_fails_half_way_leaves_nothing(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: Any) -> None:
        raise RegistryError("the disk is full")

    monkeypatch.setattr(DatabaseChange, call, fail)
    with pytest.raises(RegistryError, match="the disk is full"):
        register(tracker)
    assert tracker.client.search_registered_models() == []
    assert list(open_registry(tracker.uri).stored()) == []


def test_a_failure_leaves_earlier_versions_alone(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    register(tracker)

    def fail(*_: Any) -> None:
        raise RegistryError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(DatabaseChange, "alias", fail)
        with pytest.raises(RegistryError):
            register(tracker)
    versions = tracker.client.search_model_versions("name = 'churn'")
    assert [(one.version, one.current_stage) for one in versions] == [(1, "Staging")]
    assert tracker.client.get_model_version_by_alias("churn", "challenger").version == 1


def test_there_is_no_champion_before_production(tracker: Tracker) -> None:
    assert champion(tracker, "churn") is None
    register(tracker)
    assert champion(tracker, "churn") is None


def test_a_version_that_waits_for_an_approval_stays_out_of_staging(tracker: Tracker) -> None:
    first = register(tracker)
    waiting = enter(tracker, policy=CAREFUL)
    assert waiting.version.registry_stage == "None"
    assert waiting.request is not None
    assert waiting.request.to == "Staging"
    assert tracker.client.get_model_version_by_alias("churn", "challenger").version == int(first.number)
    again = enter(tracker, policy=CAREFUL, result="other")
    assert again.version.number == "3"


def test_what_has_not_changed_is_not_recorded_twice(tracker: Tracker) -> None:
    register(tracker, result="one")
    before = len(list(open_registry(tracker.uri).stored()))
    register(tracker, result="one")
    assert len(list(open_registry(tracker.uri).stored())) == before == 2


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


def test_an_alias_that_is_gone_is_set_again(tracker: Tracker) -> None:
    register(tracker, result="one")
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
            register(self._tracker, result="one")
        return getattr(self._client, name)


def test_two_processes_that_find_the_same_at_once_make_one_version(tracker: Tracker) -> None:
    hurried = Tracker(Hurried(tracker), tracker.uri, tracker.experiment_id)
    assert register(hurried, result="one").number == "1"
    assert stages(tracker) == {1: "Staging"}


def test_a_version_is_not_registered_under_the_default_policy_after_another_one_and_that_is_recorded(
    tracker: Tracker,
) -> None:
    enter(tracker, policy=Policy(name="Clinic models"))

    with pytest.raises(RegistryError, match="was made under `Clinic models`; MLOPS_POLICY names no file"):
        enter(tracker, policy=DEFAULT)

    assert [one.version for one in tracker.client.search_model_versions("name = 'churn'")] == [1]
    last = list(open_registry(tracker.uri).stored())[-1]
    assert json.loads(last.text)["details"]["attempt"] == "registration"
