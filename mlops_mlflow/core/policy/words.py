"""Times, spans, people and outcomes as readers find them in findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

SHOWN = 5
"""More names than these are counted."""
SIGNS = {"met": "✓", "missing": "✗", "spared": "○", "overridden": "!"}
"""Of the outcomes of rules."""
APPROVERS, WAITED = "approval by somebody else", "time in Staging"
"""Rules, as readers find them."""


def approval_as(role: str) -> str:
    """The rule that so many people approve in a role."""
    return f"approval as {role}"


def approves(role: str, subject: str) -> str:
    """The rule that a requirement is approved."""
    return f"{role} approves: {subject}"


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


def remaining(ms: int) -> str:
    """A time that is left, rounded to its nearest whole: of 30 days, 30 are left a second later."""
    for unit in (86_400_000, 3_600_000, 60_000):
        if ms >= unit - unit // 48:
            return span((ms + unit // 2) // unit * unit)
    return span(ms)


def milliseconds(duration: timedelta) -> int:
    """A duration as the ledger counts, exactly."""
    return duration // timedelta(milliseconds=1)


def policy_changed(before: str, now: str) -> str:
    """Of two names of policies: that the second took the place of the first; empty where that is not known."""
    return f"policy changed since: {before} -> {now}" if before and before != now else ""


def people(names: Iterable[str], last: str = "or") -> str:
    """Names in their order: ``ann, bob or cem``; of many, the first and how many more."""
    known = sorted(names)
    if len(known) > SHOWN:
        return f"{', '.join(known[:SHOWN])} {last} {len(known) - SHOWN} more"
    return f" {last} ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)


def counted(count: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: ``1 approval``, ``2 approvals``."""
    return f"{count} {noun if count == 1 else nouns or f'{noun}s'}"
