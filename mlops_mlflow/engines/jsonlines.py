"""JSON lines: one object a line."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.errors import Place, SourceError
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.files import Files
from mlops_mlflow.engines.sql import literal, quoted, texts

if TYPE_CHECKING:
    import duckdb


def open_json_lines(connection: duckdb.DuckDBPyConnection, files: Files, stored: Path) -> None:
    """Make the view ``files.name`` of JSON lines, which are kept as Parquet in ``stored``; types follow from all lines.

    A key whose values are of several types becomes text.

    Raises:
        SourceError: A line is not a JSON object; says which.
    """
    import duckdb

    options = "format = 'newline_delimited', records = true, sample_size = -1, union_by_name = true"
    reading = f"read_json({texts(files.paths)}, {options})"
    try:
        described = connection.execute(f"describe from {reading}").fetchall()
        columns = ", ".join(
            f"{quoted(name)} ->> '$' as {quoted(name)}" if kind == "JSON" else quoted(name)
            for name, kind, *_ in described
        )
        with replacing(stored, f"source `{files.name}`") as part:
            connection.execute(
                f"copy (select {columns} from {reading}) to {literal(part)} (format parquet, compression snappy)"
            )
    except duckdb.Error as error:
        raise _unreadable(files, error) from error
    connection.execute(f"create or replace view {quoted(files.name)} as from read_parquet({literal(stored)})")


def _unreadable(files: Files, error: Exception) -> SourceError:
    """DuckDB counts bytes of its buffer; a second look finds the line."""
    for path, shown in zip(files.paths, files.shown, strict=True):
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with opened(path, "rt", encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                wrong = _fault(line)
                if wrong:
                    return SourceError(
                        f"source `{files.name}`: a line cannot be read: {wrong}",
                        expected="one JSON object on each line",
                        got=line.strip(),
                        hint="correct that line",
                        place=Place(shown, number),
                    )
    return SourceError(f"source `{files.name}`: {str(error).splitlines()[0]}", place=Place(files.shown[0]))


def _fault(line: str) -> str:
    if not line.strip():
        return ""
    try:
        value = json.loads(line)
    except ValueError as error:
        return str(error)
    return "" if isinstance(value, dict) else f"it is a {type(value).__name__}, not an object"
