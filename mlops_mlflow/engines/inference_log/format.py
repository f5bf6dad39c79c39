"""Columns of the inference log, names of its files and folders, and how a file says what is in it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

import numpy as np

Role = Literal["primary", "canary", "shadow", "batch"]
Status = Literal["ok", "rejected", "failed"]

SCHEMA_VERSION = 1
MARK = b"mlops_mlflow.inference_log"
"""Key in a file's metadata by which it is known as one of the log's."""
_DATE = re.compile(r"date=(-?\d{3,6}-\d\d-\d\d)")
_FILE = re.compile(r"(?P<job>[^.].*)-\d+\.parquet", re.DOTALL)
_LONGEST = 120


@dataclass(frozen=True)
class Origin:
    """Where all rows of a file come from; in its metadata.

    Attributes:
        model: Name of the registered model.
        version: Its number.
        role: What the version did there.
        logged_at: Time of the job, with a zone.
    """

    model: str
    version: str
    role: str
    logged_at: datetime

    def __post_init__(self) -> None:
        if self.logged_at.tzinfo is None:
            raise ValueError("the time of a job needs a zone")

    @property
    def day(self) -> np.datetime64:
        """Date of the job, in UTC."""
        return np.datetime64(self.logged_at.astimezone(UTC).date(), "D")

    def to_bytes(self) -> bytes:
        """As it stands in a file's metadata."""
        logged_at = self.logged_at.astimezone(UTC).isoformat(timespec="microseconds")
        return json.dumps({**asdict(self), "logged_at": logged_at, "schema_version": SCHEMA_VERSION}).encode()

    @classmethod
    def from_bytes(cls, told: bytes) -> Origin:
        """Read what a file says.

        Raises:
            ValueError: It says something else, or was written by a later release; says which.
        """
        try:
            known = json.loads(told)
            written = int(known["schema_version"])
            if written <= SCHEMA_VERSION:
                logged_at = datetime.fromisoformat(known["logged_at"])
                return cls(known["model"], known["version"], known["role"], logged_at)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("its metadata are not those of the inference log") from error
        raise ValueError(f"written by a later release (schema {written}, this one reads {SCHEMA_VERSION})")


def input_column(name: str) -> str:
    """Column of the log that holds a column of the model's input."""
    return f"in.{name}"


def probability_column(name: str) -> str:
    """Column of the log that holds a class's probability."""
    return f"probability.{name}"


def schema(inputs: Mapping[str, Any], classes: Sequence[str] | None) -> Any:
    """The log's columns.

    Args:
        inputs: Arrow type of each column of the input.
        classes: Names of the outcomes; None for a regression.

    Returns:
        An Arrow schema. Texts of few values are dictionaries in memory only: in the file they are texts.
    """
    import pyarrow as pa

    few = pa.dictionary(pa.int32(), pa.string())
    time = pa.timestamp("us", "UTC")
    required = [
        ("request_id", pa.string()),
        ("row", pa.int32()),
        ("logged_at", time),
        ("model", few),
        ("version", few),
        ("role", few),
        ("status", few),
        ("schema_version", pa.int16()),
    ]
    optional = [
        ("entity_key", pa.string()),
        ("event_time", time),
        ("reason", few),
        ("latency_ms", pa.float64()),
        *((input_column(name), kind) for name, kind in inputs.items()),
        ("prediction", pa.float64() if classes is None else few),
        *((probability_column(name), pa.float64()) for name in classes or ()),
    ]
    return pa.schema(
        [pa.field(*one, nullable=False) for one in required] + [pa.field(*one) for one in optional],
    )


def date_folder(day: np.datetime64) -> str:
    """Name of a day's folder."""
    return f"date={day.astype('datetime64[D]')}"


def day_of(folder: str) -> np.datetime64 | None:
    """The day of a folder; None where the folder is another one."""
    found = _DATE.fullmatch(folder)
    try:
        return np.datetime64(found[1], "D") if found else None
    except ValueError:
        return None


def file_name(job: str, number: int) -> str:
    """Name of a job's file; the job's name is escaped already."""
    return f"{job}-{number}.parquet"


def job_of(file: str) -> str | None:
    """Job of a file, as its name is escaped; None where the file is none of a job."""
    found = _FILE.fullmatch(file)
    return found["job"] if found else None


def escaped(job: str) -> str:
    """A job's name as part of a file's name, whatever is in it; two jobs never get the same.

    Raises:
        ValueError: It is empty.
    """
    if not job:
        raise ValueError("a job needs a name")
    plain = quote(job, safe="")
    # What begins with a dot or an underscore is hidden from most readers.
    plain = f"%{ord(plain[0]):02X}{plain[1:]}" if plain[0] in "._" else plain
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST // 2]}~{hashlib.sha256(job.encode()).hexdigest()[:32]}"
