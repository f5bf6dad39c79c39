from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.monitoring.windows import (
    DAY,
    WEEK,
    Calendar,
    Window,
    closed,
    fill,
    label_of,
    moment_of,
    over,
    read_moment,
)

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "label", "begin", "hours"),
    [
        (WEEK, "2013-W36", "2013-09-02T04:00", 168),
        (WEEK, "2009-W53", "2009-12-28T05:00", 168),
        (WEEK, "2013-W10", "2013-03-04T05:00", 167),
        (WEEK, "2013-W44", "2013-10-28T04:00", 169),
        (DAY, "2013-03-10", "2013-03-10T05:00", 23),
        (DAY, "2013-11-03", "2013-11-03T04:00", 25),
        (timedelta(days=2), "2013-11-03", "2013-11-03T04:00", 49),
        (timedelta(hours=6), "2013-11-03T01:00-04:00", "2013-11-03T05:00", 6),
    ],
)
def test_days_and_weeks_are_those_of_the_calendar(length: timedelta, label: str, begin: str, hours: int) -> None:
    window = Calendar(length, NEW_YORK).labelled(label)
    assert (window.label, window.begin, window.end - window.begin) == (label, utc(begin), timedelta(hours=hours))


def test_two_hours_that_the_clock_shows_alike_have_labels_of_their_own() -> None:
    hours = Calendar(timedelta(hours=1), NEW_YORK)
    labels = [window.label for window in hours.between(utc("2013-11-03T05:00"), utc("2013-11-03T07:00"))]
    assert labels == ["2013-11-03T01:00-04:00", "2013-11-03T01:00-05:00"]
    assert [hours.labelled(label).begin for label in labels] == [utc("2013-11-03T05:00"), utc("2013-11-03T06:00")]
    assert hours.labelled("2013-11-03T03:00").label == "2013-11-03T03:00-05:00", "without an offset where it is plain"


def test_a_day_that_a_zone_skipped_is_no_window() -> None:
    days = Calendar(DAY, "Pacific/Apia")
    found = list(days.between(utc("2011-12-29T12:00"), utc("2012-01-01")))
    assert [window.label for window in found] == ["2011-12-29", "2011-12-31", "2012-01-01"]


@pytest.mark.parametrize(
    ("length", "label", "says"),
    [
        (WEEK, "2013-W54", "a week in America/New_York, such as 2013-W36"),
        (WEEK, "2013-09-03", "2013-09-03 lies in 2013-W36"),
        (WEEK, "2013-W36-2", "2013-W36-2 lies in 2013-W36"),
        (WEEK, "2013-09-02", "2013-09-02 lies in 2013-W36"),
        (DAY, "2013-W36", "2013-W36 lies in 2013-09-02"),
        (DAY, "2013-02-30", "a day in America/New_York, such as 2013-09-02"),
        (DAY, "", "a day"),
        (DAY, "0001-01-01T00:00+14:00", "a day"),
        (timedelta(hours=6), "2013-09-02T05:00", "the begin of a window of 6:00:00"),
    ],
)
def test_an_unknown_label_is_an_error_that_shows_a_known_one(length: timedelta, label: str, says: str) -> None:
    with pytest.raises(UseCaseError, match="there is no window") as caught:
        Calendar(length, NEW_YORK).labelled(label)
    assert says in str(caught.value)


def test_between_takes_what_shares_a_moment_and_nothing_else() -> None:
    days = Calendar(DAY, "UTC")
    tick = timedelta(microseconds=1)

    def labels(since: datetime, until: datetime) -> list[str]:
        return [window.label[-2:] for window in days.between(since, until)]

    first, second = utc("2013-07-01"), utc("2013-07-02")
    assert labels(first, second) == ["01"]
    assert labels(first, second + tick) == ["01", "02"]
    assert labels(second - tick, second) == ["01"]
    assert labels(first, first) == labels(second, first) == []


def test_a_window_is_over_at_its_end_and_closed_after_the_delay() -> None:
    window = Window(0, "x", utc("2013-07-01"), utc("2013-07-02"))
    tick = timedelta(microseconds=1)
    assert [window.over(window.end - tick), window.over(window.end)] == [False, True]
    late = window.end + timedelta(days=3)
    assert [window.closed(late - tick, timedelta(days=3)), window.closed(late, timedelta(days=3))] == [False, True]
    assert (over([window], window.end), closed([window], window.end, timedelta(days=3))) == ([window], [])


@pytest.mark.parametrize(
    ("given", "zone", "moment"),
    [
        ("2013-07-01", NEW_YORK, "2013-07-01T04:00"),
        ("2013-07-01T06:00+02:00", NEW_YORK, "2013-07-01T04:00"),
        ("2013-11-03T01:30", NEW_YORK, "2013-11-03T05:30"),
        ("2013-03-10T02:30", NEW_YORK, "2013-03-10T07:00"),
        ("2024-03-31T02:00", BERLIN, "2024-03-31T01:00"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_a_time_that_a_person_writes_is_a_moment(given: str, zone: str, moment: str) -> None:
    assert read_moment(given, zone) == utc(moment)


@pytest.mark.parametrize("given", ["soon", "2013-02-30", "", "2013-W54", "1", "0001-01-01"])
def test_what_is_no_time_is_an_error(given: str) -> None:
    with pytest.raises(UseCaseError, match="a time cannot be read") as caught:
        read_moment(given, "Asia/Tokyo")
    assert "such as 2013-07-01" in str(caught.value)


def test_a_label_of_a_moment_tells_seconds_only_where_there_are_some() -> None:
    assert label_of(utc("2013-07-01T06:00"), NEW_YORK) == "2013-07-01T02:00-04:00"
    assert label_of(utc("2013-07-01T06:00:01.5"), NEW_YORK) == "2013-07-01T02:00:01.500000-04:00"
    assert moment_of(datetime(2013, 7, 1), "UTC") == utc("2013-07-01")


def nanoseconds(*seconds: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(seconds, dtype=np.int64) * 1_000_000_000


def test_rows_fill_windows_in_the_order_of_their_times_and_a_full_one_waits_for_a_later_row() -> None:
    start = utc("1970-01-01")
    assert fill(nanoseconds(3, 1, 2), 3, start, "UTC").windows == ()
    found = fill(nanoseconds(9, 3, 1, 2), 3, start, "UTC")
    assert [(one.number, one.begin, one.end) for one in found.windows] == [(0, start, start + timedelta(seconds=9))]
    assert (found.since, found.waiting) == (start + timedelta(seconds=9), 1)


def test_rows_of_one_time_stay_together() -> None:
    found = fill(nanoseconds(1, 2, 2, 2, 3, 4, 5), 2, utc("1970-01-01"), "UTC", first=7)
    assert [(one.number, one.end.second) for one in found.windows] == [(7, 3), (8, 5)]
    assert fill(nanoseconds(2, 2, 2), 2, utc("1970-01-01"), "UTC").windows == ()


def test_rows_before_the_start_do_not_count() -> None:
    found = fill(nanoseconds(1, 2, 3, 4), 1, utc("1970-01-01T00:00:03"), "UTC")
    assert [one.begin.second for one in found.windows] == [3]
    assert found.waiting == 1
    assert fill(nanoseconds(), 1, utc("1970-01-01"), "UTC").waiting == 0
