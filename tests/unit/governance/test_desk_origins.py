"""The ledger keeps from which commit a version came, and who committed since the champion's; nobody judges it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from desks import MODEL, TWO_ROLES, Office

from mlops_mlflow.core.ledger.origin import Origin, Since
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.arrivals import Arrival, adopt, enter
from mlops_mlflow.governance.evidence import champion_digest
from mlops_mlflow.governance.working_copy import WorkingCopy

A, B, C = "a" * 40, "b" * 40, "c" * 40
PEOPLE = (("Anna Berg", 4), ("Bo", 1))


@dataclass(frozen=True)
class Told(WorkingCopy):
    """A working copy that remembers what it was asked."""

    asked: list[str] = field(default_factory=list)

    def committers(self, since: str) -> tuple[tuple[str, int], ...] | None:
        self.asked.append(since)
        return PEOPLE


def copy_at(commit: str, *, dirty: bool = False) -> Told:
    return Told(Path("use_case"), commit, dirty)


def register(office: Office, number: str, copy: WorkingCopy | None, *, by: str = "ann") -> None:
    if number not in office.registry.versions.get(MODEL, {}):
        office.registry.put(MODEL, number)
    compared_with = champion_digest(office.shelf, number)
    enter(office.desk(by), MODEL, number, Arrival({}, compared_with, {"validate": "run"}, copy))


def origin(office: Office, number: str) -> Origin | None:
    return office.shelf.history.registrations[number].origin


def test_a_version_keeps_its_commit_and_who_committed_since_the_champions() -> None:
    office, second = Office(), copy_at(B, dirty=True)
    register(office, "1", copy_at(A))
    office.promote("1")
    register(office, "2", second)
    assert origin(office, "1") == Origin(A, False)
    assert origin(office, "2") == Origin(B, True, Since("1", A, PEOPLE))
    assert second.asked == [A]
    assert office.whole()


def test_without_a_repository_nothing_is_kept() -> None:
    office = Office()
    register(office, "1", None)
    assert "git" not in office.shelf.history.registrations["1"].facts
    assert origin(office, "1") is None


def test_a_champion_without_a_commit_leaves_open_who_committed_since() -> None:
    office = Office().in_production("1")
    register(office, "2", copy_at(B))
    assert origin(office, "2") == Origin(B, False, Since("1", "", None))


def test_approvals_hold_whatever_the_commit_is() -> None:
    office = Office()
    register(office, "1", copy_at(A, dirty=True))
    number = office.ask("1")
    approve(office.desk("bob"), number)
    register(office, "1", copy_at(B))
    assert origin(office, "1") == Origin(B, False)
    assert approve(office.desk("cem"), number, at_once=True).moved is not None


def test_the_same_from_another_commit_is_no_news() -> None:
    office = Office()
    register(office, "1", copy_at(A))
    register(office, "1", copy_at(B))
    register(office, "1", copy_at(B, dirty=True))
    assert office.actions == ["registration", "transition"]
    assert origin(office, "1") == Origin(A, False)


def test_they_who_commit_what_they_registered_have_it_recorded_and_others_do_not_become_authors() -> None:
    office = Office()
    register(office, "1", copy_at(A, dirty=True))
    register(office, "1", copy_at(B), by="bob")
    assert office.actions == ["registration", "transition"]
    register(office, "1", copy_at(B))
    register(office, "1", copy_at(C))
    assert office.actions == ["registration", "transition", "registration"]
    assert origin(office, "1") == Origin(B, False)
    assert {one.name for one in office.shelf.history.registrations["1"].registrants} == {"ann"}


def test_a_new_judgement_is_of_its_own_commit() -> None:
    office = Office()
    register(office, "1", copy_at(A))
    office.evidence.say("1", judged=5)
    office.evidence.change("1", "card")
    enter(office.desk("ann"), MODEL, "1", Arrival({}, "none", {"validate": "another run"}, copy_at(B)))
    assert origin(office, "1") == Origin(B, False)


def test_the_champion_keeps_the_commit_that_was_approved() -> None:
    office, third = Office(), copy_at(C)
    register(office, "1", copy_at(A))
    office.promote("1")
    office.evidence.say("1", judged=5)
    enter(office.desk("ann"), MODEL, "1", Arrival({}, "none", {"validate": "another run"}, copy_at(B)))
    assert office.actions[-1] == "registration"
    register(office, "2", third)
    assert third.asked == [A], "what was committed between A and B was approved by nobody"


def test_an_adopted_version_keeps_what_was_known_of_it() -> None:
    office = Office(TWO_ROLES)
    register(office, "1", copy_at(A))
    office.push("1", "Production")
    office.registry.aliases[MODEL].clear()
    adopt(office.desk("eve"), MODEL, reason="it serves")
    assert origin(office, "1") == Origin(A, False)
