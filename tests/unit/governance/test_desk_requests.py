from __future__ import annotations

from datetime import timedelta

import pytest
from desks import DAY, DEFAULT, HOUR, MODEL, TWO_ROLES, Office, with_members

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.policy.document import StageRules
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.desk import RefusedError
from mlops_mlflow.governance.desk.requests import reject, request, withdraw
from mlops_mlflow.governance.desk.standing import standing
from mlops_mlflow.governance.desk.transitions import move, rollback


def tightened(**changed: object) -> StageRules:
    return TWO_ROLES.Production.model_copy(update=changed)


def test_a_request_waits_and_says_for_whom():
    office = Office()
    office.register("1")

    asked = request(office.desk("ann"), MODEL, None, "Production", comment="recall is up")

    assert asked.moved is None
    assert [one.role for one in asked.decision.missing] == ["business", "compliance"]
    assert asked.request.version == "1"
    assert asked.request.comment == "recall is up"
    assert office.stages == {"1": "Staging"}


def test_what_needs_nobody_is_made_at_once():
    office = Office(TWO_ROLES.model_copy(update={"Production": StageRules()}))
    office.register("1")

    asked = request(office.desk("ann"), MODEL, "1", "Production")

    assert asked.moved is not None
    assert office.request_state(asked.request.number) == "done"
    assert office.stages == {"1": "Production"}


def test_asking_again_makes_what_is_approved_by_now():
    office = Office()
    office.register("1")
    asked = office.approved("1")

    again = request(office.desk("fay"), MODEL, "1", "Production")

    assert again.request.number == asked
    assert again.moved is not None
    assert office.request_state(asked) == "done"


def test_plain_mlflow_calls_find_the_approved_request():
    office = Office()
    office.register("1")
    asked = office.approved("1")

    moved = move(office.desk("robot"), MODEL, "1", "Production")

    assert moved.record.entry.details["request"] == asked
    assert office.request_state(asked) == "done"


def test_a_request_lapses_to_rejected_at_its_time_and_may_then_be_made_anew():
    office = Office()
    office.register("1")
    asked = office.ask("1")
    approve(office.desk("bob"), asked)
    office.wait(30 * DAY - 1)
    assert office.request_state(asked) == "open"
    office.wait(1)

    with pytest.raises(RefusedError, match="has ended"):
        approve(office.desk("cem"), asked)
    again = request(office.desk("ann"), MODEL, "1", "Production")

    assert again.request.number != asked
    assert [one.role for one in again.decision.missing] == ["business", "compliance"]


def test_a_request_may_be_approved_after_the_requester_has_left_every_role():
    office = Office()
    office.register("1")
    asked = office.ask("1", by="dora")
    office.policy = with_members(with_members(office.policy, "business", "bob"), "compliance", "cem")

    approve(office.desk("bob"), asked)
    approve(office.desk("cem"), asked, at_once=True)

    assert office.stages == {"1": "Production"}


def test_the_requester_stays_an_author_after_others_have_approved():
    office = Office()
    office.register("1")
    asked = office.ask("1", by="bob")

    with pytest.raises(RefusedError, match="own work"):
        approve(office.desk("bob"), asked)


def test_a_challenger_that_is_superseded_takes_its_request_with_it():
    office = Office()
    office.register("1")
    asked = office.ask("1")
    approve(office.desk("bob"), asked)

    office.register("2")

    assert office.stages == {"1": "Archived", "2": "Staging"}
    assert office.request_state(asked) == "overtaken"
    with pytest.raises(RefusedError, match="overtaken by record"):
        approve(office.desk("cem"), asked)


def test_a_version_that_moved_and_came_back_needs_new_approvals():
    office = Office()
    office.register("1")
    office.approved("1")
    move(office.desk("ann"), MODEL, "1", "Archived")
    move(office.desk("ann"), MODEL, "1", "Staging")

    with pytest.raises(RefusedError):
        move(office.desk("ann"), MODEL, "1", "Production")


def test_a_version_that_was_moved_behind_the_back_is_not_approved_where_it_was():
    office = Office()
    office.register("1")
    asked = office.ask("1")
    office.push("1", "Archived")

    with pytest.raises(RefusedError, match="is not where R3 found it") as refused:
        approve(office.desk("bob"), asked)

    assert refused.value.got == "in Archived, which the ledger does not know of"
    reject(office.desk("bob"), asked, reason="somebody moved it")
    assert office.request_state(asked) == "rejected"


def test_the_second_of_two_requests_needs_a_new_verdict_once_the_first_is_done():
    office = Office()
    office.register("1")
    first = office.ask("1")
    office.registry.put(MODEL, "2", stage="Staging")
    office.register("2")  # MLflow put it beside the first, which is known from then on
    second = office.ask("2")
    approve(office.desk("bob"), second)
    approve(office.desk("cem"), second)

    approve(office.desk("bob"), first)
    approve(office.desk("cem"), first, at_once=True)

    assert office.request_state(second) == "open"
    with pytest.raises(RefusedError, match="fresh verdict"):
        request(office.desk("ann"), MODEL, "2", "Production")
    assert office.stages == {"1": "Production", "2": "Staging"}


def test_a_request_for_a_rollback_that_is_not_allowed_wastes_nobodys_time():
    office = Office(TWO_ROLES.model_copy(update={"rollback": ("on-call",)})).in_production("1", "2")

    with pytest.raises(RefusedError, match="ann is not on-call"):
        request(office.desk("ann"), MODEL, "1", "Production")
    rollback(office.desk("eve"), MODEL, reason="recall fell")

    assert "request" not in office.actions[-2:]


def test_a_version_that_was_never_in_production_is_not_asked_for_as_a_rollback():
    office = Office()
    office.register("1")
    office.register("2")

    with pytest.raises(RefusedError, match="never in Production"):
        request(office.desk("ann"), MODEL, "1", "Production")


def test_a_policy_that_only_watches_makes_the_transition_and_says_what_it_would_have_refused():
    office = Office(TWO_ROLES.model_copy(update={"mode": "dry_run"}))
    office.register("1")

    asked = request(office.desk("ann"), MODEL, "1", "Production")

    assert asked.moved is not None
    assert asked.moved.record.entry.details["dry_run"] is True
    assert not office.shelf.history.was_in_production("1")


def test_minimum_time_in_staging_is_waited_for_by_an_open_request():
    office = Office(TWO_ROLES.model_copy(update={"Production": tightened(minimum_staging=timedelta(days=2))}))
    office.register("1")
    asked = office.ask("1")
    approve(office.desk("bob"), asked)
    assert approve(office.desk("cem"), asked, at_once=True).moved is None

    office.wait(48 * HOUR)

    assert request(office.desk("ann"), MODEL, "1", "Production").moved is not None


def test_only_the_requester_withdraws_by_whichever_name():
    office = Office()
    office.register("1")
    asked = office.ask("1")

    with pytest.raises(RefusedError, match="was asked by ann"):
        withdraw(office.desk("bob"), asked)
    withdraw(office.desk("ann@laptop"), asked, reason="a better one comes")

    assert office.request_state(asked) == "withdrawn"
    with pytest.raises(RefusedError, match="has ended"):
        withdraw(office.desk("ann"), asked)


def test_a_request_is_withdrawn_without_reading_evidence_even_when_its_version_is_gone():
    office = Office()
    office.register("1")
    asked = office.ask("1")
    del office.registry.versions[MODEL]["1"]
    office.evidence.readings.clear()

    withdraw(office.desk("ann"), asked)

    assert office.request_state(asked) == "withdrawn"
    assert office.evidence.readings == []


def test_a_rejection_ends_the_request_whoever_had_approved():
    office = Office()
    office.register("1")
    asked = office.ask("1")
    approve(office.desk("bob"), asked)

    reject(office.desk("cem"), asked, reason="slices are too weak")

    assert office.last.entry.roles == ("compliance",)
    with pytest.raises(RefusedError, match="has ended"):
        approve(office.desk("dora"), asked, role="compliance")


def test_who_rejected_a_request_and_why_is_told_until_it_is_asked_for_again():
    office = Office()
    office.register("1")
    asked = office.ask("1")
    reject(office.desk("cem"), asked, reason="slices are too weak")

    (refused,) = standing(office.desk("ann"), MODEL).refused
    assert (refused.number, refused.ended) == (asked, "rejected")
    assert refused.ending == "by cem as compliance: slices are too weak"

    office.ask("1")
    assert standing(office.desk("ann"), MODEL).refused == ()


def test_where_anybodys_approval_counts_anybody_may_reject():
    office = Office(DEFAULT)
    office.register("1")
    asked = office.ask("1")

    reject(office.desk("somebody"), asked, reason="not yet")

    assert office.last.entry.roles == ()
    assert office.request_state(asked) == "rejected"


def test_a_use_case_tightens_what_a_request_needs():
    office = Office()
    governance = {"Production": {"approvals": {"business": 2}, "approval_lapse": "P3D"}}
    office.register("1", use_case={"governance": governance})

    asked = office.ask("1")
    approve(office.desk("bob"), asked)
    approve(office.desk("cem"), asked, at_once=True)
    assert office.stages == {"1": "Staging"}
    approve(office.desk("dora"), asked, role="business", at_once=True)

    assert office.stages == {"1": "Production"}


def test_a_request_that_nobody_could_complete_is_refused_with_who_stands_in_the_way():
    office = Office(with_members(TWO_ROLES, "compliance", "cem"))
    office.register("1", by="cem")

    with pytest.raises(RefusedError, match="nobody could complete a request by ann") as refused:
        request(office.desk("ann"), MODEL, "1", "Production")

    assert refused.value.expected == "approval as compliance"
    assert refused.value.got.endswith("which only cem can give, and cem registered it or asks for it")
    assert refused.value.hint == "give the role to more people in the bank's policy (MLOPS_POLICY)"
    assert office.actions[-1] == "refusal"
    assert office.shelf.history.requests == {}


def test_whoever_is_missed_as_an_approver_is_told_to_let_somebody_else_ask():
    office = Office(with_members(TWO_ROLES, "compliance", "cem"))
    office.register("1")

    with pytest.raises(RefusedError, match="nobody could complete") as refused:
        request(office.desk("cem"), MODEL, "1", "Production")
    asked = request(office.desk("ann"), MODEL, "1", "Production")

    assert "let somebody else ask than cem, or" in refused.value.hint
    assert [one.todo for one in asked.decision.missing][1] == "cem: `mlops approve R4 --role compliance`"


def test_what_only_watches_may_be_asked_for_by_anybody():
    office = Office(with_members(TWO_ROLES, "compliance", "cem").model_copy(update={"mode": "dry_run"}))
    office.register("1", by="cem")

    assert request(office.desk("ann"), MODEL, "1", "Production").moved is not None


def test_a_lifecycle_does_not_ask_for_what_nobody_could_approve():
    staging = {"Staging": StageRules(approvals={"compliance": 1})}
    office = Office(with_members(TWO_ROLES, "compliance", "cem").model_copy(update=staging))

    assert office.register("1", by="cem").request is None
    assert office.register("2", by="ann").request is not None


def test_what_is_there_already_is_no_request():
    office = Office().in_production("1")

    with pytest.raises(RegistryError, match="churn version 1 is in Production already") as error:
        request(office.desk("ann"), MODEL, "1", "Production")

    assert "since 2023-11-14 22:13 UTC, by cem" in error.value.got
    assert office.actions[-1] == "transition"


def test_an_open_request_keeps_the_approvals_it_was_asked_under_when_the_use_case_asks_for_less():
    office = Office(with_members(TWO_ROLES, "business", "bob", "dora", "fay"))
    office.register("1", use_case={"governance": {"Production": {"approvals": {"business": 2, "compliance": 1}}}})
    asked = office.ask("1")
    office.evidence.change("1", "slices")
    office.register("1", use_case={})

    approve(office.desk("bob"), asked)
    after = approve(office.desk("cem"), asked, at_once=True)

    assert after.moved is None
    (missing,) = after.decision.missing
    assert missing.reason == (
        f"1 of 2 approvals; rules changed since R{asked} was asked: business 2 -> 1 (the request keeps 2)"
    )
    approve(office.desk("dora"), asked, role="business", at_once=True)
    assert office.stages == {"1": "Production"}


def test_a_role_that_the_use_case_took_out_still_answers_an_open_request():
    office = Office(TWO_ROLES.model_copy(update={"Production": StageRules(approvals={"business": 1})}))
    office.register("1", use_case={"governance": {"Production": {"approvals": {"compliance": 1}}}})
    asked = office.ask("1")
    office.evidence.change("1", "slices")
    office.register("1", use_case={})

    approve(office.desk("bob"), asked)
    assert approve(office.desk("cem"), asked, at_once=True).moved is not None


def test_asking_anew_takes_the_rules_of_then():
    office = Office()
    office.register("1", use_case={"governance": {"Production": {"approvals": {"business": 2}}}})
    withdraw(office.desk("ann"), office.ask("1"))
    office.evidence.change("1", "slices")
    office.register("1", use_case={})

    office.promote("1")

    assert office.stages == {"1": "Production"}


def test_the_champion_is_retired_with_a_reason_by_one_of_the_people():
    office = Office().in_production("1")

    with pytest.raises(RefusedError, match="no reason is given"):
        request(office.desk("ann"), MODEL, "1", "Archived")
    with pytest.raises(RefusedError, match="no reason is given"):
        move(office.desk("ann"), MODEL, "1", "Archived")
    with pytest.raises(RefusedError, match="stranger is none of the people"):
        request(office.desk("stranger"), MODEL, "1", "Archived", comment="I say so")
    moved = request(office.desk("ann"), MODEL, "1", "Archived", comment="the product ended").moved

    assert moved is not None
    assert moved.record.entry.reason == "the product ended"
    assert office.stages == {"1": "Archived"}


def test_a_replaced_champion_needs_no_reason():
    assert Office().in_production("1", "2").stages == {"1": "Archived", "2": "Production"}


def test_a_version_does_not_slip_into_staging_by_registering_it_again_with_fewer_rules():
    office = Office()
    office.register("1", use_case={"governance": {"Staging": {"approvals": {"business": 1}}}})
    (waiting,) = office.shelf.history.open_requests(office.registry.now)

    again = office.register("1", use_case={})

    assert again.request == waiting
    assert office.stages == {"1": "None"}
    approve(office.desk("bob"), waiting.number, at_once=True)
    assert office.stages == {"1": "Staging"}


def test_what_no_approval_helps_is_refused_without_a_word_on_how_to_ask_for_it():
    office = Office()
    office.register("1")
    office.evidence.change("1", "card")

    with pytest.raises(RefusedError) as refused:
        request(office.desk("ann"), MODEL, "1", "Production")

    assert refused.value.hint == "judge it again with `mlops run`, which registers it anew"
