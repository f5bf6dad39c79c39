from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mlops_mlflow.core.ledger.reconcile import STAGE_TAG, unexplained
from mlops_mlflow.core.ledger.record import BEGINNING, Actor, Entry, Record
from mlops_mlflow.core.ledger.replay import history

ANN = Actor("ann")
ALIASES = {"champion": "1", "challenger": "2"}


@dataclass
class Shown:
    registry_stage: str
    tags: dict[str, str] = field(default_factory=dict)


def told(*entries):
    return history(Record(n, 1_700_000_000_000, entry, BEGINNING) for n, entry in enumerate(entries, 1))


def moved(version, begin, to):
    return Entry("transition", "churn", ANN, version, begin, to, details={"moves": [[version, begin, to]]})


LEDGER = (
    *(Entry("registration", "churn", ANN, number, details={"verdict": "passed"}) for number in "123"),
    moved("1", "None", "Staging"),
    moved("1", "Staging", "Production"),
    moved("2", "None", "Staging"),
)


def found(versions, aliases=ALIASES, entries=LEDGER):
    return unexplained("churn", versions, aliases, told(*entries))


def state(**changes):
    whole = {"1": Shown("Production"), "2": Shown("Staging"), "3": Shown("None")}
    return {**whole, **{name[1:]: one for name, one in changes.items()}}


def test_what_the_ledger_says_is_explained():
    tagged = Shown("Production", {STAGE_TAG: "Production", "owner": "ann"})
    assert found(state(v1=tagged)) == ()
    assert unexplained("empty", {}, {}, told()) == ()


def test_a_version_that_nobody_recorded_is_no_matter_until_it_is_moved():
    assert found(state(v9=Shown("None"))) == ()
    (one,) = found(state(v9=Shown("Archived")))
    assert (one.version, one.what, one.found) == ("9", "no record", "Archived, and none")
    assert one.todo == "put it back to None"


def test_a_version_in_another_registry_stage():
    one, _ = found(state(v1=Shown("Archived")), {"challenger": "2"})
    assert (one.version, one.what, one.found) == ("1", "registry stage", "Archived")
    assert one.expected == "Production, by ann on 2023-11-14 22:13 UTC (R5)"
    assert one.todo == "put it back to Production"


def test_a_registered_version_that_was_moved_without_a_record():
    first = found(state(v3=Shown("Production")))[0]
    assert (first.version, first.what, first.expected) == ("3", "registry stage", "None, where it was registered")
    assert first.todo == 'put it back to None, or, if it is meant: `mlops adopt churn --reason "..."`'


@pytest.mark.parametrize("stage", ["Staging", "Production"])
def test_two_versions_in_one_registry_stage(stage):
    kinds = {one.what: one for one in found(state(v9=Shown(stage)))}
    assert set(kinds) == {"no record", "several versions"}
    assert "adopt" in kinds["no record"].todo
    assert kinds["several versions"].found.endswith({"Staging": "versions 2, 9", "Production": "versions 1, 9"}[stage])


@pytest.mark.parametrize(
    ("aliases", "version", "there", "todo"),
    [
        ({"champion": "2", "challenger": "2"}, "2", "champion names version 2", "set it to version 1"),
        ({"challenger": "2"}, "1", "champion names no version", "set it to version 1"),
        ({"champion": "1"}, "2", "challenger names no version", "set it to version 2"),
    ],
)
def test_an_alias_that_is_not_in_step(aliases, version, there, todo):
    (one,) = found(state(), aliases)
    assert (one.what, one.version, one.found, one.todo) == ("alias", version, there, todo)


def test_an_alias_where_nothing_is_in_that_registry_stage():
    (one,) = found({"3": Shown("None")}, {"champion": "3"}, LEDGER[2:3])
    assert (one.what, one.expected, one.todo) == (
        "alias",
        "champion names no version: none is in Production",
        "delete it",
    )


def test_other_aliases_are_anybodys():
    assert found(state(), {**ALIASES, "blue": "3"}) == ()


def test_a_tag_that_lies():
    (one,) = found(state(v3=Shown("None", {STAGE_TAG: "Production"})))
    assert (one.version, one.what, one.expected) == ("3", "tag", f"{STAGE_TAG} = None")
    assert one.found == f"{STAGE_TAG} = Production"


def test_a_version_that_is_gone():
    versions = state()
    del versions["3"]
    (one,) = found(versions)
    assert (one.version, one.what, one.found) == ("3", "gone", "no such version")
    assert found(versions, entries=(*LEDGER, Entry("deletion", "churn", ANN, "3"))) == ()


def test_a_version_that_is_back():
    (one,) = found(state(), entries=(*LEDGER, Entry("deletion", "churn", ANN, "3")))
    assert (one.version, one.what, one.found) == ("3", "back", "it is there, in None")
