"""Times, spans, names and counts as findings show them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mlops_mlflow.core.policy.words import counted, milliseconds, moment, people, policy_changed, remaining, span


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 seconds"),
        (-5, "0 seconds"),
        (1_999, "1 second"),
        (60_000, "1 minute"),
        (7_199_999, "1 hour"),
        (86_400_000, "1 day"),
        (200 * 86_400_000, "200 days"),
    ],
)
def test_a_span_is_told_in_its_largest_unit_rounded_down(ms: int, text: str) -> None:
    assert span(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (30 * 86_400_000 - 1, "30 days"),
        (int(29.4 * 86_400_000), "29 days"),
        (86_400_000 - 60_000, "1 day"),
        (3 * 3_600_000 - 1, "3 hours"),
        (90_000, "2 minutes"),
        (30_000, "30 seconds"),
        (-1, "0 seconds"),
    ],
)
def test_a_time_that_is_left_is_told_to_its_nearest_whole(ms: int, text: str) -> None:
    assert remaining(ms) == text


def test_a_change_of_policy_is_told_where_both_are_known() -> None:
    assert policy_changed("A", "B") == "policy changed since: A -> B"
    assert policy_changed("", "B") == policy_changed("B", "B") == ""


def test_a_moment_is_utc_to_the_minute() -> None:
    assert moment(1_700_000_000_000) == "2023-11-14 22:13 UTC"


def test_a_moment_beyond_calendars_is_told_without_an_error() -> None:
    assert moment(10**18) == "a day after the year 9999"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((), ""),
        (("bob",), "bob"),
        (("bob", "ann"), "ann or bob"),
        (("cem", "bob", "ann"), "ann, bob or cem"),
        (tuple("gfedcba"), "a, b, c, d, e or 2 more"),
    ],
)
def test_names_are_sorted_and_many_are_counted(names: tuple[str, ...], text: str) -> None:
    assert people(names) == text


def test_counts_carry_their_noun() -> None:
    assert [counted(number, "person", "people") for number in (0, 1, 2)] == ["0 people", "1 person", "2 people"]
    assert counted(2, "approval") == "2 approvals"


def test_milliseconds_are_exact() -> None:
    assert milliseconds(timedelta(days=36_525, milliseconds=1)) == 36_525 * 86_400_000 + 1
