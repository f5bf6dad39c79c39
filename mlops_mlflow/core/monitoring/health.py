"""Findings about a window of production, and its health."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Health = Literal["ok", "warning", "alarm", "insufficient data"]
SignalKind = Literal["feed", "drift", "change", "score", "performance"]
"""What a finding is about: the data that arrive, a column against the reference, a column or an output against the
window before, an output of the model against the reference, what labels say."""

_WORST_FIRST: tuple[Health, ...] = ("alarm", "warning", "ok")


@dataclass(frozen=True)
class Signal:
    """One finding: what was measured, what it was held against, what follows.

    Attributes:
        kind: What it is about.
        subject: The column, output or metric; ``rows`` where it is about the window as a whole.
        health: ``insufficient data`` where it could not be judged.
        statistic: What was measured; None where nothing could be.
        method: What the statistic is, such as ``jensen_shannon``, ``missing_share`` or ``volume``.
        limit: What the statistic must not pass; None where it is no matter of degree.
        rows: Rows that the statistic stands on.
        reason: One sentence for people.
    """

    kind: SignalKind
    subject: str
    health: Health
    statistic: float | None
    method: str
    limit: float | None
    rows: int
    reason: str


def outranked(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """The same findings, where labels have the last word: what moved explains, and no longer alarms.

    Drift is a guess at damage. Once performance was judged, that guess is answered, whichever way.
    """
    found = tuple(signals)
    if not any(one.kind == "performance" and one.health != "insufficient data" for one in found):
        return found
    return tuple(
        replace(one, health="warning", reason=f"{one.reason}; labels outrank it")
        if one.kind in ("drift", "score", "change") and one.health == "alarm"
        else one
        for one in found
    )


def overall(signals: Iterable[Signal]) -> Health:
    """The worst that was found; ``insufficient data`` where nothing could be judged."""
    return worst(signal.health for signal in signals)


def worst(found: Iterable[Health]) -> Health:
    """The worst of several; ``insufficient data`` where nothing was judged."""
    there = set(found)
    return next((health for health in _WORST_FIRST if health in there), "insufficient data")


def blocks_retraining(signals: Iterable[Signal]) -> bool:
    """Whether the feed is broken: a model must not learn from data that arrived wrong."""
    return any(signal.kind == "feed" and signal.health == "alarm" for signal in signals)
