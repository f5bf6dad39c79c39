"""From data to pixels: what is drawable, the range it covers, and ticks at numbers and dates that people count in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.cards.numbers import figure

Floats = NDArray[np.float64]
_LARGEST = 1e300  # differences of drawable values stay finite
_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (1, 5, 15, 30, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR)
_DAY_STEPS = (1, 2, 7, 14)
_MONTH_STEPS = (1, 2, 3, 6)
_MANY_DECADES, _MOST_DECADES = 3, 12  # of a logarithmic axis: without ticks between them; without names
_EPOCH = datetime(1970, 1, 1)  # instants are counted in UTC, without a zone
_FIRST, _LAST = (datetime(1, 1, 2) - _EPOCH).total_seconds(), (datetime(9999, 12, 30) - _EPOCH).total_seconds()


@dataclass(frozen=True)
class Axis:
    """A range of values with its ticks.

    Attributes:
        low: Value at the start of the axis.
        high: Value at its end; above ``low``.
        ticks: Values and their labels.
        label: What the axis measures.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    label: str = ""

    def share(self, values: Floats) -> Floats:
        """Where ``values`` lie on the axis, 0 at its start and 1 at its end."""
        shares: Floats = (values - self.low) / (self.high - self.low)
        return shares

    def share_of(self, value: float) -> float:
        """Where one value lies on the axis."""
        return (value - self.low) / (self.high - self.low)


def drawable(values: Iterable[Any] | None) -> Floats:
    """Values as floats, shape (n,); whatever is no finite number becomes NaN, and what is astronomic is held back."""
    floats = np.array([_number(value) for value in ([] if values is None else values)], dtype=float)
    return np.clip(np.where(np.isfinite(floats), floats, np.nan), -_LARGEST, _LARGEST)


def instants(values: Iterable[Any]) -> Floats:
    """Instants (datetimes, dates, ISO 8601 texts, numpy dates or epoch seconds) as epoch seconds in UTC, shape (n,)."""
    seconds = np.array([_seconds(value) for value in values], dtype=float)
    seconds[~((seconds >= _FIRST) & (seconds <= _LAST))] = np.nan
    return seconds


def number_axis(
    *values: Floats,
    label: str = "",
    include: Sequence[float] = (),
    count: int = 5,
    snap: bool = False,
    whole: bool = False,
) -> Axis:
    """An axis that covers all finite ``values`` and ``include``.

    With ``snap`` it ends on ticks; with ``whole`` there is no tick between two whole numbers.
    """
    low, high = _span([*values, drawable(include)])
    step = _nice((high - low) / count)
    step = max(step, 1.0) if whole else step
    if snap:
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = [index * step for index in range(first, last + 1)]
    return Axis(low, high, tuple(zip(ticks, _tick_labels(ticks, step), strict=True)), label)


def log_axis(*exponents: Floats, label: str = "", include: Sequence[float] = ()) -> Axis:
    """An axis over powers of ten, given as ``exponents``; its ticks name the powers, not the exponents."""
    low, high = _span([*exponents, drawable(include)])
    steps = (1.0,) if high - low > _MANY_DECADES else (1.0, 3.0) if high - low > 1 else (1.0, 2.0, 5.0)
    decades = range(math.floor(low), math.ceil(high) + 1)
    if len(decades) > _MOST_DECADES:
        return number_axis(*exponents, label=f"log₁₀ {label}".strip(), include=include)
    places = [(decade + math.log10(step), step * 10.0**decade) for decade in decades for step in steps]
    ticks = [(place, figure(value)) for place, value in places if low - 1e-9 <= place <= high + 1e-9]
    ends = [(end, figure(float(f"{10.0**end:.2g}"))) for end in (low, high)]  # a range without a round number
    return Axis(low, high, tuple(ticks or ends), label)


def date_axis(*values: Floats, label: str = "", count: int = 5) -> Axis:
    """An axis over instants in epoch seconds, with ticks at whole hours, days, months or years."""
    found = _finite(values)
    low, high = (float(found.min()), float(found.max())) if found.size else (0.0, float(_DAY))
    if high - low < 1:
        low, high = low - _DAY / 2, high + _DAY / 2
    moments, pattern = _moments(low, high, count)
    ticks, shown_before = [], ""
    for moment in moments:
        name, context = _moment_label(moment, pattern)
        ticks.append((_since_epoch(moment), name if context == shown_before else f"{name} {context}".strip()))
        shown_before = context
    return Axis(low, high, tuple(ticks), label)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return math.nan
    if isinstance(value, np.datetime64):
        return math.nan if np.isnat(value) else float(value.astype("datetime64[ms]").astype(np.int64)) / 1000
    if isinstance(value, datetime):
        try:
            return _since_epoch(value)
        except OverflowError:  # an instant that has no counterpart in UTC
            return math.nan
    return _since_epoch(datetime(value.year, value.month, value.day)) if isinstance(value, date) else _number(value)


def _since_epoch(moment: datetime) -> float:
    naive = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    return (naive - _EPOCH).total_seconds()


def _finite(arrays: Iterable[Floats]) -> Floats:
    joined: Floats = np.concatenate([np.zeros(0), *arrays])
    found: Floats = joined[np.isfinite(joined)]
    return found


def _span(arrays: Iterable[Floats]) -> tuple[float, float]:
    found = _finite(arrays)
    low, high = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
    size = max(abs(low), abs(high))
    if high - low <= max(size * 1e-9, 1e-290):  # one value: give it room on both sides
        room = max(size * 0.1, 1e-280) if size else 1.0
        low, high = low - room, high + room
    return low, high


def _nice(step: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least ``step``."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= step * (1 - 1e-9)), 10 * power)


def _tick_labels(ticks: Sequence[float], step: float) -> list[str]:
    largest = max((abs(tick) for tick in ticks), default=0.0)
    if largest >= 1e15 or step < 1e-5:
        return [figure(0 if abs(tick) < step / 2 else float(tick)) for tick in ticks]
    unit, suffix = next(((u, s) for u, s in _SUFFIXES if largest >= 10 * u), (1.0, ""))
    scaled = step / unit
    decimals = next((d for d in range(9) if abs(round(scaled, d) - scaled) < scaled * 1e-6), 9)
    texts = [f"{tick / unit:,.{decimals}f}" for tick in ticks]
    return ["0" if not text.strip("-0.,") else text.replace("-", "−") + suffix for text in texts]


def _moments(low: float, high: float, count: int) -> tuple[list[datetime], str]:
    """Round moments in the range, at most about ``count`` of them, and what one step between them is."""
    start, end = _EPOCH + timedelta(seconds=low), _EPOCH + timedelta(seconds=high)
    pace = (high - low) / count
    for step in _STEPS:
        if step >= pace:
            first = math.ceil(low / step)
            return [_EPOCH + timedelta(seconds=i * step) for i in range(first, math.floor(high / step) + 1)], "time"
    for days in _DAY_STEPS:
        if days * _DAY >= pace:
            first = math.ceil(low / (days * _DAY))
            last = math.floor(high / (days * _DAY))
            return [_EPOCH + timedelta(days=i * days) for i in range(first, last + 1)], "day"
    for months in _MONTH_STEPS:
        if months * 30.5 * _DAY * 1.3 >= pace:
            return _months(start, end, months), "month"
    years = max(1, round(_nice(pace / (365.25 * _DAY))))
    return _months(start, end, 12 * years), "year"


def _months(start: datetime, end: datetime, step: int) -> list[datetime]:
    counts = range(math.ceil((start.year * 12 + start.month - 1) / step) * step, end.year * 12 + end.month, step)
    moments = (datetime(count // 12, count % 12 + 1, 1) for count in counts if 12 <= count < 120_000)
    return [moment for moment in moments if start <= moment <= end]


def _moment_label(moment: datetime, pattern: str) -> tuple[str, str]:
    """What a tick says, and the context that is said once: the day of an hour, the year of a day."""
    day = f"{moment.day} {moment:%b}"
    return {
        "time": (f"{moment:%H:%M:%S}".removesuffix(":00"), day),
        "day": (day, str(moment.year)),
        "month": (f"{moment:%b}", str(moment.year)),
        "year": (str(moment.year), ""),
    }[pattern]
