"""What all sections of a use case share."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

Task = Literal["binary", "multiclass", "regression"]
RegistryStage = Literal["Staging", "Production", "Archived"]
Scalar = bool | int | float | str

MISPLACED = "misplaced"
_DURATION = r"^P(?=[0-9T])([0-9]+W)?([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"


class Section(BaseModel):
    """A section of ``usecase.yaml``: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


def contradiction(message: str, *path: str) -> PydanticCustomError:
    """An error that a validator of one section raises about a place further in.

    Args:
        message: What contradicts what.
        path: Keys from the validated section to the place.
    """
    return PydanticCustomError(MISPLACED, "{message}", {"message": message, "path": path})


def _duration(given: Any) -> Any:
    """A duration from its text; plain numbers are refused, since nobody could say of which unit."""
    if isinstance(given, timedelta):
        return given
    found = re.fullmatch(_DURATION, given) if isinstance(given, str) else None
    if not found:
        raise ValueError(
            "expected an ISO 8601 duration of weeks, days, hours, minutes or seconds, such as P7D or PT60S"
        )
    weeks, days, _, hours, minutes, seconds, _ = (part.rstrip("WDHMS") if part else "0" for part in found.groups())
    try:
        return timedelta(
            weeks=int(weeks), days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds)
        )
    except (OverflowError, ValueError):
        raise ValueError("expected a shorter duration") from None


def _iso(duration: timedelta) -> str:
    """As pydantic would write it, but without years, which have no length of their own."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds}.{duration.microseconds:06d}".rstrip("0").rstrip(".") if duration.microseconds else seconds
    days = f"{duration.days}D" if duration.days else ""
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (exact, "S")) if count)
    return f"P{days}T{time}" if time else f"P{days}"


def _moment(given: Any) -> Any:
    """A time from its text; a plain number is refused, since it would be read as seconds since 1970."""
    if isinstance(given, datetime):
        return given
    try:
        if isinstance(given, str) and re.match(_DATE, given):
            return datetime.fromisoformat(given)
    except ValueError:
        pass  # the same advice as for what does not look like a date
    raise ValueError("expected a date or a time, such as 2013-01-01 or 2013-01-01T06:00")


Duration = Annotated[
    timedelta,
    Field(gt=timedelta(0)),
    BeforeValidator(_duration),
    PlainSerializer(_iso, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DURATION, "examples": ["P7D", "PT60S"]}),
]
"""ISO 8601, such as ``P7D`` or ``PT60S``."""

Rows = Annotated[int, Field(strict=True, ge=100)]
"""A number of rows; so large that nobody means days by it."""

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": _DATE, "examples": ["2013-01-01"]}),
]
"""ISO 8601 date or time."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
"""Letters, digits, ``_`` and ``-``; begins with a letter: safe in file names, run names and registry names."""

Column = Annotated[str, StringConstraints(min_length=1)]
"""Name of a column of the integrated dataset."""

Text = Annotated[str, StringConstraints(min_length=1)]
"""Something for people to read."""

Share = Annotated[float, Field(gt=0, lt=1)]
