"""How DuckDB is opened: bounded in memory, in UTC, without a network."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.engines.sql import texts

if TYPE_CHECKING:
    import duckdb

MEMORY = "2GB"


def connect(scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB whose large intermediate results spill to disk.

    Times without a zone are UTC; extensions are neither installed nor loaded (they would come from the network); names
    in SQL never refer to Python variables; rows keep the order of the file that they are read from.

    Args:
        scratch: Folder to spill to; the system's temporary folder when left out.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "temp_directory": str((scratch or Path(tempfile.gettempdir())) / "duckdb-spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "preserve_insertion_order": True,
        }
    )
    connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    return connection


def allow(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Let a connection read these files also after ``confine``."""
    row = connection.execute("select current_setting('allowed_paths')").fetchone()
    known = list(row[0]) if row else []
    connection.execute(f"set allowed_paths = {texts([*known, *paths])}")


def confine(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Shut a connection off from every file but those that it was allowed, and those of this folder, for good.

    What SQL reads on its own account would be in no lineage, and nobody would notice that it has changed.
    """
    row = connection.execute("select current_setting('enable_external_access')").fetchone()
    if row and row[0]:
        connection.execute(f"set allowed_directories = {texts([folder])}; set enable_external_access = false")
