"""From which commit a version came, in words, and as the ledger keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_mlflow.core.ledger.origin import ORIGIN, Origin, Since

COMMIT, BEFORE = "a" * 40, "b" * 40


def test_what_the_ledger_keeps_comes_back() -> None:
    for since in (None, Since("2", BEFORE, (("Anna", 2),)), Since("2", "", None), Since("2", BEFORE, ())):
        origin = Origin(COMMIT, True, since)
        assert Origin.from_facts(json.loads(json.dumps(origin.to_facts()))) == origin


@pytest.mark.parametrize("said", [{}, {ORIGIN: None}, {ORIGIN: "abc"}, {ORIGIN: {"commit": 1}}, {ORIGIN: []}])
def test_what_cannot_be_read_is_not_known(said: dict[str, Any]) -> None:
    assert Origin.from_facts(said) is None


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (Since("2", BEFORE, ()), "Nobody committed since the champion (version 2)"),
        (Since("2", BEFORE, (("Bo", 1),)), "1 person committed since the champion (version 2): Bo (1)"),
        (
            Since("2", BEFORE, (("Anna Berg", 4), ("Bo", 1))),
            "2 people committed since the champion (version 2): Anna Berg (4), Bo (1)",
        ),
        (Since("2", "", None), "not known: no commit was recorded of it"),
        (Since("2", BEFORE, None), f"not known: the history since commit {'b' * 12} was not all there"),
    ],
)
def test_it_is_one_sentence(since: Since, told: str) -> None:
    assert told in since.sentence


def test_of_a_crowd_the_rest_is_counted() -> None:
    crowd = Since("2", BEFORE, tuple((f"P{number:02}", 1) for number in range(30)))
    assert crowd.sentence.startswith("30 people committed")
    assert crowd.names.endswith("P11 (1) and 18 more")


def test_a_name_is_one_short_line_and_moves_no_cursor() -> None:
    people = (("a\x1b[31m\nb\u202ec", 3), ("x" * 500, 2), (" ", 1))
    assert Since("2", BEFORE, people).names == f"a [31m b c (3), {'x' * 59}… (2), somebody without a name (1)"


def test_the_label_says_what_was_not_committed() -> None:
    assert Origin(COMMIT, False).label == "a" * 12
    assert Origin(COMMIT, True).label == f"{'a' * 12}, with changes that were not committed"
