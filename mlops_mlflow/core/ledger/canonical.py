"""Reading a record's canonical text, and nothing else than canonical text."""

from __future__ import annotations

import json
import re
from typing import Any

LARGEST_WHOLE = 2**53 - 1
"""Beyond it JSON's numbers are floating-point numbers (RFC 8785, appendix D)."""


def parsed(text: bytes) -> dict[str, Any]:
    """What a record's canonical text says.

    Args:
        text: JSON, UTF-8.

    Returns:
        As JSON's types, with its ``sequence`` and ``previous``.

    Raises:
        ValueError: It is not a record, or not canonical (RFC 8785), so that two texts could stand for one record.
    """
    try:
        plain = _quickly(text) or _slowly(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not canonical JSON ({error})") from error
    if not isinstance(plain, dict) or type(plain.get("sequence")) is not int or type(plain.get("previous")) is not str:
        raise ValueError("it is not a record of a ledger")
    return plain


def _slowly(text: bytes) -> Any:
    import rfc8785

    plain = _ANY.decode(text.decode("utf-8"))
    if rfc8785.dumps(plain) != text:
        raise ValueError("the same record has another text")
    return plain


class _UnusualError(Exception):
    """A number that Python and ECMAScript may write differently."""


def _quickly(text: bytes) -> Any:
    """The same by Python's own encoder, seven times as fast; None where the two might differ.

    They differ in how they write some numbers and in the order of keys outside of Unicode's first plane.
    """
    if _OUTSIDE_FIRST_PLANE.search(text):
        return None
    told = text.decode("utf-8")
    try:
        plain = _ORDINARY.decode(told)
    except _UnusualError:
        return None
    return plain if _ENCODER.encode(plain) == told else None


def _ordinary_fraction(number: str) -> float:
    value = float(number)
    if repr(value) != number or "e" in number or number.endswith(".0"):
        raise _UnusualError
    return value


def _ordinary_whole(number: str) -> int:
    if len(number) > 15:
        raise _UnusualError
    return int(number)


def _whole(number: str) -> int | float:
    value = float(number)
    return int(number) if abs(value) <= LARGEST_WHOLE else value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


_OUTSIDE_FIRST_PLANE = re.compile(rb"[\xf0-\xf4]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_ORDINARY = json.JSONDecoder(parse_float=_ordinary_fraction, parse_int=_ordinary_whole, parse_constant=_no_number)
_ANY = json.JSONDecoder(parse_int=_whole, parse_constant=_no_number)
