"""Which windows are due: those that are over and were not looked at, and those whose labels are complete since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops_mlflow.core.monitoring.health import Health, worst
from mlops_mlflow.core.monitoring.windows import Window


@dataclass(frozen=True)
class Look:
    """What is known of a window from the last time that it was looked at.

    Attributes:
        window: Which.
        run_id: The run.
        closed: Whether its labels were complete then; true where none are waited for.
        rows: That arrived in it, with those that were set aside.
        health: As it was found.
        headline: What its card says first.
    """

    window: Window
    run_id: str
    closed: bool
    rows: int
    health: Health
    headline: str = ""


@dataclass(frozen=True)
class Due:
    """A window to look at.

    Attributes:
        window: Which.
        closed: Whether its labels are complete; true where none are waited for.
        supersedes: Run of the last look at it; empty where there was none.
    """

    window: Window
    closed: bool
    supersedes: str = ""


def due(
    windows: Iterable[Window],
    looks: Mapping[int, Look],
    now: datetime,
    delay: timedelta,
    *,
    again: frozenset[int] = frozenset(),
) -> Iterator[Due]:
    """What to look at, in the order of time.

    Args:
        windows: Those that there are.
        looks: The last one at each window, by number.
        now: Aware.
        delay: How long labels take; zero where there are none.
        again: Numbers of windows that are looked at in any case, if they are over.
    """
    for window in windows:
        closed, before = window.closed(now, delay), looks.get(window.number)
        news = before is None or (closed and not before.closed) or window.number in again
        if window.over(now) and news:
            yield Due(window, closed, before.run_id if before else "")


def usual_rows(looks: Mapping[int, Look], window: Window, most: int = 26) -> tuple[int, ...]:
    """Rows of the windows before this one, newest first; not of the first of all, which may have begun half full."""
    known = sorted(number for number in looks if number < window.number)[1:]
    return tuple(looks[number].rows for number in reversed(known[-most:]))


def standing(looks: Mapping[int, Look]) -> Health:
    """Health of a version: the worst of its newest closed window and of those since, which wait for their labels."""
    newest = max((number for number, look in looks.items() if look.closed), default=None)
    return worst(look.health for number, look in looks.items() if newest is None or number >= newest)
