"""Times, spans, people and outcomes as readers find them in findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

SHOWN = 5
"""More names than these are counted."""
SIGNS = {"met": "✓", "missing": "✗", "spared": "○", "overridden": "!"}
"""Of the outcomes of rules."""


def moment(ms: int) -> str:
    """A time, UTC, to the minute; of one that calendars do not reach, that."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return "a day after the year 9999"


def span(ms: int) -> str:
    """A duration in its largest unit, rounded down."""
    seconds = max(0, ms) // 1000
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def milliseconds(duration: timedelta) -> int:
    """A duration as the ledger counts, exactly."""
    return duration // timedelta(milliseconds=1)


def people(names: Iterable[str], last: str = "or") -> str:
    """Names in their order: ``ann, bob or cem``; of many, the first and how many more."""
    known = sorted(names)
    if len(known) > SHOWN:
        return f"{', '.join(known[:SHOWN])} {last} {len(known) - SHOWN} more"
    return f" {last} ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)


def counted(count: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: ``1 approval``, ``2 approvals``."""
    return f"{count} {noun if count == 1 else nouns or f'{noun}s'}"
