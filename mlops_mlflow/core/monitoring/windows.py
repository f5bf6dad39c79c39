"""Windows of production: closed-open stretches of event time that are watched one by one.

Days and weeks are those of the use case's zone, so that one with a change of clocks has 23 or 25 hours, and weeks begin
on Monday; other durations are counted from midnight of 1970-01-01 in that zone. A window has the same number whoever
asks, on any machine, so that it can be the step of a metric.

Begin and end are in UTC: Python compares two times of one other zone by what their clocks show, which is wrong on the
night when the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.errors import UseCaseError

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
ORIGIN, FIRST_MONDAY = date(1970, 1, 1), date(1969, 12, 29)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """A stretch of event time, from its begin on and before its end.

    Attributes:
        number: Its place among all windows of this length; grows with time.
        label: How people call it: ``2013-07-01``, ``2013-W36``, ``2013-07-01T06:00-04:00``.
        begin: The first moment that belongs to it; aware, UTC.
        end: The first that does not; aware, UTC.
    """

    number: int
    label: str
    begin: datetime
    end: datetime

    def over(self, now: datetime) -> bool:
        """Whether no more rows can fall into it."""
        return self.end <= now

    def closed(self, now: datetime, delay: timedelta) -> bool:
        """Whether its labels are complete too, which takes ``delay`` after its end."""
        return self.end + delay <= now


@dataclass(frozen=True)
class Calendar:
    """All windows of one length.

    Attributes:
        length: Of a window; a day or a week is one of the calendar, whatever hours it has.
        zone: IANA name.
    """

    length: timedelta
    zone: str

    def of(self, moment: datetime) -> Window:
        """The window of an aware moment."""
        moment = moment.astimezone(UTC)
        number = self._guess(moment)
        # Where clocks are set back over midnight, a date is shown again after the next has begun.
        while moment < self._begin(number):
            number -= 1
        while moment >= self._begin(number + 1):
            number += 1
        return self._window(number)

    def between(self, since: datetime, until: datetime) -> Iterator[Window]:
        """All windows that share a moment with those from ``since`` on and before ``until``, in order."""
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        if since >= until:
            return
        for number in range(self.of(since).number, self.of(until - timedelta(microseconds=1)).number + 1):
            window = self._window(number)
            if window.begin < window.end:  # a day that a zone skips has no moment
                yield window

    def labelled(self, label: str) -> Window:
        """The window that people call so.

        Raises:
            UseCaseError: There is none of this label; says what labels look like.
        """
        try:
            moment = moment_of(datetime.fromisoformat(label), self.zone)
        except (ValueError, OverflowError):
            raise self._unknown(label) from None
        window = self.of(moment)
        if label not in {window.label, window.label[:16]} or window.begin != moment:
            near = f"{label} lies in {window.label}" if window.begin <= moment < window.end else ""
            raise self._unknown(label, near)
        return window

    def _unknown(self, label: str, near: str = "") -> UseCaseError:
        shown = self.of(datetime(2013, 9, 2, 12, tzinfo=ZoneInfo(self.zone))).label
        what = {DAY: "a day", WEEK: "a week"}.get(self.length, f"the begin of a window of {self.length}")
        return UseCaseError(
            f"there is no window `{label}`",
            expected=f"{what} in {self.zone}, such as {shown}",
            hint=near or "`monitoring.window` says how long windows are",
        )

    @property
    def _days(self) -> int:
        """How many days of the calendar make a window; 0 where it is counted in hours."""
        return 0 if self.length % DAY else self.length // DAY

    @property
    def _origin(self) -> date:
        return ORIGIN if self.length % WEEK else FIRST_MONDAY

    def _guess(self, moment: datetime) -> int:
        if not self._days:
            return (moment - self._start) // self.length
        return (moment.astimezone(ZoneInfo(self.zone)).date() - self._origin).days // self._days

    @property
    def _start(self) -> datetime:
        return moment_of(datetime(ORIGIN.year, ORIGIN.month, ORIGIN.day), self.zone)

    def _date(self, number: int) -> date:
        return self._origin + timedelta(days=number * self._days)

    def _begin(self, number: int) -> datetime:
        if not self._days:
            return self._start + number * self.length
        return moment_of(datetime.combine(self._date(number), datetime.min.time()), self.zone)

    def _window(self, number: int) -> Window:
        begin = self._begin(number)
        if not self._days:
            label = label_of(begin, self.zone)
        elif self.length == WEEK:
            year, week, _ = self._date(number).isocalendar()
            label = f"{year:04}-W{week:02}"
        else:
            label = self._date(number).isoformat()
        return Window(number, label, begin, self._begin(number + 1))


@dataclass(frozen=True)
class Filled:
    """Windows of so many rows each.

    Attributes:
        windows: Those that are full.
        since: Where the next one begins.
        waiting: Rows that it has so far.
    """

    windows: tuple[Window, ...]
    since: datetime
    waiting: int


def fill(times: NDArray[np.int64], size: int, start: datetime, zone: str, first: int = 0) -> Filled:
    """Windows of ``size`` rows in the order of event time.

    Rows of one time (microsecond) stay together, so a window may hold a few more and is again a stretch of time. It is
    full once a later row is there, with which the next one begins.

    Args:
        times: Event time of each row, nanoseconds since 1970 in UTC, in any order, shape (rows,).
        size: How many rows fill a window.
        start: Where the first window begins, aware: the end of the last one that is known; earlier rows do not count.
        zone: IANA name, for labels.
        first: Number of the first window.
    """
    micros = np.sort(times // 1000)
    begin = (start - EPOCH) // timedelta(microseconds=1)
    at, windows = int(np.searchsorted(micros, begin)), list[Window]()
    while at + size < len(micros):
        following = int(np.searchsorted(micros, micros[at + size - 1], side="right"))
        if following == len(micros):
            break
        end = EPOCH + timedelta(microseconds=int(micros[following]))
        start = windows[-1].end if windows else start.astimezone(UTC)
        windows.append(Window(first + len(windows), label_of(start, zone), start, end))
        at = following
    return Filled(tuple(windows), windows[-1].end if windows else start.astimezone(UTC), len(micros) - at)


def closed(windows: Iterable[Window], now: datetime, delay: timedelta) -> list[Window]:
    """Those of which the labels are complete."""
    return [window for window in windows if window.closed(now, delay)]


def over(windows: Iterable[Window], now: datetime) -> list[Window]:
    """Those into which no more rows can fall."""
    return [window for window in windows if window.over(now)]


def label_of(moment: datetime, zone: str) -> str:
    """A moment as the clocks of a zone show it, with the offset that tells the two hours of a change apart."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.isoformat(timespec="minutes" if not local.second and not local.microsecond else "auto")


def moment_of(given: datetime, zone: str) -> datetime:
    """A time as a moment in UTC; one without a zone is read in ``zone``.

    In the hour that a clock shows twice the first is meant, and in the one that it skips the next time that exists, as
    for the rows (``learning.problem.event_nanoseconds``).
    """
    if given.tzinfo is not None:
        return given.astimezone(UTC)
    local = ZoneInfo(zone)
    late = given.replace(tzinfo=local).astimezone(UTC)
    if late.astimezone(local).replace(tzinfo=None) == given:
        return late
    # The clocks skipped it: somewhere between these two they changed, and the first moment after that is meant.
    early = given.replace(tzinfo=local, fold=1).astimezone(UTC)
    before = early.astimezone(local).utcoffset()
    while late - early > timedelta(microseconds=1):
        middle = early + (late - early) / 2
        early, late = (middle, late) if middle.astimezone(local).utcoffset() == before else (early, middle)
    return late


def read_moment(text: str, zone: str) -> datetime:
    """A date or time that a person wrote, as a moment in UTC.

    Raises:
        UseCaseError: It is neither.
    """
    try:
        return moment_of(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        raise UseCaseError(
            "a time cannot be read",
            expected="a date or a time, such as 2013-07-01 or 2013-07-01T06:00",
            got=text,
        ) from None
