"""How DuckDB is opened: bounded in memory, in UTC, without a network."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

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
