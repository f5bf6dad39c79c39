"""How figures are written, everywhere on a card: three or four significant digits, separators, units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from numbers import Integral
from typing import SupportsFloat

NOTHING = "–"
SIGNIFICANT = 4
_MINUS, _SPACE = "−", "\u00a0"
_EXACT_BELOW = 10**15  # larger figures are read by their exponent, not by their digits
_SMALLEST_PLAIN = 1e-4


def figure(value: SupportsFloat | None, unit: str | None = None) -> str:
    """Write a figure for a reader.

    Args:
        value: The figure; integers keep all their digits, other numbers about four. None and NaN are "–".
        unit: "%" for a share (0.123 is "12.3%"), "s" or "ms" for a duration, "bytes" for a size; anything else is put
            behind the number.

    Returns:
        Text such as "336,776", "0.7412", "12.3%", "3 min 20 s", "1.2 MB" or "27.5 USD".
    """
    if value is None or (not isinstance(value, Integral) and math.isnan(value)):
        return NOTHING
    number = int(value) if isinstance(value, Integral) else as_float(value)
    if unit in _WRITERS:
        return _WRITERS[unit](as_float(number))
    text = _plain(number)
    return f"{text}{_SPACE}{unit}" if unit else text


def aligned(values: Sequence[SupportsFloat | None]) -> list[str]:
    """Write the figures of one column with the same number of decimals, to be compared by eye.

    Integers, and figures that differ so much that the small ones would vanish, are written one by one.
    """
    sizes = [abs(as_float(v)) for v in values if v is not None]
    sizes = [size for size in sizes if math.isfinite(size) and size > 0]
    whole = all(v is None or isinstance(v, Integral) for v in values)
    if whole or not sizes or max(sizes) >= _EXACT_BELOW or min(sizes) < max(max(sizes) * 1e-3, _SMALLEST_PLAIN):
        return [figure(v) for v in values]
    decimals = max(0, SIGNIFICANT - 1 - max(math.floor(math.log10(max(sizes))), -1))
    shown = [_finite_or(v, lambda number: f"{number:,.{decimals}f}") for v in values]
    spare = min((_zeros_behind(text) for text in shown if text[-1].isdigit()), default=0)
    return [_drop(text, spare) for text in shown]


def as_float(value: SupportsFloat) -> float:
    """A number as a float; integers beyond the floats become infinite."""
    try:
        return float(value)
    except OverflowError:
        return -math.inf if isinstance(value, Integral) and value < 0 else math.inf


def _finite_or(value: SupportsFloat | None, write: Callable[[float], str]) -> str:
    if value is None or not math.isfinite(number := as_float(value)):
        return figure(value)
    return _typographic(write(number))


def _zeros_behind(text: str) -> int:
    _, dot, behind = text.partition(".")
    return len(behind) - len(behind.rstrip("0")) if dot else 0


def _drop(text: str, count: int) -> str:
    return text[:-count].removesuffix(".") if count and text[-1].isdigit() and "." in text else text


def _typographic(text: str) -> str:
    """A real minus, and none before a zero."""
    if text.startswith("-") and not text.strip("-0.,"):
        text = text[1:]
    return text.replace("-", _MINUS)


def _plain(number: float) -> str:
    if isinstance(number, int):
        return _typographic(f"{number:,}") if abs(number) < _EXACT_BELOW else _scientific(number)
    if math.isinf(number):
        return "∞" if number > 0 else f"{_MINUS}∞"
    size = abs(number)
    if number and not _SMALLEST_PLAIN <= size < _EXACT_BELOW:
        return _scientific(number)
    return _typographic(_significant(number, SIGNIFICANT))


def _scientific(number: float) -> str:
    mantissa, _, exponent = f"{Decimal(number):.2e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return _typographic(f"{mantissa}e{int(exponent)}")


def _significant(number: float, digits: int) -> str:
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(number)))) if number else 0
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(share: float) -> str:
    percent = share * 100
    if not math.isfinite(percent):
        return _plain(percent)
    if 0 < abs(percent) < 0.001:
        return "<0.001%" if percent > 0 else f">{_MINUS}0.001%"
    text = _significant(percent, 3)
    if text == "100" and percent != 100:  # nearly all is not all
        text = ">99.99" if 99.99 < percent < 100 else f"{percent:.2f}".rstrip("0").rstrip(".")
    return f"{_typographic(text)}%"


def _duration(seconds: float) -> str:
    if seconds < 0:
        return _MINUS + _duration(-seconds)
    if not math.isfinite(seconds):
        return _plain(seconds)
    for below, factor, unit in ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (59.95, 1, "s")):
        if 0 < seconds < below:
            return f"{_significant(seconds * factor, 3)}{_SPACE}{unit}"
    whole = round(seconds)
    for size, unit, part, part_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            head = f"{_plain(whole // size)}{_SPACE}{unit}"
            return f"{head}{_SPACE}{rest}{_SPACE}{part_unit}" if rest else head
    return f"0{_SPACE}s"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(size) < 999.5:
            return f"{_typographic(_significant(size, 3))}{_SPACE}{unit}"
        size /= 1000
    return f"{_plain(float(size))}{_SPACE}PB"


_WRITERS: dict[str | None, Callable[[float], str]] = {
    "%": _percent,
    "s": _duration,
    "ms": lambda milliseconds: _duration(milliseconds / 1000),
    "bytes": _bytes,
}
