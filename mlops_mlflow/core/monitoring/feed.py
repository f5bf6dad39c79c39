"""The feed: whether data arrive as they did when the model was made, before anything is read out of them.

A **warning** is above the limit of chance, an **alarm** far above it (``SEVERE``) and says that the feed is broken: a
missing column, another type, values that suddenly lack or are new, far more or far fewer rows than usual, more
rejected rows than the contract bears. It blocks retraining, which would learn what is wrong. Values out of the
reference's range and columns that stand still are warnings: calendars do both every week.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlops_mlflow.core.monitoring.cells import by_level, cells
from mlops_mlflow.core.monitoring.distance import jensen_shannon
from mlops_mlflow.core.monitoring.health import Health, Signal
from mlops_mlflow.core.monitoring.limits import (
    FEWEST_REFERENCE,
    FLOOR,
    SEVERE,
    per_test,
    rejected_limit,
    share_at,
    share_limit,
    volume_limits,
)
from mlops_mlflow.core.profiles import ColumnProfile, TableProfile
from mlops_mlflow.core.usecase.data import ColumnRule, ColumnType, Contract, Kind

ROWS = "rows"
FEWEST_WINDOWS = 3
USUAL_FACTOR = 1.3
"""Volumes within this factor of the usual are never odd; beyond its square they are an alarm, if beyond chance: a
delivery that came twice, or half of one."""
REACH = 10.0
"""How many times as far from the median as the reference's extreme a value has to be, where that is no hard bound:
extremes of heavy tails double easily, and a forgotten unit or a 999999 is farther out."""
TAILS = ((0.01, 0.99), (0.05, 0.95), (0.25, 0.75))
"""Quantiles that may show a hard bound, as far out as enough rows lie beyond them."""
_KINDS: dict[ColumnType, tuple[Kind, ...]] = {
    "integer": ("numeric",),
    "number": ("numeric",),
    "string": ("categorical", "text"),
    "boolean": ("boolean",),
    "datetime": ("datetime",),
}


@dataclass(frozen=True)
class _Column:
    """A column that is there on both sides, and what the contract says of it."""

    reference: ColumnProfile
    window: ColumnProfile
    rule: ColumnRule

    @property
    def held(self) -> int:
        """Rows of the window with a value."""
        return self.window.rows - self.window.missing

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What the window's column may be."""
        return _KINDS[self.rule.type] if self.rule.type else (self.reference.kind,)

    @property
    def retyped(self) -> bool:
        """Whether the values are of another type; a column without values has none."""
        return self.held > 0 and self.window.kind not in self.kinds


@dataclass(frozen=True)
class _Share:
    """Rows of some sort before and now, which may become fewer but not more."""

    column: str
    method: str
    word: str
    before: int
    rows_before: int
    now: int
    rows: int


def feed_signals(
    reference: TableProfile,
    window: TableProfile,
    *,
    columns: Sequence[str],
    contract: Contract,
    minimum_rows: int,
    usual_rows: Sequence[int] = (),
    rejected: int = 0,
) -> tuple[Signal, ...]:
    """Judge what arrived.

    Missing columns, other types, extra columns, values out of range and columns that stand still are told where they
    are found; shares and volumes always, so that they can be drawn over time. Of a window without rows only the volume
    is judged.

    Args:
        reference: Profile of what the model learned from.
        window: Profile of the rows that keep the contract, over the reference's edges and categories.
        columns: Names that the model and its monitoring need.
        contract: What data promise; what it bounds is checked there, and not against the reference's range.
        minimum_rows: Columns with fewer rows give ``insufficient data``.
        usual_rows: Rows of other whole windows of this length; the volume is judged from three on.
        rejected: Rows of the window that break the contract and were set aside.
    """
    pairs = [
        _Column(before, now, contract.columns.get(name, ColumnRule()))
        for name in dict.fromkeys(columns)
        if (before := reference.column(name)) and (now := window.column(name))
    ]
    shares = [share for pair in pairs if window.rows for share in _shares(pair)]
    alpha = per_test(len(shares) + len(pairs) + 2)  # a column that stands still, the volume and what was rejected
    found = [_volume(window.rows + rejected, usual_rows, alpha), _rejected(rejected, window.rows, contract, alpha)]
    if window.rows:
        found += _schema(reference, window, columns, contract, pairs)
        found += [_judged_share(share, minimum_rows, alpha) for share in shares]
        sound = [pair for pair in pairs if not pair.retyped and pair.held >= max(minimum_rows, 1)]
        found += [signal for pair in sound for signal in (*_out_of_range(pair), *_standing_still(pair, alpha))]
    return tuple(found)


def _schema(
    reference: TableProfile,
    window: TableProfile,
    columns: Sequence[str],
    contract: Contract,
    pairs: Sequence[_Column],
) -> Iterator[Signal]:
    there = {column.name for column in window.columns}
    for name in dict.fromkeys(columns):
        if name not in there:
            rule = contract.columns.get(name, ColumnRule())
            health: Health = "alarm" if rule.required else "warning"
            yield _finding(name, health, "missing_column", window.rows, "the column is not there")
    for pair in pairs:
        if pair.retyped:
            told = f"{pair.window.type} ({pair.window.kind}), expected {' or '.join(pair.kinds)}"
            yield _finding(pair.window.name, "alarm", "type", pair.held, told)
    known = {column.name for column in reference.columns} | contract.columns.keys() | set(columns)
    for name in sorted(there - known):
        yield _finding(name, "warning", "extra_column", window.rows, "neither the reference nor the contract knows it")


def _finding(subject: str, health: Health, method: str, rows: int, reason: str) -> Signal:
    return Signal("feed", subject, health, None, method, None, rows, reason)


def _shares(pair: _Column) -> Iterator[_Share]:
    """Missing values, and values that are none of the reference's levels."""
    before, now = pair.reference, pair.window
    if before.rows:
        yield _Share(before.name, "missing_share", "missing", before.missing, before.rows, now.missing, now.rows)
    if before.kind == now.kind and before.kind in ("categorical", "boolean") and before.rows > before.missing:
        levels = by_level(before, now)
        others = "of unlisted levels" if before.other else "of unseen levels"
        counts = int(levels.reference[0]), int(levels.reference.sum()), int(levels.window[0]), pair.held
        yield _Share(before.name, "unseen_share", others, *counts)


def _judged_share(one: _Share, minimum_rows: int, alpha: float) -> Signal:
    if one.rows < max(minimum_rows, 1):
        few = f"{one.rows:,} rows, fewer than {max(minimum_rows, 1):,}"
        return Signal("feed", one.column, "insufficient data", None, one.method, None, one.rows, few)
    share, usual = one.now / one.rows, one.before / one.rows_before
    limit = share_limit(one.before, one.rows_before, one.rows, alpha)
    health: Health = "ok" if share <= limit else "alarm" if share >= share_at(usual, SEVERE) else "warning"
    reason = f"{share:.2%} {one.word}, {usual:.2%} in the reference; the limit of {one.rows:,} rows is {limit:.2%}"
    return Signal("feed", one.column, health, share, one.method, limit, one.rows, reason)


def _out_of_range(pair: _Column) -> Iterator[Signal]:
    """Extremes beyond bounds that nothing suggests, where the contract says nothing about that side."""
    before, now = pair.reference, pair.window
    if before.kind != "numeric":
        return
    least, greatest = _bounds(before)
    if pair.rule.min is None and isinstance(now.minimum, (int, float)) and now.minimum < least:
        yield _ranged(pair, float(now.minimum), least, "below")
    if pair.rule.max is None and isinstance(now.maximum, (int, float)) and now.maximum > greatest:
        yield _ranged(pair, float(now.maximum), greatest, "above")


def _bounds(column: ColumnProfile) -> tuple[float, float]:
    """An extreme on which 1 % of the rows lie, 25 at least, is a hard bound; others are far from where tails end."""
    known = dict(column.quantiles)
    if not isinstance(column.minimum, (int, float)) or not isinstance(column.maximum, (int, float)) or 0.5 not in known:
        return -math.inf, math.inf
    least, middle, greatest = float(column.minimum), known[0.5], float(column.maximum)
    held = column.rows - column.missing
    low, high = next(((p, q) for p, q in TAILS if p * held >= FEWEST_REFERENCE), (0.5, 0.5))
    hard_below, hard_above = known.get(low) == least, known.get(high) == greatest
    return (
        least if hard_below else middle - REACH * (middle - least),
        greatest if hard_above else middle + REACH * (greatest - middle),
    )


def _ranged(pair: _Column, value: float, bound: float, side: str) -> Signal:
    before = pair.reference
    reason = f"{value:.6g} is {side} {bound:.6g}; the reference had {before.minimum} to {before.maximum}"
    return Signal("feed", before.name, "warning", value, "range", bound, pair.held, reason)


def _standing_still(pair: _Column, alpha: float) -> Iterator[Signal]:
    """One value in all rows, where chance would hardly do that and it differs enough from before."""
    counts = cells(pair.reference, pair.window)
    if isinstance(counts, str):
        return
    share = float(counts.reference.max() / counts.reference.sum())
    # All rows alike means all in one bin, and then in the fullest at best; the first may be any.
    by_chance = share ** (pair.held - 1)
    distance = jensen_shannon((share, 1 - share), (1, 0))
    if pair.window.distinct == 1 and by_chance < alpha and distance > FLOOR:
        reason = "one value in all rows: the source stands still, or this is a part of the calendar"
        yield Signal("feed", pair.window.name, "warning", distance, "constant", FLOOR, pair.held, reason)


def _volume(rows: int, usual: Sequence[int], alpha: float) -> Signal:
    if len(usual) < FEWEST_WINDOWS:
        few = f"{len(usual)} other windows, fewer than {FEWEST_WINDOWS}: what is usual is not known"
        return Signal("feed", ROWS, "insufficient data", float(rows), "volume", None, rows, few)
    low, high = volume_limits(usual, alpha)
    middle = math.exp(sum(math.log1p(count) for count in usual) / len(usual)) - 1
    low, high = min(low, middle / USUAL_FACTOR), max(high, middle * USUAL_FACTOR)
    odd, severe = not low <= rows <= high, not middle / USUAL_FACTOR**2 <= rows <= middle * USUAL_FACTOR**2
    health: Health = "alarm" if odd and severe else "warning" if odd else "ok"
    reason = f"{rows:,} rows; {len(usual)} other windows had about {middle:,.0f}, so expected {low:,.0f} to {high:,.0f}"
    return Signal("feed", ROWS, health, float(rows), "volume", low if rows < middle else high, rows, reason)


def _rejected(rejected: int, kept: int, contract: Contract, alpha: float) -> Signal:
    rows, at_most = kept + rejected, contract.quarantine_at_most
    if not rows:
        return Signal("feed", ROWS, "insufficient data", None, "rejected_share", None, 0, "the window has no rows")
    share, limit = rejected / rows, rejected_limit(at_most, rows, alpha)
    health: Health = "alarm" if share > limit else "ok"
    reason = f"{share:.2%} break the contract, which bears {at_most:.2%}; the limit of {rows:,} rows is {limit:.2%}"
    return Signal("feed", ROWS, health, share, "rejected_share", limit, rows, reason)
