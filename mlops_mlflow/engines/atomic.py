"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops_mlflow.core.errors import StorageError

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO, errno.ENOTDIR, errno.EEXIST)
NO_SPACE = os.strerror(errno.ENOSPC)


@contextmanager
def replacing(path: Path, what: str) -> Iterator[Path]:
    """Give a temporary path to write to; it becomes ``path`` when the block ends well, and is removed when it does not.

    Args:
        path: Where the file shall be; its folder is made.
        what: What is being written, for the message.

    Raises:
        StorageError: The disk is full or refuses the file.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        raise StorageError(
            f"{what} could not be written to {path}: {refusal}",
            hint="free space there or choose another folder, and run the stage again; nothing half-written was left",
        ) from error
    finally:
        # Where even removing is refused, the first error is the one to tell.
        with suppress(OSError):
            part.unlink(missing_ok=True)


def link(source: Path, path: Path, what: str) -> None:
    """Make ``path`` the same file as ``source``, without copying where the file system can."""
    import shutil

    with replacing(path, what) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)


def _refusal(error: Exception) -> str | None:
    """Why the disk took no more; None where the error is about something else."""
    number = getattr(error, "errno", None)
    # DuckDB reports a full disk as errors of its own, so their text is read.
    by_duckdb = type(error).__module__.startswith(("duckdb", "_duckdb"))
    if number in FULL or (by_duckdb and NO_SPACE in str(error)):
        return "the disk is full"
    if by_duckdb and "failed to offload" in str(error):
        return "the disk is full that intermediate results go to (that of the work folder, or of TMPDIR)"
    return os.strerror(number) if isinstance(error, OSError) and number in REFUSED else None
