from __future__ import annotations

import pytest
from desks import DAY, MODEL, TWO_ROLES, Office, with_members

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.record import Actor
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.desk import Desk, RefusedError
from mlops_mlflow.governance.desk.overrides import override, review


def broken(office: Office, number: str = "1", *, by: str = "eve") -> int:
    """The record of an override that put a version into Production."""
    office.register(number)
    return override(office.desk(by), MODEL, number, "Production", reason="the champion is down").decision.override


def test_an_override_goes_past_missing_approvals_and_is_recorded_before_its_transition():
    office = Office()
    office.register("1")

    moved = override(office.desk("eve"), MODEL, None, "Production", reason="the champion is down")

    assert office.actions[-2:] == ["override", "transition"]
    assert office.stages == {"1": "Production"}
    assert moved.record.entry.details["override"] == moved.decision.override
    glass = office.shelf.history.glass_breaks[0]
    assert (glass.used, glass.review_due) == (moved.record.sequence, office.registry.now + 7 * DAY)
    assert office.whole()


def test_an_override_ends_the_request_that_waited():
    office = Office()
    office.register("1")
    asked = office.ask("1")

    override(office.desk("eve"), MODEL, "1", "Production", reason="no time")

    assert office.request_state(asked) == "done"


def test_what_the_rules_allow_needs_no_override():
    office = Office()
    office.register("1")
    office.approved("1")

    with pytest.raises(RefusedError, match="needs no override"):
        override(office.desk("eve"), MODEL, "1", "Production", reason="no time")

    assert office.actions[-1] == "refusal"


def test_an_override_cannot_be_overridden():
    office = Office()
    broken(office)

    with pytest.raises(RefusedError, match="it is in Production already"):
        override(office.desk("fay"), MODEL, "1", "Production", reason="again")

    assert office.actions[-1] == "refusal"
    assert len(office.shelf.history.glass_breaks) == 1


def test_another_version_may_be_overridden_while_a_review_is_overdue_and_both_are_due():
    office = Office()
    broken(office)
    office.wait(8 * DAY)

    broken(office, "2", by="fay")

    assert office.stages == {"1": "Archived", "2": "Production"}
    assert [one.reviewed for one in office.shelf.history.glass_breaks] == [0, 0]


def test_an_override_counts_for_one_version_and_one_registry_stage_and_once():
    office = Office()
    broken(office)
    office.register("2")
    asked = office.ask("2")

    assert approve(office.desk("bob"), asked, at_once=True).moved is None
    assert office.stages == {"1": "Production", "2": "Staging"}


@pytest.mark.parametrize("change", ["files", "table"])
def test_no_override_helps_past_changed_files_and_the_table_of_transitions(change: str):
    office = Office()
    office.register("1")
    if change == "files":
        office.evidence.change("1", "model")
    to = "Production" if change == "files" else "None"

    with pytest.raises(RefusedError):
        override(office.desk("eve"), MODEL, "1", to, reason="no time")

    assert office.actions[-1] == "refusal"
    assert office.stages == {"1": "Staging"}


@pytest.mark.parametrize("who", ["bob", "robot", "stranger"])
def test_only_people_in_the_policys_roles_override(who: str):
    policy = with_members(TWO_ROLES, "on-call", "eve", "robot", "stranger")
    office = Office(policy)
    office.register("1")

    with pytest.raises(RefusedError):
        override(office.desk(who), MODEL, "1", "Production", reason="no time")

    assert office.stages == {"1": "Staging"}


def test_a_policy_without_override_says_so():
    office = Office(TWO_ROLES.model_copy(update={"override": None}))
    office.register("1")

    with pytest.raises(RefusedError) as refused:
        override(office.desk("eve"), MODEL, "1", "Production", reason="no time")

    assert refused.value.got == "the bank's policy has none"


def test_who_is_not_signed_in_does_not_override_where_that_is_asked_for():
    office = Office(TWO_ROLES.model_copy(update={"verified_identity": True}))
    office.register("1")

    with pytest.raises(RefusedError, match="nobody has checked who gave it"):
        override(office.desk("eve"), MODEL, "1", "Production", reason="no time")
    verified = Desk(office.registry, office.policy, Actor("eve", "password"), office.evidence, lambda: 0)
    override(verified, MODEL, "1", "Production", reason="no time")

    assert office.stages == {"1": "Production"}


def test_somebody_else_reviews_an_override_by_whichever_name():
    office = Office()
    number = broken(office, by="eve")

    with pytest.raises(RefusedError, match="eve's own override"):
        review(office.desk("eve@laptop"), MODEL, number, comment="fine")
    review(office.desk("bob"), MODEL, number, comment="was needed")

    assert office.shelf.history.glass_breaks[0].reviewed == office.last.sequence
    with pytest.raises(RegistryError, match="no override of churn that waits"):
        review(office.desk("cem"), MODEL, number, comment="fine")


@pytest.mark.parametrize("who", ["robot", "stranger"])
def test_a_review_by_a_program_or_a_stranger_does_not_count(who: str):
    office = Office()
    number = broken(office)

    with pytest.raises(RefusedError, match="would not count"):
        review(office.desk(who), MODEL, number, comment="fine")


def test_an_overdue_review_blocks_the_next_promotion_until_somebody_reviews():
    office = Office()
    number = broken(office)
    office.register("2")
    asked = office.ask("2")
    approve(office.desk("bob"), asked)
    office.wait(7 * DAY)
    assert approve(office.desk("cem"), asked, at_once=True).moved is None

    review(office.desk("bob"), MODEL, number, comment="was needed")

    assert office.ask("2") == asked
    assert office.stages == {"1": "Archived", "2": "Production"}


def test_the_override_of_a_version_that_is_gone_can_still_be_reviewed():
    office = Office()
    number = broken(office)
    del office.registry.versions[MODEL]["1"]

    review(office.desk("bob"), MODEL, number, comment="was needed")

    assert office.shelf.history.glass_breaks[0].reviewed


def test_an_override_where_the_policy_only_watches_is_recorded_all_the_same():
    office = Office(TWO_ROLES.model_copy(update={"mode": "dry_run"}))

    broken(office)

    assert office.actions[-2:] == ["override", "transition"]
    assert office.shelf.history.glass_breaks[0].used


def test_who_may_not_override_is_told_that_before_any_version_is_looked_for():
    office = Office().in_production("1")

    for version in (None, "7"):
        with pytest.raises(RefusedError, match="bob may not override"):
            override(office.desk("bob"), MODEL, version, "Production", reason="no time")
    with pytest.raises(RegistryError, match="no version that could go to Production"):
        override(office.desk("eve"), MODEL, None, "Production", reason="no time")


def test_the_roles_of_a_registry_stage_override_there_and_no_others():
    here = TWO_ROLES.Production.model_copy(update={"override_roles": ("compliance",)})
    office = Office(TWO_ROLES.model_copy(update={"Production": here}))
    office.register("1")

    with pytest.raises(RefusedError, match="eve may not override") as refused:
        override(office.desk("eve"), MODEL, "1", "Production", reason="no time")
    assert refused.value.expected == "one of the roles compliance"
    override(office.desk("cem"), MODEL, "1", "Production", reason="no time")

    assert office.stages == {"1": "Production"}


def test_the_reason_of_an_override_is_one_to_retire_the_champion():
    office = Office().in_production("1")

    with pytest.raises(RefusedError, match="needs no override"):
        override(office.desk("eve"), MODEL, "1", "Archived", reason="it harms")
