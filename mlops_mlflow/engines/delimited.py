"""CSV files: every line is read, none is guessed.

A file is first read as text, strictly, into Parquet; then the type of each column is chosen by looking at *all* its
values, so that a late one does not break what an early sample promised. DuckDB's own sniffer is not used for it: it
skips lines that do not fit the shape that it guessed, and reads ``1.5`` as the integer 2 where the sample held integers
only.
"""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.errors import Place, SourceError
from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.files import Files
from mlops_mlflow.engines.sql import literal, quoted, texts

if TYPE_CHECKING:
    import duckdb

SAMPLE = 4096
_NAMELIKE = "regexp_matches({c}, '^[+-]?0[0-9]|[_ ]|^[+-]?[0-9]{{16,}}$')"
ZONED = "regexp_matches({c}, ':.*(Z|[+-][0-9:]+)$')"
"""SQL that tells whether a text is a time of day that ends in a zone."""
# Narrowest first; a column has the first type that all its values are written in.
_TESTS = {
    # Surviving the way there and back keeps apart what is a number and what only looks like one: 00501 is a name, and
    # so are digits so many that a float would change the last ones.
    "BIGINT": "try_cast({c} as bigint)::varchar = {c}",
    "DOUBLE": f"try_cast({{c}} as double) is not null and not {_NAMELIKE}",
    "BOOLEAN": "lower({c}) in ('true', 'false')",
    "DATE": "try_cast({c} as date)::varchar = {c}",
    "TIMESTAMP": f"try_cast({{c}} as timestamp) is not null and not {ZONED}",
    "TIMESTAMP WITH TIME ZONE": f"try_cast({{c}} as timestamptz) is not null and {ZONED}",
}
_LINE = re.compile(r"CSV Error on Line: (\d+)\nOriginal Line:[ ]?(.*?)\n(?:\n)?([^\n]+)", re.DOTALL)
_FILE = re.compile(r"^  file = (.*)$", re.MULTILINE)


def open_delimited(
    connection: duckdb.DuckDBPyConnection, source: Source, files: Files, stored: Path, as_text: Collection[str] = ()
) -> None:
    """Make the view ``files.name`` of CSV files, which are kept as Parquet in ``stored``.

    Columns of ``as_text`` stay as they are written.

    Raises:
        SourceError: A line cannot be read; says which, and what is wrong with it.
    """
    delimiter, names = _header(source, files)
    reading = _strict_reading(source, files, delimiter, names)
    _store(connection, files, reading, stored)
    table = f"read_parquet({literal(stored)})"
    types = column_types(connection, table, [name for name in names if name not in as_text])
    columns = ", ".join(f"{quoted(name)}::{types.get(name, 'VARCHAR')} as {quoted(name)}" for name in names)
    connection.execute(f"create or replace view {quoted(files.name)} as select {columns} from {table}")


def column_types(connection: duckdb.DuckDBPyConnection, table: str, names: list[str]) -> dict[str, str]:
    """The narrowest type that all values of each text column are written in; text where there is none.

    Numbers with leading zeros stay text, for they are names: a ZIP code, an account.
    """
    possible = _fitting(connection, f"(select * from {table} limit {SAMPLE})", {name: list(_TESTS) for name in names})
    fitting = _fitting(connection, table, possible)
    return {name: _narrowest(kinds) for name, kinds in fitting.items()}


def _narrowest(kinds: list[str]) -> str:
    """The first of the types; text where there is none, and where all fit, as they do when there is no value at all."""
    return kinds[0] if kinds and len(kinds) < len(_TESTS) else "VARCHAR"


def _fitting(connection: duckdb.DuckDBPyConnection, table: str, possible: dict[str, list[str]]) -> dict[str, list[str]]:
    asked = [(name, kind) for name, kinds in possible.items() for kind in kinds]
    if not asked:
        return possible
    tests = (f"count(*) filter ({_TESTS[kind].format(c=quoted(name))}) = count({quoted(name)})" for name, kind in asked)
    fits = dict(zip(asked, connection.execute(f"select {', '.join(tests)} from {table}").fetchone() or (), strict=True))
    return {name: [kind for kind in kinds if fits[name, kind]] for name, kinds in possible.items()}


def _header(source: Source, files: Files) -> tuple[str, list[str]]:
    """Delimiter and column names, which all files must share."""
    first = _first_line(files, 0, source.delimiter)
    for number in range(1, len(files.paths)):
        other = _first_line(files, number, first[0])
        if other[1] != first[1]:
            raise SourceError(
                f"source `{files.name}`: {files.shown[number]} has other columns than {files.shown[0]}",
                expected=", ".join(first[1]),
                got=", ".join(other[1]),
                hint="files that one pattern matches must have the same header; give the others a source of their own",
                place=Place(files.shown[number], 1),
            )
    return first


def _first_line(files: Files, number: int, delimiter: str | None) -> tuple[str, list[str]]:
    path, place = files.paths[number], Place(files.shown[number], 1)
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
            line = file.readline()
            file.seek(0)
            delimiter = delimiter or ("\t" if ".tsv" in path.suffixes else _delimiter(line))
            names = next(csv.reader(file, delimiter=delimiter), [])
        if any("\N{REPLACEMENT CHARACTER}" in name for name in names):
            raise csv.Error("it is not UTF-8")
    except (gzip.BadGzipFile, zlib.error, EOFError, csv.Error) as error:
        raise SourceError(
            f"source `{files.name}`: the header cannot be read: {error}",
            expected="CSV in UTF-8",
            hint="fetch or write the file again",
            place=place,
        ) from error
    names = [name.strip() or f"column{position}" for position, name in enumerate(names)]
    twice = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if not names or twice:
        raise SourceError(
            f"source `{files.name}`: the header names `{twice[0]}` twice"
            if twice
            else f"source `{files.name}`: the file is empty",
            expected="a first line with the name of each column, letter case aside each once",
            hint="correct the first line of the file",
            place=place,
        )
    return delimiter, names


def _delimiter(line: str) -> str:
    """The sign that divides the header most often, outside quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(",;\t|", key=bare.count)


def _strict_reading(source: Source, files: Files, delimiter: str, names: list[str]) -> str:
    """Every column as text, every line of the shape that the header has; nothing is detected."""
    columns = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names) + "}"
    # A word that no file holds stands for an empty list, which DuckDB does not take.
    nulls = texts(source.null_values or ("\x01no such word\x01",))
    return (
        f"read_csv({texts(files.paths)}, columns = {columns}, auto_detect = false, header = true, "
        f"delim = {literal(delimiter)}, quote = '\"', escape = '\"', nullstr = {nulls}, strict_mode = true)"
    )


def _store(connection: duckdb.DuckDBPyConnection, files: Files, reading: str, stored: Path) -> None:
    import duckdb

    try:
        with replacing(stored, f"source `{files.name}`") as part:
            connection.execute(f"copy (from {reading}) to {literal(part)} (format parquet, compression snappy)")
    except duckdb.Error as error:
        raise _unreadable(files, str(error)) from error


def _unreadable(files: Files, message: str) -> SourceError:
    found, file = _LINE.search(message), _FILE.search(message)
    shown = files.called(file[1]) if file else files.shown[0]
    if not found:
        return SourceError(f"source `{files.name}`: {message.splitlines()[0]}", place=Place(shown))
    line, original, wrong = found.groups()
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", wrong)
    return SourceError(
        f"source `{files.name}`: a line cannot be read: {'wrong number of values' if counts else wrong}",
        expected=f"{counts[1]} values, as the header names"
        if counts
        else 'CSV in UTF-8, texts quoted with " where needed',
        got=f"{_found(counts)} values: {original}" if counts else original,
        hint=f"correct that line, or set `sources.{files.name}.delimiter`",
        place=Place(shown, int(line)),
    )


def _found(counts: re.Match[str]) -> str:
    """How many values the line has; DuckDB stops counting at the first that is too many."""
    return f"at least {counts[2]}" if int(counts[2]) > int(counts[1]) else counts[2]
