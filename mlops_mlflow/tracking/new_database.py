"""A SQLite database that is not there yet: made beside its place, and put there whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

from mlops_mlflow.tracking.errors import translated, without_password


def make_database(uri: str, file: Path) -> None:
    """Make MLflow's tables in a SQLite file that is not there.

    MLflow walks all its migrations in the file itself: two processes that begin at once collide, and one that is
    killed leaves half a database. Here the file appears when it is whole; whoever comes second takes that of the
    first. Nothing is lost by a power cut before, so the disk is waited for once, not after each of several hundred
    statements.

    Args:
        uri: Of the database.
        file: Its file.

    Raises:
        TrackingError: MLflow cannot make it.
        StorageError: The disk refuses.
    """
    import mlflow
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    with translated(f"make the database {file.name}", uri=without_password(uri)):
        event.listen(Engine, "connect", _hurry)
        try:
            mlflow.MlflowClient(tracking_uri=f"sqlite:///{part}").get_experiment("0")
            with part.open("rb+") as made:
                os.fsync(made.fileno())
            with contextlib.suppress(FileExistsError):  # another process was quicker
                os.link(part, file)
        finally:
            event.remove(Engine, "connect", _hurry)
            with contextlib.suppress(OSError):  # the error on its way matters more
                part.unlink()


def _hurry(connection: Any, _: Any) -> None:
    connection.execute("pragma synchronous = off")
    connection.execute("pragma journal_mode = memory")
