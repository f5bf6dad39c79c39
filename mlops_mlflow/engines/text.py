"""Files that people write, as text."""

from __future__ import annotations

from pathlib import Path

from mlops_mlflow.core.errors import MlopsError, Place

LARGEST = 1_000_000


def read_text(file: Path, what: str, kind: type[MlopsError]) -> str:
    """The text of a file, with or without a byte order mark; any line ending becomes one line feed.

    Args:
        file: Where it is.
        what: What messages call it.
        kind: Of the error that is raised.

    Raises:
        MlopsError: Of that kind: it is larger than anybody writes, or not UTF-8.
        OSError: It cannot be read.
        ValueError: No file can have this name.
    """
    size = file.stat().st_size
    if size > LARGEST:
        raise kind(f"{what} has {size:,} bytes", expected=f"at most {LARGEST:,} bytes of text")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(str(file), error.object[: error.start].count(b"\n") + 1)
        wrong = error.object[error.start]
        raise kind(f"is not UTF-8 (byte 0x{wrong:02x})", hint="save the file as UTF-8", place=place) from error
