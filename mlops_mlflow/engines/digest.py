"""Digests of files and of tables, and places of rows that follow from their content."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.sql import literal, quoted

BATCH = 65_536


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def table_digest(path: Path) -> str:
    """SHA-256 of a Parquet file's names, types and values, in the order of its rows.

    How the file is divided into row groups, compressed or encoded does not count.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = pa.schema([(field.name, _plain(field.type)) for field in file.schema_arrow])
        # Each column is a few streams of bytes that can be cut anywhere, so batches of any size add up to the same.
        streams = {field.name: tuple(hashlib.sha256() for _ in range(3)) for field in schema}
        for batch in file.iter_batches(BATCH):
            for field, column in zip(schema, batch.columns, strict=True):
                for stream, piece in zip(streams[field.name], _pieces(column.cast(field.type)), strict=False):
                    stream.update(piece)
        rows = file.metadata.num_rows
    whole = hashlib.sha256(f"{rows}".encode())
    for field in schema:
        whole.update(f"\n{field.name}\t{field.type}\t".encode())
        for stream in streams[field.name]:
            whole.update(stream.digest())
    return whole.hexdigest()


def row_positions(path: Path, columns: Sequence[str] | None, *, seed: int) -> Any:
    """A place in [0, 1) for each row that follows from the content of these columns alone.

    Equal content has the equal place, so a split by place survives when rows are reordered or appended, and groups stay
    together.

    Args:
        path: A Parquet file.
        columns: What counts; None for all, whatever their order.
        seed: Another seed gives other places.

    Returns:
        numpy float64 array, one place per row, in the order of the file.
    """
    import numpy as np

    with connect() as connection:
        source = f"read_parquet({literal(path)})"
        if columns is None:
            columns = sorted(row[0] for row in connection.execute(f"describe select * from {source}").fetchall())
        # The length before each value keeps ('a', 'bc') apart from ('ab', 'c'); missing is apart from every text.
        texts = (f"{quoted(name)}::varchar" for name in columns)
        content = " || ".join([literal(f"{seed}|"), *(f"coalesce(length({t}) || ':' || {t}, '-')" for t in texts)])
        # 13 hexadecimal digits are 52 bits: as many as a float64 holds without rounding up to 1.
        query = f"select ('0x' || left(md5({content}), 13))::ubigint::double / {2**52}::double as place from {source}"
        return np.asarray(connection.execute(query).fetchnumpy()["place"], dtype="float64")


def _plain(kind: Any) -> Any:
    """The type of the values, however they are laid out."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return pa.binary() if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind) else kind


def _pieces(column: Any) -> list[Any]:
    """Bytes of a column that can be appended to those of the rows before: what is there, lengths, values."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    there = np.asarray(column.is_valid()).astype("uint8")
    kind = column.type
    if pa.types.is_null(kind):
        return [there]
    if pa.types.is_nested(kind):
        column, kind = (
            pa.array([None if value is None else repr(value) for value in column.to_pylist()], pa.string()),
            pa.string(),
        )
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        column = pc.fill_null(column, "" if pa.types.is_string(kind) else b"")
        lengths = np.asarray(pc.binary_length(column), dtype="<i4")
        start = int(np.frombuffer(column.buffers()[1], "<i4", 1, column.offset * 4)[0]) if len(column) else 0
        content = column.buffers()[2]
        return [there, lengths, memoryview(content)[start : start + int(lengths.sum())] if content is not None else b""]
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.uint8()), pa.uint8()
    width = kind.bit_width // 8
    values = np.frombuffer(column.buffers()[1], "u1", len(column) * width, column.offset * width)
    if column.null_count:
        # What stands where nothing is, is chance.
        values = values.reshape(-1, width) * there[:, None]
    return [there, values]
