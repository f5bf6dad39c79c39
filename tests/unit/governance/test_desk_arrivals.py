from __future__ import annotations

import math

import pytest
from desks import MODEL, TWO_ROLES, Office

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.policy.document import StageRules
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.arrivals import Arrival, adopt, enter
from mlops_mlflow.governance.desk.transitions import move, rollback
from mlops_mlflow.governance.evidence import NO_CHAMPION


def with_staging(**rules: object) -> Office:
    return Office(TWO_ROLES.model_copy(update={"Staging": StageRules.model_validate(rules)}))


def test_a_registered_version_goes_to_staging_and_is_known():
    office = Office()

    entered = office.register("1")

    assert office.actions == ["registration", "transition"]
    assert entered.version.registry_stage == "Staging"
    assert entered.request is None
    assert office.aliases == {"challenger": "1"}
    assert office.shelf.history.registrations["1"].verdict == "passed"
    assert office.whole()


def test_nothing_is_recorded_twice():
    office = Office()
    office.register("1")

    office.register("1")
    office.register("1", by="bob")

    assert office.actions == ["registration", "transition"]


@pytest.mark.parametrize("news", [{"judged": 5}, {"verdict": "failed"}])
def test_a_new_judgement_of_the_same_figures_is_recorded(news: dict[str, object]):
    office = Office()
    office.register("1")
    office.evidence.say("1", **news)

    office.register("1")

    assert office.actions == ["registration", "transition", "registration"]


def test_a_new_registration_does_not_move_what_is_in_production():
    office = Office().in_production("1")
    office.evidence.change("1", "card")

    entered = office.register("1")

    assert entered.version.registry_stage == "Production"
    assert office.whole()


def test_what_people_archived_stays_there_and_what_was_superseded_comes_back():
    office = Office()
    office.register("1")
    office.register("2")
    move(office.desk("ann"), MODEL, "2", "Archived")

    office.register("1")
    office.register("2")

    assert office.stages == {"1": "Staging", "2": "Archived"}


def test_a_rule_that_people_can_meet_leaves_a_request_and_asks_once():
    office = with_staging(approvers=1)

    first, second = office.register("1"), office.register("1")

    assert first.request is not None
    assert second.request is not None
    assert first.request.number == second.request.number
    assert office.actions == ["registration", "request"]


def test_a_rule_that_nobody_can_meet_leaves_no_request():
    office = Office()
    office.evidence.say("1", verdict="failed")

    entered = office.register("1")

    assert entered.request is None
    assert office.actions == ["registration"]
    assert office.stages == {"1": "None"}


def test_a_version_that_was_compared_with_an_earlier_champion_waits_for_a_new_verdict():
    office = Office().in_production("1")
    office.registry.put(MODEL, "2")

    enter(office.desk("ann"), MODEL, "2", Arrival({}, NO_CHAMPION))

    assert office.stages["2"] == "None"


def test_the_champion_that_came_between_reading_and_locking_is_seen():
    office = Office().in_production("1")
    office.registry.put(MODEL, "2")
    compared_with = Arrival({}, "of version 1")
    office.evidence.change("2", "card")
    office.let_another_in_first("9")
    enter(office.desk("ann"), MODEL, "2", compared_with)

    assert office.evidence.readings[-2:] == ["2", "2"]
    assert office.stages["2"] == "None"


def test_an_alias_that_an_interrupted_registration_left_is_mended():
    office = Office()
    office.register("1")
    office.registry.aliases[MODEL].clear()

    office.register("1")

    assert office.aliases == {"challenger": "1"}


def test_figures_that_are_not_defined_can_be_recorded():
    office = Office()
    office.evidence.say("1", metrics={"recall": math.nan, "lift": math.inf})

    office.register("1")
    office.register("1")

    assert office.shelf.history.registrations["1"].facts["metrics"] == {"recall": None, "lift": None}
    assert office.actions == ["registration", "transition"]


def test_what_is_in_production_is_adopted_as_it_is_with_its_alias():
    office = Office()
    office.registry.put(MODEL, "1", stage="Archived")
    office.registry.put(MODEL, "2", stage="Production")
    office.registry.put(MODEL, "3", stage="Staging")

    adopted = adopt(office.desk("ann"), MODEL, reason="was there before")

    assert {one.number for one in adopted} == {"2", "3"}
    assert office.aliases == {"champion": "2", "challenger": "3"}
    assert office.shelf.history.stage_of("2") == "Production"
    assert office.shelf.versions["3"].tags["mlops.registry_stage"] == "Staging"


def test_an_adopted_version_can_be_gone_back_to():
    office = Office()
    office.registry.put(MODEL, "1", stage="Production")
    adopt(office.desk("ann"), MODEL, reason="was there before")
    office.in_production("2")

    rollback(office.desk("eve"), MODEL, reason="2 is bad")

    assert office.stages == {"1": "Production", "2": "Archived"}


def test_an_adopted_version_whose_files_changed_since_is_not_gone_back_to():
    office = Office()
    office.registry.put(MODEL, "1", stage="Production")
    adopt(office.desk("ann"), MODEL, reason="was there before")
    office.in_production("2")
    office.evidence.change("1", "model")

    with pytest.raises(Exception, match="intact model"):
        rollback(office.desk("eve"), MODEL, reason="2 is bad")


def test_adopting_does_not_vouch_for_files_that_changed_since_they_were_registered():
    office = Office().in_production("1")
    office.register("2")
    office.evidence.change("2", "model")
    office.push("1", "Archived")
    office.push("2", "Production")

    adopt(office.desk("eve"), MODEL, reason="somebody did it by hand")

    assert office.shelf.history.registrations["2"].parts["model"] == "model of models:/m-2"


def test_adopting_a_swap_records_each_move_once_and_aliases_follow():
    office = Office().in_production("1")
    office.register("2")
    office.push("1", "Staging")
    office.push("2", "Production")
    before = len(office.registry.records)

    adopt(office.desk("eve"), MODEL, reason="swapped by hand")

    moves = [tuple(each) for one in office.registry.records[before:] for each in one.entry.details["moves"]]
    assert sorted(moves) == [("1", "Production", "Staging"), ("2", "Staging", "Production")]
    assert office.aliases == {"champion": "2", "challenger": "1"}
    assert office.whole()


def test_an_adopted_version_no_longer_has_the_alias_of_where_it_was():
    office = Office().in_production("1")
    office.push("1", "Staging")

    adopt(office.desk("eve"), MODEL, reason="moved by hand")

    assert office.aliases == {"challenger": "1"}


def test_what_an_adopted_version_displaced_is_told_and_tagged():
    office = Office().in_production("1")
    office.registry.put(MODEL, "9", stage="Production")
    office.push("1", "Archived")

    adopt(office.desk("eve"), MODEL, reason="by hand")

    assert office.last.entry.details["moves"] == [["9", "None", "Production"], ["1", "Production", "Archived"]]
    assert office.shelf.versions["1"].tags["mlops.registry_stage"] == "Archived"
    assert office.whole()


def test_a_displaced_version_may_be_deleted_by_then():
    office = Office().in_production("1")
    office.registry.put(MODEL, "9", stage="Production")
    del office.registry.versions[MODEL]["1"]

    adopt(office.desk("eve"), MODEL, reason="by hand")

    assert office.whole()
    assert office.shelf.history.stage_of("1") == "Archived"


def test_adopting_ends_the_requests_of_what_moved():
    office = Office()
    office.register("1")
    asked = office.ask("1")
    approve(office.desk("bob"), asked)
    office.push("1", "Production")

    adopt(office.desk("eve"), MODEL, reason="by hand")

    assert office.request_state(asked) == "overtaken"


def test_what_was_moved_past_a_policy_that_held_is_adopted_by_those_who_may_go_past_it():
    office = Office()
    office.register("1")
    office.push("1", "Production")

    with pytest.raises(RegistryError, match="ann may not adopt what was moved past the ledger") as refused:
        adopt(office.desk("ann"), MODEL, reason="it was urgent")

    assert "on-call" in refused.value.expected
    assert adopt(office.desk("eve"), MODEL, reason="it was urgent")


def test_a_version_that_a_rollback_took_out_does_not_come_back_by_the_next_run():
    office = Office().in_production("1", "2")
    rollback(office.desk("eve"), MODEL, reason="2 is bad")

    assert office.register("2").version.registry_stage == "Archived"
    assert office.stages == {"1": "Production", "2": "Archived"}
