"""What a model's records add up to."""

from __future__ import annotations

from policy_cases import DAY, HOUR, SEEN, START, Ledger

from mlops_mlflow.core.ledger.history import History
from mlops_mlflow.core.ledger.replay import extended, history


def state(ledger: Ledger, number: int, later: int = 0) -> str:
    return ledger.history.requests[number].state(ledger.now + later)


def test_nothing_is_known_of_a_model_without_records() -> None:
    empty = history([])

    assert empty == History()
    assert empty.stage_of("1") == "None"
    assert empty.versions_in("Production") == ()
    assert not empty.was_in_production("1")


def test_a_replaced_version_leaves_its_registry_stage_in_the_same_record() -> None:
    ledger = Ledger().staged()
    ledger.move("Production")
    ledger.staged(version="2")
    number = ledger.move("Production", "2")

    found = ledger.history

    assert found.versions_in("Production") == ("2",)
    assert found.stage_of("1") == "Archived"
    assert [(move.version, move.to) for move in found.moves if move.sequence == number] == [
        ("2", "Production"),
        ("1", "Archived"),
    ]


def test_who_was_where_at_a_time_is_known() -> None:
    ledger = Ledger().staged()
    ledger.move("Production")  # two hours after the start
    ledger.staged(version="2")
    ledger.move("Production", "2")

    found = ledger.history

    assert found.versions_in("Production", START + 2 * HOUR - 1) == ()
    assert found.versions_in("Production", START + 2 * HOUR) == ("1",)
    assert found.versions_in("Production", START + 5 * HOUR) == ("2",)


def test_a_registration_that_moves_a_version_counts_as_a_move() -> None:
    ledger = Ledger()
    ledger.register(moves=[["1", "None", "Staging"]])

    assert ledger.history.stage_of("1") == "Staging"


def test_an_adopted_version_is_registered_and_in_production() -> None:
    ledger = Ledger()
    ledger.add("adoption", "ann", parts=SEEN, moves=[["1", "None", "Production"]])

    assert ledger.history.registrations["1"].adopted
    assert ledger.history.was_in_production("1")


def test_a_version_that_is_registered_again_remembers_who_registered_it_before() -> None:
    ledger = Ledger()
    for name in ("ann", "bob"):
        ledger.register(name)

    assert [one.name for one in ledger.history.registrations["1"].registrants] == ["ann", "bob"]


def test_a_request_is_open_until_it_lapses() -> None:
    ledger = Ledger().staged()
    number = ledger.request(lapses=DAY)  # an hour ago

    assert state(ledger, number, later=DAY - HOUR - 1) == "open"
    assert state(ledger, number, later=DAY - HOUR) == "lapsed"
    assert ledger.history.requests[number].name == f"R{number}"


def test_a_request_ends_once_and_as_the_first_record_says() -> None:
    ledger = Ledger().staged()
    number = ledger.request()
    first = ledger.add("withdrawal", "ann", request=number)
    ledger.add("rejection", "bob", request=number)

    assert state(ledger, number) == "withdrawn"
    assert ledger.history.requests[number].ended_by == first


def test_a_transition_completes_its_request_and_overtakes_the_others_of_the_version() -> None:
    ledger = Ledger().staged()
    other, number = ledger.request(to="Archived"), ledger.request()
    ledger.move("Production", request=number)

    assert state(ledger, number) == "done"
    assert state(ledger, other) == "overtaken"


def test_a_request_for_another_version_outlives_a_transition() -> None:
    ledger = Ledger().staged().staged(version="2")
    ledger.move("Staging", "1")
    number = ledger.request()
    ledger.move("Archived", "2")

    assert state(ledger, number) == "open"


def test_a_request_that_had_lapsed_is_not_overtaken() -> None:
    ledger = Ledger().staged()
    number = ledger.request(lapses=HOUR)
    ledger.move("Archived")

    assert state(ledger, number) == "lapsed"


def test_a_replaced_version_is_asked_for_no_longer() -> None:
    ledger = Ledger().staged()
    number = ledger.request()
    ledger.staged(version="2")

    assert state(ledger, number) == "overtaken"


def test_a_deleted_version_is_asked_for_no_longer() -> None:
    ledger = Ledger().staged()
    number = ledger.request()
    ledger.add("deletion", "ann")

    assert ledger.history.deleted == {"1"}
    assert state(ledger, number) == "overtaken"


def test_open_requests_are_those_that_wait() -> None:
    ledger = Ledger().staged()
    waiting, lapsed, rejected = ledger.request(), ledger.request(lapses=HOUR), ledger.request()
    ledger.add("rejection", "bob", request=rejected)

    assert [one.number for one in ledger.history.open_requests(ledger.now)] == [waiting]
    assert state(ledger, lapsed) == "lapsed"


def test_a_glass_is_used_by_the_first_record_that_names_it() -> None:
    ledger = Ledger().staged()
    glass = ledger.override("bob")
    first = ledger.move("Production", override=glass)
    ledger.move("Archived", override=glass)

    (found,) = ledger.history.glass_breaks
    assert found.used == first


def test_a_review_is_due_only_for_a_used_glass_and_until_somebody_else_reviewed_it() -> None:
    ledger = Ledger().staged()
    glass = ledger.override("bob", due=DAY)
    overdue = ledger.now + 2 * DAY
    assert not ledger.history.glass_breaks[0].is_overdue(overdue)

    ledger.move("Production", override=glass)
    assert not ledger.history.glass_breaks[0].is_overdue(START)
    assert ledger.history.glass_breaks[0].is_overdue(overdue)

    ledger.add("review", "bob", override=glass)
    assert ledger.history.glass_breaks[0].is_overdue(overdue)

    ledger.add("review", "eve", override=glass)
    assert not ledger.history.glass_breaks[0].is_overdue(overdue)


def test_records_that_change_nothing_are_passed_over() -> None:
    ledger = Ledger().staged()
    before = ledger.history
    for action in ("refusal", "alias", "tag"):
        ledger.add(action, "ann")  # type: ignore[arg-type]  # each is an action

    assert ledger.history == before


def test_a_history_can_be_continued_and_the_first_one_stays() -> None:
    ledger = Ledger().staged()
    number = ledger.request()
    before, known = ledger.history, len(ledger.records)
    ledger.approve(number, "bob", "business")
    ledger.move("Production", request=number, override=ledger.override("bob"))

    assert extended(before, ledger.records[known:]) == ledger.history
    assert before.requests[number].ended is None
    assert before.stage_of("1") == "Staging"
