from __future__ import annotations

import pytest
from desks import MODEL, TWO_ROLES, Office

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.governance.desk.desk import RefusedError
from mlops_mlflow.governance.desk.overrides import override, review
from mlops_mlflow.governance.desk.transitions import move, rollback


def test_a_promotion_archives_the_champion_and_aliases_follow_in_one_record():
    office = Office().in_production("1")
    office.register("2")

    moved = office.promote("2")

    assert moved.moves == (("2", "Staging", "Production"), ("1", "Production", "Archived"))
    assert office.stages == {"1": "Archived", "2": "Production"}
    assert office.aliases == {"champion": "2"}
    assert office.whole()
    assert moved.record.entry.details["moves"] == [list(each) for each in moved.moves]


def test_tags_tell_the_registry_stage_and_who_took_the_place():
    office = Office().in_production("1", "2")

    tags = {number: dict(one.tags) for number, one in office.shelf.versions.items()}

    assert tags["1"] == {"mlops.registry_stage": "Archived", "mlops.superseded_by": "2"}
    assert tags["2"] == {"mlops.registry_stage": "Production"}


def test_what_is_refused_leaves_one_record_of_the_refusal_and_changes_nothing():
    office = Office()
    office.register("1")
    before = office.stages, dict(office.aliases), len(office.registry.records)

    with pytest.raises(RefusedError) as refused:
        move(office.desk("ann"), MODEL, "1", "Production")

    assert (office.stages, dict(office.aliases)) == before[:2]
    assert len(office.registry.records) == before[2] + 1
    assert office.last.entry.action == "refusal"
    assert office.last.entry.details["attempt"] == "transition"
    assert refused.value.record == office.last.sequence


def test_a_refusal_after_something_was_recorded_takes_that_back_and_is_recorded_alone():
    office = Office()
    office.register("1")
    before = len(office.registry.records)

    def changes_its_mind() -> None:
        with office.desk("ann").changing("transition", MODEL, "1", "Production") as matter:
            matter.record("request", details={"lapses": 1})
            matter.change.move("1", "Production")
            raise RefusedError("no")

    with pytest.raises(RefusedError):
        changes_its_mind()

    assert office.actions[before:] == ["refusal"]
    assert office.stages == {"1": "Staging"}
    assert office.whole()


def test_any_other_error_inside_a_change_leaves_nothing():
    office = Office()
    office.register("1")
    before = len(office.registry.records)

    def fails() -> None:
        with office.desk("ann").changing("transition", MODEL, "1", "Archived") as matter:
            matter.record("request", details={"lapses": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()

    assert len(office.registry.records) == before


def test_evidence_is_read_again_when_the_champion_changes_between_looking_and_locking():
    office = Office().in_production("1")
    office.register("2")
    office.approved("2")
    desk = office.desk("ann")
    office.let_another_in_first("9")
    with pytest.raises(RefusedError) as refused:
        move(desk, MODEL, "2", "Production")

    assert "the champion that it was compared with is another one now" in str(refused.value)


def test_a_rollback_brings_back_the_version_before_without_new_approvals():
    office = Office().in_production("1", "2")

    moved = rollback(office.desk("eve"), MODEL, reason="recall fell")

    assert moved.record.entry.action == "rollback"
    assert office.stages == {"1": "Production", "2": "Archived"}
    assert office.aliases == {"champion": "1"}
    assert "mlops.superseded_by" not in office.shelf.versions["1"].tags
    assert office.whole()


def test_a_second_rollback_goes_further_back_and_not_to_the_version_that_failed():
    office = Office().in_production("1", "2", "3")

    rollback(office.desk("eve"), MODEL, reason="3 is bad")
    assert office.stages["2"] == "Production"
    rollback(office.desk("eve"), MODEL, reason="2 is bad as well")

    assert office.stages == {"1": "Production", "2": "Archived", "3": "Archived"}
    with pytest.raises(RegistryError, match="no earlier version"):
        rollback(office.desk("eve"), MODEL, reason="and now?")


def test_a_rollback_that_was_a_mistake_is_undone_by_naming_the_version():
    office = Office().in_production("1", "2")
    rollback(office.desk("eve"), MODEL, reason="2 is bad")

    rollback(office.desk("eve"), MODEL, version="2", reason="it was the network")

    assert office.stages == {"1": "Archived", "2": "Production"}


def test_a_version_that_a_rollback_took_out_may_be_gone_back_to_once_it_was_approved_again():
    office = Office().in_production("1", "2")
    rollback(office.desk("eve"), MODEL, reason="2 is bad")
    office.register("2")  # judged again beside the version that is back
    office.ask("2", "Staging")
    office.promote("2")
    office.in_production("3")

    rollback(office.desk("eve"), MODEL, reason="3 is worse")

    assert office.stages["2"] == "Production"


def test_there_is_no_way_back_to_a_version_whose_files_have_changed():
    office = Office().in_production("1", "2")
    office.evidence.change("1", "model")

    with pytest.raises(RefusedError, match="intact model"):
        rollback(office.desk("eve"), MODEL, reason="recall fell")

    assert office.stages == {"1": "Archived", "2": "Production"}


def test_only_the_roles_of_the_policy_roll_back():
    office = Office(TWO_ROLES.model_copy(update={"rollback": ("on-call",)})).in_production("1", "2")

    with pytest.raises(RefusedError, match="bob is not on-call"):
        rollback(office.desk("bob"), MODEL, reason="recall fell")
    rollback(office.desk("eve@laptop"), MODEL, reason="recall fell")

    assert office.stages["1"] == "Production"


def test_nobody_rolls_back_to_an_override_that_nobody_has_reviewed():
    office = Office()
    office.register("1")
    moved = override(office.desk("eve"), MODEL, "1", "Production", reason="now")
    office.in_production("2")

    with pytest.raises(RegistryError, match="no earlier version"):
        rollback(office.desk("fay"), MODEL, reason="2 is bad")
    with pytest.raises(RefusedError, match="nobody has reviewed that"):
        rollback(office.desk("fay"), MODEL, version="1", reason="2 is bad")
    review(office.desk("fay"), MODEL, moved.decision.override, comment="was needed")
    rollback(office.desk("fay"), MODEL, reason="2 is bad")

    assert office.stages["1"] == "Production"


def test_archiving_the_champion_leaves_production_and_its_alias_empty():
    office = Office().in_production("1")

    move(office.desk("ann"), MODEL, "1", "Archived", reason="retired")

    assert office.aliases == {}
    assert office.whole()


def test_a_stale_alias_is_put_right_by_the_next_transition_of_its_registry_stage():
    office = Office().in_production("1")
    office.registry.put(MODEL, "9")
    office.registry.aliases[MODEL]["champion"] = "9"

    move(office.desk("ann"), MODEL, "1", "Archived", reason="retired")

    assert "champion" not in office.aliases


def test_an_alias_names_the_version_that_stays_where_two_shared_a_registry_stage():
    office = Office()
    office.register("1")
    office.registry.put(MODEL, "9", stage="Staging")

    move(office.desk("ann"), MODEL, "1", "Archived")

    assert office.aliases == {"challenger": "9"}


def test_two_versions_that_mlflow_put_into_production_are_both_replaced():
    office = Office().in_production("1")
    office.registry.put(MODEL, "8", stage="Production")
    office.register("2")

    office.promote("2")

    assert office.stages == {"1": "Archived", "8": "Archived", "2": "Production"}


def test_what_was_moved_behind_the_ledgers_back_stays_unexplained_while_others_move():
    office = Office().in_production("1")
    office.registry.put(MODEL, "9", stage="Archived")
    office.push("1", "Archived")
    office.register("2")

    office.promote("2")

    assert office.shelf.history.stage_of("1") == "Production"
    assert office.shelf.history.stage_of("9") == "None"


def test_no_evidence_is_read_for_the_archive():
    office = Office().in_production("1")
    office.evidence.readings.clear()

    move(office.desk("ann"), MODEL, "1", "Archived", reason="retired")

    assert office.evidence.readings == []
