"""Every moment lies in exactly one window, whatever the clocks of the zone do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlops_mlflow.core.monitoring.windows import EPOCH, Calendar, fill, label_of, moment_of

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour
    "America/Sao_Paulo",  # clocks changed at midnight: days that began at one o'clock
    "America/Havana",  # at midnight, and in autumn a day's first hour came twice
    "Asia/Kathmandu",
    "Pacific/Apia",  # skipped 2011-12-30
    "Africa/Casablanca",
    "Antarctica/Troll",  # two hours
)
LENGTHS = ("P1D", "P2D", "P7D", "P14D", "PT1H", "PT6H", "PT90M", "PT36H")
_OF = {
    "P1D": timedelta(days=1),
    "P2D": timedelta(days=2),
    "P7D": timedelta(weeks=1),
    "P14D": timedelta(weeks=2),
    "PT1H": timedelta(hours=1),
    "PT6H": timedelta(hours=6),
    "PT90M": timedelta(minutes=90),
    "PT36H": timedelta(hours=36),
}
calendars = st.builds(
    lambda length, zone: Calendar(_OF[length], zone), st.sampled_from(LENGTHS), st.sampled_from(ZONES)
)
moments = st.datetimes(datetime(1960, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
TICK = timedelta(microseconds=1)


def changes(zone: str) -> list[datetime]:
    """Hours about which the clocks of a zone change."""
    hours = [datetime(2011, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(2 * 8784)]
    local = ZoneInfo(zone)
    offsets = [hour.astimezone(local).utcoffset() for hour in hours]
    return [hour for hour, one, other in zip(hours[1:], offsets, offsets[1:], strict=False) if one != other]


CHANGES = {zone: changes(zone) or [datetime(2011, 12, 30, tzinfo=UTC)] for zone in ZONES}


@st.composite
def near_changes(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A calendar, and a moment near a change of its clocks."""
    calendar = draw(calendars)
    near = timedelta(microseconds=draw(st.integers(-2 * 86_400_000_000, 2 * 86_400_000_000)))
    return calendar, draw(st.sampled_from(CHANGES[calendar.zone])) + near


def check(calendar: Calendar, moment: datetime) -> None:
    window = calendar.of(moment)
    assert window.begin <= moment < window.end, "closed at its begin, open at its end"
    before, after = calendar.of(window.begin - TICK), calendar.of(window.end)
    assert (before.end, after.begin) == (window.begin, window.end), "no gap and nothing twice"
    assert before.number < window.number < after.number
    assert calendar.of(window.begin) == calendar.of(window.end - TICK) == window
    assert calendar.labelled(window.label) == window


@given(calendars, moments)
def test_every_moment_is_in_one_window(calendar: Calendar, moment: datetime) -> None:
    check(calendar, moment)


@given(near_changes())
def test_so_it_is_when_clocks_change(drawn: tuple[Calendar, datetime]) -> None:
    check(*drawn)


@given(near_changes(), st.integers(0, 40 * 86_400))
def test_windows_between_two_moments_join_and_hold_both(drawn: tuple[Calendar, datetime], seconds: int) -> None:
    calendar, since = drawn
    until = since + timedelta(seconds=seconds)
    found = list(calendar.between(since, until))
    if since == until:
        assert found == []
        return
    assert found[0].begin <= since < found[0].end
    assert found[-1].begin < until <= found[-1].end
    assert all(one.end == other.begin for one, other in pairwise(found))
    assert [one.number for one in found] == sorted({one.number for one in found})
    assert len({one.label for one in found}) == len(found)


@given(st.sampled_from(ZONES), moments)
def test_a_moment_that_clocks_show_is_read_again(zone: str, moment: datetime) -> None:
    assert moment_of(datetime.fromisoformat(label_of(moment, zone)), zone) == moment


@given(near_changes())
def test_a_time_without_a_zone_is_read_as_a_moment_that_its_clocks_show_or_the_next(
    drawn: tuple[Calendar, datetime],
) -> None:
    calendar, moment = drawn
    zone = ZoneInfo(calendar.zone)
    shown = moment.astimezone(zone).replace(tzinfo=None)
    read = moment_of(shown, calendar.zone)
    assert read <= moment
    assert read.astimezone(zone).replace(tzinfo=None) == shown
    later = moment_of(shown + timedelta(hours=4), calendar.zone)
    assert later > read, "a later time of the clocks, beyond any change, is a later moment"


@given(
    st.lists(st.integers(-5, 60), max_size=80),
    st.integers(1, 20),
    st.integers(-3, 30),
)
def test_windows_of_rows_hold_each_row_once_and_stay_when_more_come(seconds: list[int], size: int, start: int) -> None:
    times = np.array(seconds, dtype=np.int64) * 1_000_000_000
    begin = EPOCH + timedelta(seconds=start)
    found = fill(times, size, begin, "UTC")
    inside = [EPOCH + timedelta(seconds=second) for second in seconds if second >= start]
    held = [sum(window.begin <= moment < window.end for moment in inside) for window in found.windows]
    assert all(count >= size for count in held)
    assert sum(held) + found.waiting == len(inside)
    ends = [begin, *(window.end for window in found.windows)]
    assert [window.begin for window in found.windows] == ends[:-1]
    assert found.since == ends[-1]
    later = np.append(times, np.int64(10**12))
    assert fill(later, size, begin, "UTC").windows[: len(found.windows)] == found.windows
    rest = fill(later, size, found.since, "UTC", first=len(found.windows))
    assert found.windows + rest.windows == fill(later, size, begin, "UTC").windows
